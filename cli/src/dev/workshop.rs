//! What `flash dev` can do for whoever develops.

use std::sync::Arc;

use anyhow::Result;
use flash_gateway::{Busy, Durability, Made, Simulated};
use flash_sim::Strategy;

use super::Servers;
use super::buyers_gateway::BuyersGateway;
use super::faults::Faults;
use crate::args;
use crate::load::Trouble;

/// Simulations, and faults.
#[derive(Debug)]
pub(super) struct Workshop {
    /// Where buyers of `flash` go.
    gateway: BuyersGateway,
    /// What is wrong with them.
    trouble: Arc<Trouble>,
    faults: Faults,
}

impl Workshop {
    pub(super) fn new(stack: &args::Stack, servers: &Servers<'_>, durability: Durability) -> Result<Self> {
        let gateway = BuyersGateway::new(stack, servers, durability)?;
        let trouble = Arc::new(Trouble::default());
        let faults = Faults::new(stack, servers.orders.clone(), trouble.clone());
        Ok(Self { gateway, trouble, faults })
    }
}

impl flash_gateway::Workshop for Workshop {
    fn strategies(&self) -> Vec<&'static str> {
        Strategy::ALL.map(Strategy::name).to_vec()
    }

    fn simulate(&self, _: Simulated) -> Result<String, Busy> {
        Err(Busy("none".to_owned()))
    }

    fn simulation(&self, _: &str) -> Option<String> {
        None
    }

    fn stop(&self, _: &str) -> bool {
        false
    }

    fn faults(&self) -> Vec<&'static str> {
        self.faults.names()
    }

    fn fault(&self, name: &'static str) -> Made {
        let faults = self.faults.clone();
        Box::pin(async move { faults.make(name).await })
    }
}
