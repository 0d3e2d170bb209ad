//! The relay: moves events from the journals into the transport, and expires the holds that no one touches.
//!
//! It drops nothing: the syncer acknowledges to Redis what PostgreSQL has. Whatever goes wrong here, the answer is to
//! send again from what is acknowledged.

#![forbid(unsafe_code)]

mod handle;
mod limits;
mod link;
mod relay;
mod run;
mod traces;

pub use handle::{BarrierError, RelayHandle, Wishes, handle};
pub use limits::{RUN_EVENTS_MAX, STOP_TIMEOUT};
pub use relay::relay;
