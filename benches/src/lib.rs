//! What several benchmarks share: the servers of a case, buyers, and how the processes are measured.

#![forbid(unsafe_code)]

pub mod buyers;
pub mod http;
pub mod journal;
pub mod machine;
pub mod mark;
pub mod meter;
pub mod threads;
pub mod world;
