//! The vault on a real PostgreSQL: one server a run, one database a test.

mod audit_log;
mod audited;
mod barriers;
mod connection;
mod contents;
mod cost;
mod epochs;
mod fixture;
mod foreign;
mod history;
mod identity;
mod ledger;
mod lives;
mod operator;
mod order;
mod pages;
mod pauses;
mod quarantine;
mod reading;
mod refusals;
mod request_keys;
mod requests;
mod restoring;
mod thousands;
mod webhooks;
