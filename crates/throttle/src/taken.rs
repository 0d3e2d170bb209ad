//! What happens when a call is allowed: units are taken.

use flash_sale::Malformed;
use flash_sale::bytes::{Reader, put_int};

use crate::limits::TIME_MS_MAX;
use crate::terms::Terms;
use crate::terms_bytes::{put_terms, read_terms};

/// The version of the layout. Another one is refused by [`Taken::decode`].
pub const TAKEN_VERSION: u8 = 1;

/// Units were taken. The only way from one state of a rate limit to the next: what a primary decided, and what replicas
/// and the AOF get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// By which terms it was decided.
    pub terms: Terms,
    /// Unix milliseconds.
    pub at_ms: u64,
    /// 0 to the terms' limit; 0: the clock has stepped back, and nothing else.
    pub units: u64,
}

impl Taken {
    /// Appends the bytes: version, terms, time, units.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(TAKEN_VERSION);
        put_terms(out, &self.terms);
        put_int(out, self.at_ms);
        put_int(out, self.units);
    }

    /// Reads what [`Taken::encode`] wrote.
    ///
    /// # Errors
    /// Names what could not be read: an unknown version or strategy, a bound that is broken, bytes missing or left over.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.byte("taken version")? != TAKEN_VERSION {
            return Err(Malformed::new("taking: its version is not 1, written by another release"));
        }
        let terms = read_terms(&mut reader)?;
        let at_ms = reader.int_within("time", 1, TIME_MS_MAX)?;
        let units = reader.int_within("units", 0, terms.limit())?;
        reader.end("end of taking")?;
        Ok(Self { terms, at_ms, units })
    }
}
