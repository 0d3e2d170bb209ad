//! Error replies.

use std::ffi::CStr;

use flash_wire::{ArgError, INVALID, Invalid, Malformed};

/// Why a command could not be taken at all. Nothing was changed.
#[derive(Debug)]
pub(crate) enum Fault {
    /// Too few or too many arguments.
    Arity,
    /// An argument that breaks its rule.
    Invalid(Invalid),
    /// The key holds something else.
    WrongType,
    /// A sale of that name exists under other terms.
    OtherTerms,
    /// The command is one that only the server itself sends.
    Internal,
    /// A client wants a replica to decide.
    Replica,
    /// An earlier command panicked in the midst of its work on the sale, or an event did not fit it.
    Poisoned,
    /// Bytes from a replication link or an AOF do not say what they should.
    Malformed(Malformed),
    /// An event from a replication link or an AOF does not fit.
    Unfit(&'static str),
}

impl Fault {
    /// The error reply's text; its first word is the code.
    pub(crate) fn text(&self, command: &CStr) -> String {
        match self {
            Self::Arity => {
                format!("ERR wrong number of arguments for '{}' command", command.to_string_lossy())
            }
            Self::Invalid(invalid) => format!("{INVALID} {invalid}"),
            Self::WrongType => "WRONGTYPE Operation against a key holding the wrong kind of value".to_owned(),
            Self::OtherTerms => {
                "ERR the sale exists under other terms; nothing was changed. FLASH.STATUS shows them".to_owned()
            }
            Self::Internal => "ERR this command comes only from a primary or an AOF, never from a client".to_owned(),
            Self::Replica => {
                "READONLY a replica never decides, whatever its replica-read-only says; nothing was changed".to_owned()
            }
            Self::Poisoned => "POISONED an internal error, or an event that did not fit, has left this sale in doubt, and it takes \
                               no more writes; nothing was changed. The server's log says more. A restart loads the sale as its \
                               AOF or RDB has it"
                .to_owned(),
            Self::Malformed(malformed) => format!("ERR {malformed}"),
            Self::Unfit(problem) => format!("ERR {problem}"),
        }
    }
}

impl From<ArgError> for Fault {
    fn from(error: ArgError) -> Self {
        match error {
            ArgError::Arity => Self::Arity,
            ArgError::Invalid(invalid) => Self::Invalid(invalid),
        }
    }
}

impl From<Invalid> for Fault {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}
