//! The benchmarks are in `benches/`.

#![forbid(unsafe_code)]
