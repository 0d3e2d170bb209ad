//! The servers of `flash dev`, and what they cost.

use std::time::Duration;

use flash_servers::usage;

use crate::stack::Urls;
use crate::{buyers, shop};

/// Where the servers are, and the processes of those that are ours.
pub(super) struct Measured {
    pub(super) urls: Urls,
    pub(super) pids: Vec<(&'static str, u32)>,
    /// Whether a shop is between buyers and the other ways to sell.
    pub(super) has_shops: bool,
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
        let ours = usage::cpu_of_threads(|name| ![buyers::THREAD, shop::THREAD].contains(&name));
        let shop = self.has_shops.then(|| ("shop", usage::cpu_of_threads(|name| name == shop::THREAD)));
        servers.chain([("gateway and syncer", ours)]).chain(shop).collect()
    }
}
