//! Payments follow their orders: what was paid for a reservation that is confirmed is settled, and what was paid for
//! any other is given back.
//!
//! A confirmation only debits. The order in PostgreSQL decides what becomes of the debit, so it does not matter
//! whether that gateway died afterwards, or which answer it got; and any number of gateways may do it.

use std::convert::Infallible;

use flash_client::{Backoff, Client};
use flash_vault::{Followed, follow_orders};
use flash_worker::{Phase, reached};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::limits::{LOOK_EVERY, PAYMENTS_PER_LOOK_MAX, RETRY_MS, RETRY_MS_MAX, UNMADE_LOOK_EVERY};
use crate::unmade::owe_unmade;

/// One gateway's part in it.
pub struct Payments {
    redis: Client,
    postgres: String,
}

impl Payments {
    /// Of the orders in `postgres`, a URL, whose reservations `redis` makes.
    #[must_use]
    pub const fn new(redis: Client, postgres: String) -> Self {
        Self { redis, postgres }
    }

    /// Goes on until the gateway stops.
    pub async fn run(self, mut phase: watch::Receiver<Phase>) {
        tokio::select! {
            () = self.follow() => {}
            () = reached(&mut phase, Phase::Stopping) => {}
        }
    }

    /// Does not end.
    async fn follow(&self) {
        let mut backoff = Backoff::new(RETRY_MS, RETRY_MS_MAX);
        let mut said = false;
        loop {
            let Err(error) = self.session(&mut backoff, &mut said).await;
            if !std::mem::replace(&mut said, true) {
                tracing::warn!(%error, "payments cannot follow their orders; it is tried again");
            }
            sleep(backoff.wait()).await;
        }
    }

    /// Works over one connection until there is trouble.
    async fn session(&self, backoff: &mut Backoff, said: &mut bool) -> Result<Infallible, flash_vault::Error> {
        let client = flash_vault::connect_to_write(&self.postgres).await?;
        let mut unmade_at = Instant::now();
        loop {
            let followed = follow_orders(&client, PAYMENTS_PER_LOOK_MAX).await?;
            if followed != Followed::default() {
                let Followed { settled, refunded, refund_due } = followed;
                tracing::debug!(settled, refunded, refund_due, "payments followed their orders");
            }
            if unmade_at <= Instant::now() {
                unmade_at = Instant::now() + UNMADE_LOOK_EVERY;
                let owed = owe_unmade(&self.redis, &client).await?;
                if owed > 0 {
                    tracing::warn!(owed, "payments name reservations that were never made: they are to be refunded");
                }
            }
            backoff.reset();
            *said = false;
            sleep(LOOK_EVERY).await;
        }
    }
}
