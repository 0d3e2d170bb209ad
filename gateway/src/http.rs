//! The HTTP API.

mod address;
mod app;
mod body;
mod buyers;
mod durability;
mod fields;
mod forgotten;
mod health;
mod idempotency_key;
pub(crate) mod listener;
mod metrics;
mod path;
mod payment;
mod problem;
mod products;
mod rate_limits;
mod reply;
mod reservation;
mod reservations;
mod routes;
mod sales;
mod server;

pub use address::{ForwardedHeader, Network, Proxies};
pub(crate) use app::App;
pub(crate) use durability::warn_of_durability;
pub(crate) use rate_limits::{RateLimits, Rules};
pub(crate) use routes::{Routes, route_names, route_path};
pub(crate) use server::serve;
