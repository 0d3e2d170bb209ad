//! The integration tests: one binary over real servers, `it/main.rs`.
