//! The integration tests are in `it/`: one binary over real servers.

#![forbid(unsafe_code)]
