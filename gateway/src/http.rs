//! The HTTP API.

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
mod reply;
mod reservation;
mod reservations;
mod routes;
mod sales;
mod server;

pub(crate) use app::App;
pub(crate) use durability::warn_of_durability;
pub(crate) use routes::Routes;
pub(crate) use server::serve;
