//! What `flash dev` can do for developers.

use std::sync::Arc;

use anyhow::Result;
use flash_client::Durability;
use flash_gateway::{Busy, Made, Simulated};
use flash_sim::Strategy;

use super::buyers_gateway::BuyersGateway;
use super::faults::Faults;
use super::simulations::{Ground, Simulations};
use crate::args;
use crate::load::Trouble;
use crate::stack::Servers;

/// Simulations, and faults.
#[derive(Debug)]
pub(super) struct Devtools {
    simulations: Simulations,
    faults: Faults,
}

impl Devtools {
    pub(super) fn new(stack: &args::Stack, servers: &Servers<'_>, durability: Durability) -> Result<Self> {
        let trouble = Arc::<Trouble>::default();
        let gateway = BuyersGateway::new(stack, servers, durability)?;
        let ground = Ground { urls: servers.urls.clone(), gateway, trouble: trouble.clone() };
        let faults = Faults::new(stack, servers.orders.clone(), trouble);
        Ok(Self { simulations: Simulations::on(ground), faults })
    }

    /// Stops what still runs: the servers are about to go.
    pub(super) fn close(&self) {
        self.simulations.stop_all();
    }
}

impl flash_gateway::Devtools for Devtools {
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
        let (faults, is_running) = (self.faults.clone(), self.simulations.is_running());
        Box::pin(async move { faults.make(name, is_running).await })
    }
}
