//! What `flash dev` can do for whoever develops.

use std::sync::Arc;

use anyhow::Result;
use flash_gateway::{Busy, Durability, Made, Simulated};
use flash_sim::Strategy;

use super::faults::Faults;
use super::simulations::{Ground, Simulations};
use super::{Servers, buyers_gateway};
use crate::args;
use crate::load::Trouble;

/// Simulations, and faults.
#[derive(Debug)]
pub(super) struct Workshop {
    simulations: Simulations,
    faults: Faults,
}

impl Workshop {
    pub(super) fn new(stack: &args::Stack, servers: &Servers<'_>, durability: Durability) -> Result<Self> {
        let (orders, trouble) = (servers.orders.clone(), Arc::<Trouble>::default());
        let ground = Ground {
            urls: servers.urls.clone(),
            orders: orders.clone(),
            gateway: buyers_gateway::options(stack, &servers.urls, durability)?,
            trouble: trouble.clone(),
        };
        Ok(Self { simulations: Simulations::on(ground), faults: Faults::new(stack, orders, trouble) })
    }

    /// Stops what still runs: the servers are about to go.
    pub(super) fn close(&self) {
        self.simulations.stop_all();
    }
}

impl flash_gateway::Workshop for Workshop {
    fn strategies(&self) -> Vec<&'static str> {
        Strategy::ALL.map(Strategy::name).to_vec()
    }

    fn simulate(&self, wanted: Simulated) -> Result<String, Busy> {
        self.simulations.begin(wanted)
    }

    fn simulation(&self, id: &str) -> Option<String> {
        self.simulations.show(id)
    }

    fn stop(&self, id: &str) -> bool {
        self.simulations.stop(id)
    }

    fn faults(&self) -> Vec<&'static str> {
        self.faults.names()
    }

    fn fault(&self, name: &'static str) -> Made {
        let faults = self.faults.clone();
        Box::pin(async move { faults.make(name).await })
    }
}
