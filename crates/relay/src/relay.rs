//! One gateway's relay: rounds over the sales that have events.

use std::time::Duration;

use flash_client::{Backoff, Call, CallError, Client};
use flash_plan::{Journal, Plan};
use flash_transport::{Fault, Publisher, Transport, Window};
use flash_wire::key::sale_of;
use flash_wire::{Pull, ReadySale, Refusal};
use flash_worker::{Phase, reached};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::handle::{BarrierWish, Wishes};
use crate::limits::*;
use crate::link::{Cargo, Happened, Link};
use crate::run::runs;

/// Relays the sales that `redis` has, in messages of at most `run_max` events (1 to [`RUN_EVENTS_MAX`]), until the
/// gateway has stopped and everything is sent.
///
/// Where a bug ends the relay, a new one goes on from what is acknowledged: without any, the gateway would sell until
/// the journals are full.
pub async fn relay<T: Transport>(
    redis: Client,
    transport: T,
    run_max: u64,
    wishes: Wishes,
    phase: watch::Receiver<Phase>,
) {
    loop {
        let relay = Relay::new(redis.clone(), transport.clone(), run_max, wishes.clone());
        let Err(panicked) = tokio::spawn(relay.run(phase.clone())).await else { return };
        tracing::error!(%panicked, "the relay ended by a bug of the gateway; it begins again");
        sleep(RESTART_WAIT).await;
    }
}

