//! The sweep: what has not come to PostgreSQL for too long, though it was decided, is written there straight from the
//! journal.
//!
//! The transport is the faster way, never the only one. A broker whose disk is full, a queue that does not answer,
//! syncers that were all forgotten: the journals have everything, and the vault takes it from anyone, any number of
//! times.

mod stalls;

use std::time::Duration;

use flash_client::{Call, Client};
use flash_vault::Vault;
use flash_wire::key::sale_of;
use flash_wire::message::UnreadableJournal;
use flash_wire::{Ack, COUNT_MAX, Event, Message, Pull, PullAnswer};
use flash_worker::{Phase, reached};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use self::stalls::Stalls;
use crate::limits::SWEEP_LOOK_EVERY;
use crate::trouble::Trouble;

/// Looks at a journal, and takes no lease: the relay has that.
const LOOK_ONLY_MS: u64 = 0;

/// One gateway's sweep.
pub struct Sweep {
    redis: Client,
    postgres: String,
    stalls: Stalls,
    /// Whether something is wrong, as far as was logged.
    said: bool,
}

impl Sweep {
    /// Of the journals that `redis` has, into `postgres`, a URL. `after`: how long a journal may show no progress.
    #[must_use]
    pub fn new(redis: Client, postgres: String, after: Duration) -> Self {
        Self { redis, postgres, stalls: Stalls::new(after), said: false }
    }

    /// Sweeps until the gateway stops.
    pub async fn run(mut self, mut phase: watch::Receiver<Phase>) {
        tokio::select! {
            () = self.sweep_always() => {}
            () = reached(&mut phase, Phase::Stopping) => {}
        }
    }

    /// Does not end.
    async fn sweep_always(&mut self) {
        loop {
            sleep(SWEEP_LOOK_EVERY).await;
            match self.round().await {
                // Who has paused the syncers wants nothing to be written.
                Ok(()) | Err(Trouble::Vault(flash_vault::Error::Paused)) => self.said = false,
                Err(trouble) if !std::mem::replace(&mut self.said, true) => {
                    tracing::warn!(%trouble, "journals that wait cannot be swept; it is tried again");
                }
                Err(_) => {}
            }
        }
    }

    async fn round(&mut self) -> Result<(), Trouble> {
        let ready = self.redis.call(Call::ready(COUNT_MAX)).await??;
        let stalled = self.stalls.look(&ready.sales, Instant::now());
        if stalled.is_empty() {
            return Ok(());
        }
        let mut vault = Vault::open(&self.postgres).await?;
        let mut first = Ok(());
        for key in stalled {
            let Some(sale) = sale_of(&key) else { continue };
            match self.sweep(&mut vault, sale).await {
                Ok(events) => tracing::warn!(
                    sale,
                    events,
                    "its journal waited too long: it was written to PostgreSQL past the transport"
                ),
                Err(trouble) if trouble.is_of_one_sale() => {
                    first = first.and(Err(Trouble::OneSale { sale: sale.to_owned(), trouble: trouble.into() }));
                }
                Err(trouble) => return Err(trouble),
            }
        }
        first
    }

    /// Writes one journal from what is acknowledged to its end.
    async fn sweep(&self, vault: &mut Vault, sale: &str) -> Result<u64, Trouble> {
        let mut events = 0;
        loop {
            let pull = Pull { relay: "sweep", lease_ms: LOOK_ONLY_MS, after: None, count: COUNT_MAX };
            let pulled = self.redis.call(Call::pull(sale, &pull)).await??;
            let messages = messages(sale, &pulled)?;
            if messages.is_empty() {
                return Ok(events);
            }
            let heads = vault.write(&messages).await?;
            let before = events;
            for head in heads.iter().filter(|head| head.epoch == pulled.epoch) {
                self.redis.call(Call::ack(sale, Ack { epoch: head.epoch, seq: head.seq })).await??;
                events += pulled.events.len() as u64;
            }
            // Without an acknowledgement the next look would show the same.
            if events == before {
                return Ok(events);
            }
        }
    }
}

/// What was pulled as messages of one epoch each.
fn messages<'a>(sale: &'a str, pulled: &'a PullAnswer) -> Result<Vec<Message<'a>>, UnreadableJournal> {
    let events: Vec<Event> = pulled.events.iter().map(|bytes| Event::decode(bytes)).collect::<Result<_, _>>()?;
    let epochs = events.chunk_by(|one, next| one.epoch == next.epoch);
    let message = |epoch: &[Event<'a>]| {
        let number = epoch.first().map_or(0, |event| event.epoch);
        Message::new(sale, number, &pulled.skus, epoch)
    };
    Ok(epochs.map(message).collect::<Result<_, _>>()?)
}
