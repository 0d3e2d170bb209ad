//! The servers of `flash dev`, and what they cost.

use std::time::Duration;

use flash_servers::usage;

use crate::buyers;
use crate::dev::Urls;

/// Where the servers are, and the processes of those that are ours.
pub(super) struct Measured {
    pub(super) urls: Urls,
    pub(super) pids: Vec<(&'static str, u32)>,
}

impl flash_sim::Servers for Measured {
    fn redis(&self) -> &str {
        &self.urls.redis
    }

    fn postgres(&self) -> &str {
        &self.urls.postgres
    }

    fn cpu(&self) -> Vec<(&'static str, Duration)> {
        let servers = self.pids.iter().map(|(name, pid)| (*name, usage::cpu(*pid)));
        servers.chain([("gateway and syncer", usage::cpu_of_threads(|name| name != buyers::THREAD))]).collect()
    }
}
