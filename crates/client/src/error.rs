//! What can go wrong with a call, by what is known about its effect.

use std::io;

use flash_wire::{INVALID, Unreadable};
use redis::ServerError;

use crate::limits::{CALLS_IN_FLIGHT_MAX, CONNECT_TIMEOUT_MS};

/// A URL that no connection can be made from. It is not shown: it may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the Redis URL is not of the form redis://[user:password@]host:port[/db] or unix:///path")]
pub struct UrlError;

/// Why a call has no outcome. A refusal is an outcome, and no error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The module refuses an argument. Nothing was changed.
    #[error("{field} {rule}")]
    Invalid {
        /// The argument.
        field: String,
        /// What it must be.
        rule: String,
    },
    /// The call was not sent: there is no connection, or too many calls wait for answers already. Nothing was changed.
    #[error("Redis is unavailable: {0}")]
    Unavailable(Unavailable),
    /// Redis answered with an error of its own (`LOADING`, `READONLY`, `OOM`, `WRONGTYPE`, …). Nothing was changed.
    #[error("Redis refused the command: {code} {detail}")]
    Failed {
        /// The first word of the error.
        code: String,
        /// The rest.
        detail: String,
    },
    /// The call may have been sent, and no answer came: whether it was carried out is unknown.
    #[error("the outcome is unknown: {0}")]
    Unknown(Unanswered),
    /// An answer came that this program cannot read: the module is of another release. What it did is unknown.
    #[error(transparent)]
    Unreadable(#[from] Unreadable),
}

/// Why a call was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// The first attempt to connect is under way.
    #[error("not connected yet")]
    NotConnectedYet,
    /// The last attempt to connect failed.
    #[error("{why}")]
    Unreachable {
        /// The kind of error.
        kind: io::ErrorKind,
        /// Its text.
        why: String,
    },
    /// The last attempt to connect took longer than [`CONNECT_TIMEOUT_MS`].
    #[error("no connection within {CONNECT_TIMEOUT_MS} ms")]
    ConnectTimeout,
    /// There was a connection, and there is not yet another one.
    #[error("the connection was lost: {why}")]
    Lost {
        /// The kind of error.
        kind: io::ErrorKind,
        /// Its text.
        why: String,
    },
    /// The connection ended in this moment.
    #[error("the connection was lost")]
    Closed,
    /// A ping was not answered, so that the connection was given up.
    #[error("it stopped answering")]
    Silent,
    /// [`CALLS_IN_FLIGHT_MAX`] calls wait for answers.
    #[error("{CALLS_IN_FLIGHT_MAX} calls wait for answers already")]
    Full,
    /// [`CALLS_IN_FLIGHT_MAX`] calls wait to be sent.
    #[error("{CALLS_IN_FLIGHT_MAX} calls wait to be sent already")]
    QueueFull,
    /// The [`Deadline`](crate::Deadline) of the work that asks has passed.
    #[error("no time is left for it")]
    NoTime,
    /// What the server can give was asked first, and was not learnt.
    #[error("{0}")]
    Ability(Box<CallError>),
}

/// Why no answer came to a call that may have been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Its limit has passed.
    #[error("Redis did not answer in time")]
    TimedOut,
    /// The connection ended.
    #[error("the connection to Redis was lost")]
    Lost,
    /// The task that had it is gone with its runtime.
    #[error("the connection's task is gone")]
    Gone,
}

impl Unavailable {
    /// A connection that was lost.
    pub(crate) fn lost(error: &io::Error) -> Self {
        Self::Lost { kind: error.kind(), why: error.to_string() }
    }
}

/// An attempt to connect.
impl From<io::Error> for Unavailable {
    fn from(error: io::Error) -> Self {
        Self::Unreachable { kind: error.kind(), why: error.to_string() }
    }
}

impl CallError {
    /// Whether Redis answered and does not know the command: the module is not loaded, or is too old.
    #[must_use]
    pub fn is_unknown_command(&self) -> bool {
        matches!(self, Self::Failed { code, detail } if code == "ERR" && detail.starts_with("unknown command"))
    }

    /// The meaning of an error reply.
    pub(crate) fn of_reply(error: &ServerError) -> Self {
        let (code, detail) = (error.code(), error.details().unwrap_or_default());
        match (code, detail.split_once(' ')) {
            (INVALID, Some((field, rule))) => Self::Invalid { field: field.to_owned(), rule: rule.to_owned() },
            _ => Self::Failed { code: code.to_owned(), detail: detail.to_owned() },
        }
    }
}

/// What a server lacks for the durability that is wanted, and what would help.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Lack {
    /// It does not sync its append-only file before it answers, or does not say so.
    #[error(
        "Redis does not sync before it answers: set appendonly yes, appendfsync always and no-appendfsync-on-rewrite \
         no, wait until the first append-only file is whole, and let the gateway's user run CONFIG GET and INFO"
    )]
    Fsync,
    /// Fewer replicas answer than are wanted.
    #[error("{answering} replicas answer, not {wanted}: connect more, or ask for less")]
    Replicas {
        /// Replicas that have all that was written.
        answering: u8,
        /// Replicas that were asked for.
        wanted: u8,
    },
}

/// Why a call has no outcome that is as durable as wanted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurableError {
    /// The server cannot give what is wanted, and the call was not sent.
    #[error(transparent)]
    Unavailable(#[from] Lack),
    /// The call was carried out, and the wait for what is wanted was in vain. The same call again waits again.
    #[error("it was done, but is less durable than wanted")]
    Short,
    /// It failed as any call may.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl From<Unreadable> for DurableError {
    fn from(error: Unreadable) -> Self {
        Self::Call(error.into())
    }
}
