//! The gateway: the HTTP API that buyers speak to, and the relay that moves events to RabbitMQ.
//!
//! It holds no sale's state: Redis decides, PostgreSQL has the last word, and any number of gateways may run.

#![forbid(unsafe_code)]

mod catalogue;
mod clock;
mod config;
mod form;
mod gateway;
mod http;
pub mod limits;
mod orders;
mod payments;
mod phase;
mod recovery;
mod relay;
mod sweep;
mod worker;

pub use config::{Config, Transport};
pub use flash_client::Durability;
pub use gateway::{Gateway, StartError};
pub use relay::{BarrierError, RUN_EVENTS_MAX, RelayHandle};
