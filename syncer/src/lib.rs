//! The syncer: from RabbitMQ into PostgreSQL.
//!
//! It takes a batch of messages, writes it in one transaction, and only then acknowledges: to RabbitMQ, that the messages
//! may go, and to Redis, that the journal may. Killed at any point, it leaves messages that come again, to events that
//! are passed over. Any number of syncers may run: RabbitMQ gives the queue to one of them at a time.

#![forbid(unsafe_code)]

mod acks;
mod batch;
mod run;
mod session;

pub use acks::HEADS_MAX;
pub use batch::{BATCH_BYTES_MAX, BATCH_MESSAGES_MAX, GATHER_MS};
pub use run::{Config, Error, RETRY_WAIT_MS_MAX, RETRY_WAIT_MS_MIN, STOP_TIMEOUT_MS, run};
pub use session::{PREFETCH_MESSAGES, WRITE_TIMEOUT_MS};
