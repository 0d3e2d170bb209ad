//! The syncer: from the transport into PostgreSQL.
//!
//! It takes a batch of messages, writes it in one transaction, and only then acknowledges: to the transport, that the
//! messages may go, and to Redis, that the journal may. Killed at any point, it leaves messages that come again, to
//! events that are passed over. Any number of syncers may run; a queue is given to one of them at a time.

#![forbid(unsafe_code)]

mod acks;
mod config;
mod heal;
mod read;
mod run;
mod session;

pub use acks::HEADS_MAX;
pub use config::Config;
pub use run::{Error, RETRY_WAIT_MS_MAX, RETRY_WAIT_MS_MIN, STOP_TIMEOUT_MS, run};
pub use session::{CONTROL_MS, WRITE_TIMEOUT_MS};
