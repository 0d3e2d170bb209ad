//! What both test programs stand on. The integration tests are in `it/`, the fault harness is in `faults/`.

#![forbid(unsafe_code)]

pub mod background;
mod built;
pub mod http;
pub mod proxy;
pub mod unread;
pub mod wait;

pub use built::built;
