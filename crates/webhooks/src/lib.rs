//! Webhooks: tells those who want to hear of it what became of orders.

#![forbid(unsafe_code)]

mod body;
mod deliver;
mod events;
mod limits;
mod send;
mod sign;
mod target;

pub use body::example;
pub use deliver::Webhooks;
pub use events::{EVENTS, Event, HEADERS};
pub use limits::{DELIVERY_ATTEMPTS_MAX, DELIVERY_KEPT_S, WEBHOOK_URL_BYTES_MAX};
pub use sign::new_secret;
pub use target::{Target, TargetError};
