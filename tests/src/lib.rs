//! What both test programs stand on. The integration tests are in `it/`, the fault harness is in `faults/`.

#![forbid(unsafe_code)]

mod built;
pub mod http;
pub mod wait;

pub use built::built;
