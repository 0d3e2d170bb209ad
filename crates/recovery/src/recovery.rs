//! The recovery: brings sales back that Redis has forgotten, or may have forgotten the newest events of, and those of
//! which PostgreSQL has.
//!
//! What becomes of one sale is decided in `flash_plan`, without I/O; here are the servers, and the search for sales
//! in doubt. Every gateway runs one recovery. They take turns at a sale by a lease in PostgreSQL; each attempt has a
//! term, and what an attempt says after a later one has begun changes nothing.

use std::convert::Infallible;
use std::time::Duration;

use flash_client::{Backoff, Client};
use flash_plan::{Action, Setback};
use flash_relay::RelayHandle;
use flash_wire::Refusal;
use flash_worker::{Phase, reached};
use futures_util::StreamExt;
use futures_util::stream;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::barriers::Barriers;
use crate::doubts::{Doubt, Doubts};
use crate::handle::Asked;
use crate::limits::*;
use crate::look::Looks;
use crate::steps::Servers;
use crate::trouble::Trouble;
use crate::vaults::Vaults;

/// One gateway's recovery.
pub struct Recovery {
    redis: Client,
    postgres: String,
    relay: RelayHandle,
    /// By this name the others know this gateway.
    name: String,
    doubts: Doubts,
    barriers: Barriers,
    looks: Looks,
    started: Instant,
}

impl Recovery {
    /// A recovery of the sales that `redis` and `postgres`, a URL, have. It publishes barriers through `relay`.
    #[must_use]
    pub fn new(redis: Client, postgres: String, relay: RelayHandle, asked: Asked) -> Self {
        Self {
            redis,
            postgres,
            relay,
            name: format!("gateway-{:016x}", rand::random::<u64>()),
            doubts: Doubts::default(),
            barriers: Barriers::default(),
            looks: Looks::new(asked),
            started: Instant::now(),
        }
    }

    /// Recovers until the gateway stops.
    pub async fn run(mut self, mut phase: watch::Receiver<Phase>) {
        tokio::select! {
            () = self.recover() => {}
            () = reached(&mut phase, Phase::Stopping) => {}
        }
    }

    /// Does not end.
    async fn recover(&mut self) {
        let mut backoff = Backoff::new(RETRY_MS, RETRY_MS_MAX);
        let mut said = false;
        loop {
            self.redis.connected().await;
            let Err(trouble) = self.session(&mut backoff, &mut said).await;
            if !std::mem::replace(&mut said, true) {
                tracing::warn!(%trouble, "the recovery cannot compare Redis with PostgreSQL; it tries again");
            }
            sleep(backoff.wait()).await;
        }
    }

    /// Works over one connection to PostgreSQL until there is trouble with it or with Redis.
    async fn session(&mut self, backoff: &mut Backoff, said: &mut bool) -> Result<Infallible, Trouble> {
        let mut servers = Servers {
            redis: self.redis.clone(),
            postgres: flash_vault::connect_to_write(&self.postgres).await?,
            vaults: Vaults::open(&self.postgres).await?,
            gateway: self.name.clone(),
            unsettled: std::collections::BTreeSet::new(),
        };
        self.looks.begin_anew();
        loop {
            self.looks.look(&mut servers, &mut self.doubts).await?;
            self.round(&servers).await?;
            backoff.reset();
            *said = false;
            let is_busy = self.doubts.are_busy(self.now_ms());
            sleep(if is_busy { ROUND_REST } else { Duration::from_millis(LOOK_EVERY_MS) }).await;
        }
    }

    /// Each sale goes as far as it can without a rest or a barrier.
    async fn round(&mut self, servers: &Servers) -> Result<(), Trouble> {
        let clock = Clock(self.started);
        let steps = self.doubts.iter_mut().map(|(sale, doubt)| advance(servers, clock, sale, doubt));
        stream::iter(steps).buffer_unordered(SALES_AT_ONCE_MAX).collect::<()>().await;
        self.doubts.forget_over();
        let waiting = self.doubts.waiting(clock.now_ms());
        let (barrier, passed) = self.barriers.pass(&self.relay, &servers.postgres, waiting).await?;
        for (sale, attempt) in passed {
            let now_ms = clock.now_ms();
            // A sale that was fenced again since waits for another one.
            if let Some(doubt) = self.doubts.get_mut(&sale)
                && doubt.recovery.next(now_ms) == Action::Barrier(attempt)
            {
                doubt.recovery.learn(now_ms, Ok(flash_plan::Answer::Passed { barrier }));
            }
        }
        Ok(())
    }

    fn now_ms(&self) -> u64 {
        Clock(self.started).now_ms()
    }
}

/// Milliseconds since the gateway started: a clock that never goes back.
#[derive(Debug, Clone, Copy)]
struct Clock(Instant);

impl Clock {
    fn now_ms(self) -> u64 {
        u64::try_from(self.0.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Takes the steps of one sale's recovery until it rests, is over, or waits for a barrier.
async fn advance(servers: &Servers, clock: Clock, sale: &str, doubt: &mut Doubt) {
    loop {
        let action = doubt.recovery.next(clock.now_ms());
        let (is_first, is_fence) = (matches!(action, Action::Take { .. }), matches!(action, Action::Fence { .. }));
        let outcome = match action {
            Action::Rest { .. } | Action::Over | Action::Barrier(_) => return,
            action => servers.carry_out(sale, action).await,
        };
        if is_first && outcome.is_ok() {
            doubt.begin(sale);
        }
        let outcome = outcome.map_err(|trouble| {
            let setback = trouble.setback();
            let is_expected = is_fence && setback == Setback::Refused(Refusal::Fenced);
            if matches!(setback, Setback::Failed | Setback::Refused(_)) && !is_expected {
                doubt.fail(sale, &trouble);
            }
            setback
        });
        doubt.recovery.learn(clock.now_ms(), outcome);
    }
}
