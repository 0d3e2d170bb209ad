//! The servers that a run uses.

use std::time::Duration;

/// Where the servers are, and what they have used up.
pub trait Servers {
    /// The URL of a Redis with the module.
    fn redis(&self) -> &str;
    /// The URL of a PostgreSQL that a syncer writes orders to.
    fn postgres(&self) -> &str;
    /// CPU time of each server so far, by its name.
    fn cpu(&self) -> Vec<(&'static str, Duration)>;
}
