//! `FLASH.CONFIRM key id` and `FLASH.RELEASE key id`

use flash_sale::limits::SEQ_MAX;

use crate::args::{ArgError, ArgSink, Args};
use crate::reply::Answer;
use crate::value::{Fields, Sink, Unreadable};

/// Ends a hold: which of the two is in the command's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EndHold {
    /// The reservation.
    pub id: u64,
}

impl EndHold {
    /// The command that ends a hold because it was paid for.
    pub const CONFIRM: &'static str = "FLASH.CONFIRM";
    /// The command that gives a hold back.
    pub const RELEASE: &'static str = "FLASH.RELEASE";

    /// Reads the arguments after the key.
    ///
    /// # Errors
    /// Names the argument that breaks its rule.
    pub fn parse(args: &[&[u8]]) -> Result<Self, ArgError> {
        let mut args = Args::new(args);
        let id = args.int("id", 1, SEQ_MAX)?;
        args.end()?;
        Ok(Self { id })
    }

    /// Writes the arguments after the key.
    pub fn args(&self, sink: &mut impl ArgSink) {
        sink.int(self.id);
    }
}

/// `CONFIRMED id` or `RELEASED id`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndHoldAnswer {
    /// The hold is sold.
    Confirmed {
        /// The reservation.
        id: u64,
    },
    /// The hold is given back.
    Released {
        /// The reservation.
        id: u64,
    },
}

impl Answer for EndHoldAnswer {
    fn write(&self, sink: &mut impl Sink) {
        let (code, id) = match *self {
            Self::Confirmed { id } => ("CONFIRMED", id),
            Self::Released { id } => ("RELEASED", id),
        };
        sink.array(2);
        sink.code(code);
        sink.uint(id);
    }

    fn read(code: &str, fields: &mut Fields) -> Result<Option<Self>, Unreadable> {
        Ok(match code {
            "CONFIRMED" => Some(Self::Confirmed { id: fields.uint("id")? }),
            "RELEASED" => Some(Self::Released { id: fields.uint("id")? }),
            _ => None,
        })
    }
}
