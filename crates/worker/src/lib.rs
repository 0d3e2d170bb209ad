//! What work has that goes on by itself: a thread of its own, how it learns that it is to end, and what time it is.

#![forbid(unsafe_code)]

mod clock;
mod phase;
mod worker;

pub use clock::now_ms;
pub use phase::{Phase, reached};
pub use worker::Worker;
