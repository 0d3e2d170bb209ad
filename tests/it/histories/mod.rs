//! The histories that broke a promise once, each over real servers: who is stopped where, what is lost meanwhile, and what
//! must be true in the end. A stop is a message that a proxy holds; nothing here waits for a time to pass by itself.
//!
//! The first line of each says how it failed before the recovery had terms.

mod gateway;
mod ledger;
mod queue;
mod sale;

mod r1_late_totals;