/// One gateway's relay.
struct Relay<T: Transport> {
    redis: Client,
    link: Link<T>,
    /// Its leases are under this name: no two relays may share it.
    name: String,
    /// Events that one message carries at most.
    run_max: u64,
    plan: Plan,
    wishes: Wishes,
    backoff: Backoff,
    started: Instant,
    /// Whether something waits for room in the window of confirms.
    full: bool,
    /// Whether Redis answered last, as far as was logged.
    redis_is_up: bool,
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
enum RoundError {
    #[error(transparent)]
    Redis(#[from] CallError),
    #[error(transparent)]
    Transport(#[from] flash_transport::Error),
}

/// Whether there is more to do at once.
type More = bool;

impl<T: Transport> Relay<T> {
    /// A relay of the sales that `redis` has. A gateway that makes events wakes it.
    fn new(redis: Client, transport: T, run_max: u64, wishes: Wishes) -> Self {
        let name = format!("gateway-{:016x}", rand::random::<u64>());
        Self {
            redis,
            link: Link::new(transport, name.clone(), wishes.is_connected.clone()),
            name,
            run_max,
            plan: Plan::default(),
            wishes,
            backoff: Backoff::new(RETRY_MS, RETRY_MS_MAX),
            started: Instant::now(),
            full: false,
            redis_is_up: true,
        }
    }

    /// Relays until the gateway has stopped and everything is sent.
    async fn run(mut self, mut phase: watch::Receiver<Phase>) {
        tokio::select! {
            () = self.relay() => {}
            () = reached(&mut phase, Phase::Flushing) => {}
        }
        if timeout(Duration::from_millis(FLUSH_TIMEOUT_MS), self.flush()).await.is_err() {
            tracing::warn!("stopped before all was confirmed; another relay sends it again");
        }
        let _ = timeout(Duration::from_millis(CLOSE_TIMEOUT_MS), self.link.close()).await;
    }

    /// Does not end.
    async fn relay(&mut self) {
        self.redis.connected().await;
        let wake = self.wishes.wake.clone();
        let barriers = self.wishes.barriers.clone();
        let mut barriers = barriers.lock().await;
        let mut next = Instant::now();
        let mut woken = false;
        loop {
            tokio::select! {
                happened = self.link.next() => {
                    let waits = self.full && happened == Happened::Confirmed;
                    if waits || matches!(happened, Happened::Connected | Happened::Began) {
                        next = Instant::now();
                    }
                    self.learn(happened);
                }
                () = wake.notified(), if !woken => {
                    woken = true;
                    next = next.min(Instant::now() + Duration::from_millis(LINGER_MS));
                }
                Some(barrier) = barriers.recv(), if self.has_room() => self.mark(barrier).await,
                () = sleep_until(next) => {
                    next = Instant::now() + self.round().await;
                    woken = false;
                }
            }
        }
    }

    /// Sends what is there, and waits until it is confirmed.
    async fn flush(&mut self) {
        while self.link.window().is_some() {
            let rest = self.round().await;
            if self.link.window().is_some_and(|window| !window.is_idle()) {
                let happened = self.link.next().await;
                self.learn(happened);
            } else if !rest.is_zero() {
                return;
            }
        }
    }

    /// One round over the sales that are ready. Answers how long to rest.
    async fn round(&mut self) -> Duration {
        match self.try_round().await {
            Ok(more) => {
                self.backoff.reset();
                self.redis_is_up = true;
                if more { Duration::ZERO } else { Duration::from_millis(IDLE_MS) }
            }
            Err(RoundError::Transport(error)) => {
                let happened = self.link.failed(&error.to_string(), None);
                self.learn(happened);
                Duration::from_millis(IDLE_MS)
            }
            Err(RoundError::Redis(error)) => {
                if std::mem::take(&mut self.redis_is_up) {
                    tracing::warn!(%error, "the relay cannot read the journals; it tries again");
                }
                self.backoff.wait()
            }
        }
    }

    async fn try_round(&mut self) -> Result<More, RoundError> {
        if self.link.window().is_some_and(|window| !window.publisher().is_connected()) {
            return Err(flash_transport::Error::from(Fault::Closed).into());
        }
        let Ok(ready) = self.redis.call(Call::ready(READY_SALES)).await? else { return Ok(false) };
        // A key that no program of ours made is some redis-cli user's own affair.
        let sales: Vec<_> = ready.sales.iter().filter_map(|sale| Some((sale_of(&sale.key)?, sale))).collect();
        self.plan.forget_done(self.now_ms());
        let mut more = reap(&self.redis, &sales).await;
        self.full = false;
        for (sale, journal) in sales {
            more |= self.send(sale, journal).await?;
        }
        Ok(more)
    }

    /// Sends the next run of one sale's events.
    async fn send(&mut self, sale: &str, ready: &ReadySale) -> Result<More, RoundError> {
        let journal = Journal { sale, epoch: ready.epoch, acked: ready.acked, head: ready.head };
        let now_ms = self.now_ms();
        let Some(window) = self.link.window() else { return Ok(false) };
        let Some(after) = self.plan.next(journal, now_ms) else { return Ok(false) };
        if !window.has_room() {
            self.full = true;
            return Ok(false);
        }
        let pull = Pull { relay: &self.name, lease_ms: LEASE_MS, after: Some(after), count: RUN_EVENTS_MAX };
        let pulled = match self.redis.call(Call::pull(sale, &pull)).await? {
            Ok(pulled) => pulled,
            Err(refusal) => {
                self.plan.rest(sale, now_ms + rest_ms(refusal));
                return Ok(false);
            }
        };
        let runs = match runs(sale, after, &pulled, self.run_max, flash_worker::now_ms()) {
            Ok(runs) => runs,
            Err(error) => {
                tracing::error!(sale, %error, "a journal is not relayed");
                self.plan.rest(sale, now_ms + UNREADABLE_MS);
                return Ok(false);
            }
        };
        // None, if another relay has sent all of it and PostgreSQL has it already.
        let mut sent = after;
        for mut run in runs {
            run.outgoing.trace = self.wishes.traces.take(sale, &(sent + 1..=run.last), &run.ends);
            self.link.publish(Cargo::Events(sale.to_owned()), &run.outgoing).await?;
            sent = run.last;
            self.plan.sent(sale, ready.epoch, sent, now_ms);
        }
        Ok(sent > after && sent < pulled.head)
    }

    fn has_room(&self) -> bool {
        self.link.window().is_some_and(Window::has_room)
    }

    /// Publishes a barrier, unless its caller has stopped waiting.
    async fn mark(&mut self, barrier: BarrierWish) {
        if self.link.window().is_none() || barrier.confirmed.is_closed() {
            return;
        }
        if let Err(error) = self.link.publish(Cargo::Barrier(barrier.confirmed), &barrier.outgoing).await {
            let happened = self.link.failed(&error.to_string(), None);
            self.learn(happened);
        }
    }

    /// Draws the conclusion from what happened on the way.
    fn learn(&mut self, happened: Happened) {
        match happened {
            Happened::Connected | Happened::Confirmed => {}
            Happened::Began => self.plan.forget_all(),
            Happened::Failed(sales) => sales.iter().for_each(|sale| self.plan.forget(sale)),
        }
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Expires due holds. What it expires is a reason to look at once, for it is to be relayed. What it cannot expire (the
/// sale is gone, or fenced; Redis may not write) is no reason not to relay.
async fn reap(redis: &Client, sales: &[(&str, &ReadySale)]) -> More {
    let due = sales.iter().filter(|(_, sale)| sale.due);
    let calls = due.map(|(sale, _)| Call::reap(sale, REAP_HOLDS)).collect();
    let outcomes = redis.calls(calls).await;
    outcomes.iter().any(|outcome| matches!(outcome, Ok(Ok(answer)) if answer.expired > 0))
}

/// How long a sale is left alone that is not to be pulled.
fn rest_ms(refusal: Refusal) -> u64 {
    match refusal {
        // By Redis' clock: where ours is another, the bounds keep the rest reasonable.
        Refusal::Leased { until_ms } => until_ms.saturating_sub(flash_worker::now_ms()).clamp(IDLE_MS, LEASE_MS),
        _ => LEASE_MS,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A dead relay's lease runs out within its own length, and a relay that waits for it looks again within as much.
    #[test]
    fn a_sale_of_another_relay_is_looked_at_again_within_a_lease() {
        let now_ms = flash_worker::now_ms();
        for until_ms in [0, now_ms, now_ms + 100, now_ms + LEASE_MS, now_ms + 60_000, u64::MAX] {
            let rest_ms = rest_ms(Refusal::Leased { until_ms });
            assert!((IDLE_MS..=LEASE_MS).contains(&rest_ms), "until {until_ms}: {rest_ms}");
        }
    }
}
