//! The HTTP API.

mod address;
mod app;
mod body;
mod durability;
mod events;
mod fields;
mod forgotten;
mod found;
mod health;
mod idempotency_key;
pub(crate) mod listener;
mod metrics;
mod path;
mod prefer;
mod problem;
mod rate_limits;
mod reply;
mod reservation;
mod reservations;
mod routes;
mod sales;
mod server;
mod webhooks;

pub use address::{ForwardedHeader, Network, Proxies};
pub(crate) use app::App;
pub(crate) use durability::warn_of_durability;
pub(crate) use rate_limits::{RateLimits, Rules};
pub(crate) use routes::{Routes, route_names, route_path};
pub(crate) use server::serve;
