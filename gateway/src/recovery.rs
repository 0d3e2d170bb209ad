//! The recovery: brings sales back that Redis has forgotten, or may have forgotten the newest events of.
//!
//! A sale in doubt is fenced by the module, or gone. It goes on when PostgreSQL has everything that Redis and the queue have,
//! and then in its next epoch: as it stands, if Redis had everything that PostgreSQL has; rebuilt, if not. Every gateway
//! runs one; they take turns by a lease in PostgreSQL, and two at once are slower, not wrong: an epoch is sealed once.

mod doubts;
mod limits;
mod rebuild;
mod verdict;

use flash_client::{Backoff, Call, CallError, Client};
use flash_vault::{Vault, Wanted};
use flash_wire::key::sale_of;
use flash_wire::{Ack, COUNT_MAX, NextEpoch, Refusal, SaleStatus, Unfence};
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use self::doubts::Doubts;
use self::limits::*;
use self::rebuild::Rebuilding;
use self::verdict::{Known, Verdict};
use crate::phase::{Phase, reached};
use crate::relay::RelayHandle;

pub(crate) use self::limits::STOP_TIMEOUT;

/// Tells the recovery of sales that Redis does not have. Clones tell the same one.
#[derive(Debug, Clone)]
pub(crate) struct RecoveryHandle(mpsc::Sender<String>);

impl RecoveryHandle {
    /// PostgreSQL knows this sale, and Redis does not. (Where too many wait already, the next buyer asks again.)
    pub(crate) fn look_at(&self, sale: &str) {
        let _ = self.0.try_send(sale.to_owned());
    }
}

/// A handle, and the end that the recovery listens at.
pub(crate) fn handle() -> (RecoveryHandle, mpsc::Receiver<String>) {
    let (sender, receiver) = mpsc::channel(ASKED_MAX);
    (RecoveryHandle(sender), receiver)
}

/// One gateway's recovery.
pub(crate) struct Recovery {
    redis: Client,
    postgres: String,
    relay: RelayHandle,
    asked: mpsc::Receiver<String>,
    /// By this name the others know this gateway.
    name: String,
    doubts: Doubts,
    /// Of Redis, when it was last compared with PostgreSQL.
    generation: Option<u64>,
    /// When PostgreSQL was last asked for rejections, and when that last led to a rebuilding.
    rejections_asked: Option<Instant>,
    rejections_met: Option<Instant>,
}

/// Why a round, or a sale's recovery, broke off. It begins again.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Vault(#[from] flash_vault::Error),
    #[error(transparent)]
    Redis(#[from] CallError),
    #[error("Redis refused: {}", .0.code())]
    Refused(Refusal),
    #[error("a barrier has not come: {0}")]
    Barrier(String),
    #[error("PostgreSQL does not know the sale any more")]
    Gone,
    #[error("another gateway recovers the sale")]
    Another,
}

