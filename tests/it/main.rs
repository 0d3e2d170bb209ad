//! The integration tests: one binary over real servers.

mod tidy;
