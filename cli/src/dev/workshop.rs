//! What `flash dev` can do for whoever develops.

use flash_gateway::{Busy, Made, Simulated};
use flash_sim::Strategy;

/// Simulations, and faults.
#[derive(Debug, Default)]
pub(super) struct Workshop;

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
        Vec::new()
    }

    fn fault(&self, name: &'static str) -> Made {
        Box::pin(async move { Err(format!("{name} cannot be made here")) })
    }
}
