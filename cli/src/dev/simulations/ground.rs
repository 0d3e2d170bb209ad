//! Where simulations take place: the servers of `flash dev`, and a gateway for the buyers alone.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use flash_gateway::Simulated;
use flash_sim::{Crowd, Live, Outcome, Sale, Seller, SellerFactory, Servers, Strategy};
use tokio::sync::watch as signal;
use tokio::task::JoinSet;

use super::record::Record;
use super::watch::watch;
use crate::args::REPEAT_PERCENT;
use crate::dev::buyers_gateway::BuyersGateway;
use crate::load::{Street, Trouble};
use crate::sim::{over_http, sale_id};
use crate::stack::Urls;

/// What all simulations need.
#[derive(Clone)]
pub(crate) struct Ground {
    pub(crate) urls: Urls,
    /// Where buyers of `flash` come.
    pub(crate) gateway: BuyersGateway,
    /// What goes wrong on the buyers' side.
    pub(crate) trouble: Arc<Trouble>,
}

impl std::fmt::Debug for Ground {
    /// The URLs have passwords in them.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Ground")
    }
}

impl Ground {
    /// Sells by each of the ways, to the same buyers at the same times, until it must stop.
    pub(super) async fn simulate(
        &self,
        wanted: &Simulated,
        seed: u64,
        record: &Arc<Record>,
        stop: signal::Receiver<bool>,
    ) -> Result<()> {
        let Simulated { buyers, rate: requests_per_s, .. } = *wanted;
        let crowd = Crowd { buyers, repeat_percent: REPEAT_PERCENT, requests_per_s, seed };
        for strategy in wanted.strategies.iter().filter_map(|name| Strategy::named(name)) {
            if *stop.borrow() {
                break;
            }
            record.begin(strategy, &crowd);
            let live = Live::new()?;
            match self.sell(strategy, wanted, &crowd, (record, &live), stop.clone()).await {
                Ok(outcome) => record.done(&outcome, *stop.borrow()),
                Err(error) => record.failed(strategy, &live.look(), &error),
            }
        }
        Ok(())
    }

    async fn sell(
        &self,
        strategy: Strategy,
        wanted: &Simulated,
        crowd: &Crowd,
        (record, live): (&Arc<Record>, &Live),
        mut stop: signal::Receiver<bool>,
    ) -> Result<Outcome> {
        let Simulated { units, concurrency, .. } = *wanted;
        let sale = Sale { strategy, id: sale_id(strategy), units, concurrency };
        let street = Street::new(self.trouble.clone());
        let open = async |factory: SellerFactory, keeper: &mut Seller| {
            let looks_by = factory.keeper().await?;
            let (visitors, shop) = over_http::open(factory, keeper, self.gateway.ready(), &street, live).await?;
            // Ends with the door.
            let mut watching = JoinSet::new();
            watching.spawn(watch(looks_by, live.clone(), record.clone()));
            Ok((visitors, (shop, watching)))
        };
        let stopped = async {
            // No caller is left that could stop it: then it ends, too.
            let _ = stop.wait_for(|stop| *stop).await;
        };
        flash_sim::run(&Unmeasured(&self.urls), &sale, crowd, live, open, stopped).await
    }
}

/// The servers, without what they cost: they work for the console at the same time.
struct Unmeasured<'a>(&'a Urls);

impl Servers for Unmeasured<'_> {
    fn redis(&self) -> &str {
        &self.0.redis
    }

    fn postgres(&self) -> &str {
        &self.0.postgres
    }

    fn cpu(&self) -> Vec<(&'static str, Duration)> {
        Vec::new()
    }
}
