//! The audit: what must be equal in Redis and PostgreSQL, proved while the sale sells.
//!
//! PostgreSQL lags behind Redis, so their states are never the same at the same moment. But PostgreSQL says how far it
//! is (its *head*), and the journal has every event after that. So its state at the head, with those events added, is
//! the state of Redis: to the unit, or something is wrong.

#![forbid(unsafe_code)]

mod audit;
mod error;
mod finding;
mod judge;
mod limits;
mod look;
mod report;
mod steps;

pub use audit::{accounts, audit, is_known, sales, unreadable};
pub use error::AuditError;
pub use finding::{Finding, Kind, Verdict};
pub use limits::{ATTEMPTS_MAX, IN_FLIGHT_EVENTS_MAX, SALES_MAX};
pub use look::CALLER;
pub use report::{EpochReport, Report, SkuReport};
