//! The pure core of Flash: one sale as a deterministic state machine.
//!
//! No I/O, no clock, no randomness, no logging. [`Sale::decide`] looks and never changes, [`Sale::apply`] changes and
//! never fails, and an [`Event`] is the only way from one state to the next: applied to the same snapshot, the same
//! events give the same state on every machine.

#![forbid(unsafe_code)]

mod apply;
pub mod bytes;
mod clock;
mod command;
mod decide;
mod defrag;
mod details;
pub mod digest;
mod due;
mod event;
mod event_bytes;
mod expected;
mod fingerprint;
mod holds;
pub mod invalid;
mod items;
mod journal;
mod lease;
mod life;
pub mod limits;
mod memory;
mod rebuild;
mod refusal;
mod reservations;
mod sale;
mod shell;
mod snapshot;
mod terms;

pub use bytes::Malformed;
pub use command::{Command, Reserve};
pub use details::Details;
pub use digest::Content;
pub use event::{Change, Event, Reserved, State};
pub use event_bytes::EVENT_VERSION;
pub use expected::{Expected, ExpectedSku, Unfence};
pub use fingerprint::fingerprint;
pub use invalid::Invalid;
pub use items::{Item, Items};
pub use life::{Life, NextEpoch};
pub use memory::Mover;
pub use refusal::{FACTS_MAX, Fact, Refusal, Row};
pub use reservations::{HashKey, Reservation};
pub use sale::{Phase, Sale, Units};
pub use snapshot::SNAPSHOT_VERSION;
pub use terms::{DEFAULT_LIMIT, DEFAULT_SKU, SkuTerms, Terms};
