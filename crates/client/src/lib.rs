//! Calls the module's commands over one multiplexed Redis connection: typed calls in, typed outcomes out.
//!
//! ```no_run
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! use flash_client::{Call, Client};
//!
//! let client = Client::connect("redis://127.0.0.1:6379")?;
//! match client.call(Call::confirm("drop", 7)).await? {
//!     Ok(answer) => println!("{answer:?}"),
//!     Err(refusal) => println!("{}", refusal.code()),
//! }
//! # Ok(()) }
//! ```

#![forbid(unsafe_code)]

mod ability;
mod alarm;
mod backoff;
mod call;
mod client;
mod connection;
mod deadline;
mod durability;
mod durable;
mod error;
mod facts;
mod inspect;
mod limits;
mod lookup;
mod multiplexed;
mod plain;
mod replies;
mod target;
mod value;

pub use backoff::Backoff;
pub use call::{Call, REDIS_TIMEOUT_MS, REDIS_TIMEOUT_MS_MAX, REDIS_TIMEOUT_MS_MIN, RELAY_TIMEOUT_MS};
pub use client::{CALLS_PER_PIPELINE_MAX, Client};
pub use deadline::Deadline;
pub use durability::{Durability, DurabilityError, REPLICAS_MAX};
pub use durable::{BATCH_CALLS_MAX, Durable, LOOK_EVERY_MS};
pub use error::{CallError, DurableError, Lack, Unanswered, Unavailable, UrlError};
pub use inspect::Unusable;
pub use limits::{
    CALLS_IN_FLIGHT_MAX, CONNECT_TIMEOUT_MS, PING_EVERY_MS, RECONNECT_WAIT_MS_MAX, RECONNECT_WAIT_MS_MIN,
};
pub use lookup::{LOOKUP_BUCKETS, Lookup};
