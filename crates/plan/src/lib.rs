//! What to do next, decided without I/O, clock, randomness or async: a shell carries it out, and a simulator drives
//! the same code through histories that no test of servers meets.
//!
//! [`Recovery`] brings one sale back, [`doubt`] finds the sales that need it, [`Plan`] is what a relay sends next, and
//! [`batch`] is which events of an epoch the vault applies now.

#![forbid(unsafe_code)]

pub mod batch;
mod doubt;
mod epoch;
mod known;
mod recovery;
mod relay;
mod verdict;

pub use doubt::{PostgresMark, RedisMark, Why, doubt, is_redis_behind};
pub use epoch::{EPOCH_DRAWN_BITS, epoch_of};
/// What a recovery's commands are made of.
pub use flash_wire::{Attempt, Content, Expected, ExpectedSku, NextEpoch, Unfence};
pub use known::{InPostgres, InRedis, Known, state_digest};
pub use recovery::{
    AWAY_MS, CREATION_GRACE_S, LEASE_MS, OUTBIDS_MAX, RENEW_AFTER_MS, REST_MS, REST_MS_MAX, RETRY_MS, WAIT_STEP_MS,
};
pub use recovery::{Action, Answer, Recovery, Setback};
pub use relay::{FORGET_MS, Journal, Plan, RESEND_MS, RESEND_MS_MAX, SALES_MAX};
pub use verdict::{Seen, Verdict, Wanted, verdict};
