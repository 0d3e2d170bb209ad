//! Where the syncer works.

/// Where the syncer works. (Without `Debug`: the URLs hold passwords.)
#[derive(Clone)]
pub struct Config {
    /// PostgreSQL, migrated.
    pub postgres: String,
    /// The Redis whose journals are acknowledged.
    pub redis: String,
    /// What it is called by people who look at a broker's connections, or at the syncers.
    pub name: String,
}
