//! The vault on a real PostgreSQL: one server a run, one database a test.

mod connection;
mod fixture;
mod history;
mod order;
mod reading;
mod refusals;
