//! The pure state of one rate limit, in one of five strategies.
//!
//! No I/O, no clock, no randomness, no logging. [`Throttle::decide`] looks and never changes, [`Throttle::apply`]
//! changes and never fails. What is between them, [`Taken`], carries the time at which it was decided: a replica that
//! applies it reads no clock and decides nothing. All arithmetic is of whole numbers and exact; time is Unix
//! milliseconds.
//!
//! | strategy | how many units, and when they come back |
//! | --- | --- |
//! | bucket | at most `burst` at once; they trickle back, `rate` a period |
//! | burst | `limit` in each window, and beyond it `extra` in each period; both come back whole |
//! | strict | `limit` in each window of the clock; all come back when the next window begins |
//! | sliding | `limit` in any span as long as the window; each comes back one window after it was taken |
//! | daily | `limit` a day; all come back at midnight, in a time zone of the caller's, also where its clock changes |

#![forbid(unsafe_code)]

mod bucket;
mod burst;
mod days;
pub mod limits;
mod sliding;
mod snapshot;
mod strategy;
mod taken;
mod terms;
mod terms_bytes;
mod throttle;
mod usage;
mod window;

pub use snapshot::SNAPSHOT_VERSION;
pub use taken::{TAKEN_VERSION, Taken};
pub use terms::{BucketTerms, BurstTerms, DailyTerms, OffsetChange, Terms, WindowTerms};
pub use throttle::{Decision, NEVER, Standing, Throttle};
