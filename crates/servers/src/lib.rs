//! Private redis-server, PostgreSQL and RabbitMQ as guarded child processes, and a gateway that can be killed.
//!
//! `flash dev` runs them in a directory that is kept; tests run them in a temporary one, kill them and start them
//! again. Every server listens on 127.0.0.1 only, on a free port, and keeps all that it owns in its directory:
//!
//! | file | holds |
//! | --- | --- |
//! | `lock` | held by the server for as long as it lives; names its process |
//! | `port` | the port, asked for again by the next start |
//! | `log`, `log.old` | what the server printed since its last start, and before that |
//! | `password` | made once, readable by the owner only (PostgreSQL and RabbitMQ) |
//!
//! PostgreSQL's data lies in `data` beside these, RabbitMQ's in `mnesia`.
//!
//! No server outlives the process that started it, however that process ends: see [`Server`].
//!
//! All calls block. Async code calls them through `spawn_blocking`.

#![forbid(unsafe_code)]

mod cluster;
mod error;
mod gateway;
mod guard;
mod name;
mod own_dir;
mod path;
mod place;
mod port;
mod postgres;
mod postgres_programs;
mod probe;
mod program;
mod rabbitmq;
mod redis;
mod server;
mod tool;
mod tree;
pub mod usage;
mod wait;

pub use error::Error;
pub use gateway::{Gateway, GatewayOptions};
pub use port::pick as free_port;
pub use postgres::{Postgres, PostgresOptions};
pub use rabbitmq::{RabbitMq, RabbitMqOptions};
pub use redis::{Redis, RedisOptions};
pub use server::Server;

/// How far the start of a server has come; the argument of the callback that every `start` takes, for a progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// The directory is new: its first content is being made (PostgreSQL only, about a second).
    Creating,
    /// The server runs and is not usable yet.
    Starting,
    /// The server answers.
    Ready,
}

/// The callback of a caller who draws no progress bar.
pub fn silent(_: Phase) {}
