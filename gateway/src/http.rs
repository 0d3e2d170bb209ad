//! The HTTP API.

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
mod reply;
mod reservation;
mod reservations;
mod routes;
mod sales;
mod server;
mod webhooks;

pub(crate) use app::App;
pub(crate) use durability::warn_of_durability;
pub(crate) use routes::Routes;
pub(crate) use server::serve;