impl Trouble {
    /// Whether it has nothing to do with other sales.
    const fn is_of_one_sale(&self) -> bool {
        use CallError::{Failed, Invalid, Unreadable};
        matches!(self, Self::Refused(_) | Self::Gone | Self::Redis(Invalid { .. } | Failed { .. } | Unreadable(_)))
    }
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Recovery {
    pub(crate) fn new(redis: Client, postgres: String, relay: RelayHandle, asked: mpsc::Receiver<String>) -> Self {
        Self {
            redis,
            postgres,
            relay,
            asked,
            name: format!("gateway-{:016x}", rand::random::<u64>()),
            doubts: Doubts::default(),
            generation: None,
            rejections_asked: None,
            rejections_met: None,
        }
    }

    /// Recovers until the gateway stops.
    pub(crate) async fn run(mut self, mut phase: watch::Receiver<Phase>) {
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

    /// Works over one connection to PostgreSQL until there is trouble.
    async fn session(&mut self, backoff: &mut Backoff, said: &mut bool) -> Result<std::convert::Infallible, Trouble> {
        let mut vault = Vault::open(&self.postgres).await?;
        loop {
            self.look(&vault).await?;
            if self.doubts.need_barrier() {
                self.wait_for_barrier(&vault).await?;
                self.doubts.passed_barrier();
            }
            for sale in self.doubts.names(Instant::now()) {
                self.step(&mut vault, &sale).await?;
            }
            backoff.reset();
            *said = false;
            sleep(if self.doubts.is_empty() { LOOK_EVERY } else { WAIT_STEP }).await;
        }
    }

    /// Finds sales in doubt.
    async fn look(&mut self, vault: &Vault) -> Result<(), Trouble> {
        let ready = self.redis.call(Call::ready(COUNT_MAX)).await??;
        let fenced = ready.sales.iter().filter(|sale| sale.fenced);
        for sale in fenced.filter_map(|sale| sale_of(&sale.key)) {
            self.doubt(sale, "it is fenced");
        }
        if self.generation != Some(ready.generation) {
            self.look_at_all(vault).await?;
            self.generation = Some(ready.generation);
        }
        while let Ok(sale) = self.asked.try_recv() {
            self.doubt(&sale, "Redis does not have it");
        }
        self.look_at_rejections(vault).await
    }

    /// Compares the sales of PostgreSQL with those of Redis.
    async fn look_at_all(&mut self, vault: &Vault) -> Result<(), Trouble> {
        let mut last = String::new();
        loop {
            let page = flash_vault::sales_on_sale(vault.client(), &last, SALES_PER_PAGE).await?;
            let Some(newest) = page.last() else { return Ok(()) };
            last.clone_from(newest);
            let statuses = self.redis.calls(page.iter().map(|sale| Call::sale_status(sale)).collect()).await;
            for (sale, status) in page.iter().zip(statuses) {
                if matches!(status?, Err(Refusal::NotWarmed)) {
                    self.doubt(sale, "Redis does not have it");
                }
            }
        }
    }

    /// What PostgreSQL refused, Redis still counts as sold: it knows something that PostgreSQL does not, or the other way
    /// round, and what else is wrong cannot be told from here. So the sale is fenced, and rebuilt.
    async fn look_at_rejections(&mut self, vault: &Vault) -> Result<(), Trouble> {
        let now = Instant::now();
        let rests = |since: Option<Instant>, rest| since.is_some_and(|since| now.duration_since(since) < rest);
        if rests(self.rejections_asked, REJECTIONS_EVERY) || rests(self.rejections_met, REJECTIONS_REST) {
            return Ok(());
        }
        self.rejections_asked = Some(now);
        for sale in flash_vault::unsettled_sales(vault.client(), SALES_PER_PAGE).await? {
            self.rejections_met = Some(now);
            let fenced = self.redis.call(Call::fence(&sale)).await?;
            if fenced.is_ok() || fenced == Err(Refusal::NotWarmed) {
                self.doubt(&sale, "PostgreSQL has refused reservations that Redis counts as sold");
            }
            if let Some(doubt) = self.doubts.get_mut(&sale) {
                doubt.has_rejections = true;
            }
        }
        Ok(())
    }

    fn doubt(&mut self, sale: &str, why: &str) {
        if self.doubts.add(sale, Instant::now()) {
            tracing::warn!(sale, why, "a sale is in doubt: it sells nothing until it is known to be whole");
        }
    }

    /// Whoever was told of a doubt is told of its end.
    fn no_doubt(&mut self, sale: &str) {
        if let Some(since) = self.doubts.remove(sale) {
            let ms = since.elapsed().as_millis();
            tracing::warn!(sale, ms, "a sale is no longer in doubt");
        }
    }

    /// Waits until everything that is queued now is in PostgreSQL.
    async fn wait_for_barrier(&self, vault: &Vault) -> Result<(), Trouble> {
        let id = format!("{}-{:016x}", self.name, rand::random::<u64>());
        self.relay.barrier(&id).await.map_err(|error| Trouble::Barrier(error.to_string()))?;
        let arrival = async {
            while !flash_vault::has_barrier(vault.client(), &id).await? {
                sleep(WAIT_STEP).await;
            }
            Ok(())
        };
        let late =
            |_| Trouble::Barrier(format!("not in PostgreSQL within {BARRIER_WAIT_MS_MAX} ms; does a syncer run?"));
        timeout(std::time::Duration::from_millis(BARRIER_WAIT_MS_MAX), arrival).await.map_err(late)?
    }

    /// Does the next thing for one sale, unless another gateway does.
    async fn step(&mut self, vault: &mut Vault, sale: &str) -> Result<(), Trouble> {
        if !flash_vault::lease_recovery(vault.client(), sale, &self.name).await? {
            return Ok(());
        }
        let done = self.try_step(vault, sale).await;
        flash_vault::end_recovery(vault.client(), sale, &self.name).await?;
        match done {
            Ok(true) => self.no_doubt(sale),
            Ok(false) | Err(Trouble::Another) => {}
            Err(trouble) if trouble.is_of_one_sale() => {
                if self.doubts.rest(sale, Instant::now()) {
                    tracing::error!(sale, %trouble, "a sale cannot be brought back; it stays fenced, and is tried again");
                }
            }
            Err(trouble) => return Err(trouble),
        }
        Ok(())
    }

    /// Whether nothing is left to do.
    async fn try_step(&mut self, vault: &mut Vault, sale: &str) -> Result<bool, Trouble> {
        let status = match self.redis.call(Call::sale_status(sale)).await? {
            Ok(status) => Some(status),
            Err(Refusal::NotWarmed) => None,
            Err(refusal) => return Err(refusal.into()),
        };
        let epoch = status.as_ref().map_or(0, |status| status.epoch);
        let life = flash_vault::life(vault.client(), sale, epoch).await?;
        let sold = flash_vault::sold_units(vault.client(), sale).await?;
        let has_rejections = self.doubts.get_mut(sale).is_some_and(|doubt| doubt.has_rejections);
        let known = Known { status: status.as_ref(), life: life.as_ref(), sold: &sold, has_rejections };
        let newest = life.as_ref().map_or(0, |life| life.epoch);
        let seq = status.as_ref().map_or(0, |status| status.seq);
        let (next, rebuilt) = match (known.verdict(), &status) {
            (Verdict::Done, _) => return Ok(true),
            (Verdict::Unfence, Some(status)) => return self.unfence(sale, status, None).await,
            (Verdict::GoOn(next), Some(status)) => (self.go_on(sale, status, next).await?, None),
            (Verdict::Seal, Some(status)) => {
                let Some(next) = vault.seal(sale, epoch, Wanted::Exactly(seq)).await? else { return Ok(false) };
                (self.go_on(sale, status, next).await?, None)
            }
            (Verdict::Rebuild, _) => {
                let Some(next) = vault.seal(sale, newest, Wanted::Anywhere(seq)).await? else { return Ok(false) };
                let rebuilding = Rebuilding { redis: &self.redis, vault, gateway: &self.name, sale, next };
                (next, Some(rebuilding.run().await?))
            }
            (Verdict::Wait | Verdict::Unfence | Verdict::GoOn(_) | Verdict::Seal, _) => return Ok(false),
        };
        tracing::info!(sale, epoch = next.epoch, rebuilt, "a sale begins its next epoch");
        Ok(true)
    }

    /// Lets a whole sale go on in its next epoch. Its journal is empty by then: PostgreSQL has all of it.
    async fn go_on(&self, sale: &str, status: &SaleStatus<'_>, next: NextEpoch) -> Result<NextEpoch, Trouble> {
        self.redis.call(Call::ack(sale, Ack { epoch: status.epoch, seq: status.seq })).await??;
        self.unfence(sale, status, Some(next)).await?;
        Ok(next)
    }

    async fn unfence(&self, sale: &str, status: &SaleStatus<'_>, next: Option<NextEpoch>) -> Result<bool, Trouble> {
        let unfence = Unfence { epoch: status.epoch, seq: status.seq, next, attempt: None, expected: None };
        self.redis.call(Call::unfence(sale, &unfence)).await??;
        Ok(true)
    }
}
