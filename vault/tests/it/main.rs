//! The vault on a real PostgreSQL: one server a run, one database a test.

mod connection;
mod cost;
mod fixture;
mod history;
mod operator;
mod order;
mod quarantine;
mod reading;
mod refusals;
