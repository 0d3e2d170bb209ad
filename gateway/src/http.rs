//! The HTTP API.

mod address;
mod app;
mod audit_log;
mod body;
mod buyers;
mod durability;
mod events;
mod fields;
mod forgotten;
mod found;
mod framing;
mod health;
mod host;
mod idempotency_key;
pub(crate) mod identity;
mod keys;
pub(crate) mod listener;
mod metrics;
mod operate;
mod path;
mod payment;
mod prefer;
mod problem;
mod products;
mod query;
mod rate_limits;
mod reply;
mod reservation;
mod reservation_id;
mod reservations;
mod routes;
mod sales;
mod server;
mod strict;
mod tls;
mod webhooks;

pub use address::{ForwardedHeader, Network, Proxies};
pub(crate) use app::App;
pub(crate) use durability::warn_of_durability;
pub(crate) use identity::Gate;
pub(crate) use rate_limits::{RateLimits, Rules};
pub(crate) use routes::{Routes, Surface, route_names, route_path};
pub(crate) use server::{Door, serve};
#[cfg(test)]
pub(crate) use tls::tests::files as tls_files;
