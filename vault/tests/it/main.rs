//! The vault on a real PostgreSQL: one server a run, one database a test.

mod barriers;
mod connection;
mod cost;
mod epochs;
mod fixture;
mod history;
mod identity;
mod operator;
mod order;
mod pages;
mod quarantine;
mod reading;
mod refusals;
mod webhooks;
