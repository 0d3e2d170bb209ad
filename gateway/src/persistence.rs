//! Who waits for PostgreSQL: on each thread, one look at a sale's journal serves all who wait for it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flash_client::{Call, Client};
use flash_worker::{Phase, reached};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::time::{sleep, timeout};

use crate::limits::{ASK_AFTER_WAIT_MAX, WAIT_LOOK_MS, WAITERS_MAX};

/// The waits of one thread.
#[derive(Debug)]
pub(crate) struct Waits {
    redis: Client,
    /// How far each sale that somebody waits for is acknowledged.
    sales: Mutex<HashMap<String, watch::Sender<u64>>>,
    places: Semaphore,
    turns: Semaphore,
}

impl Waits {
    /// No caller waits yet.
    pub(crate) fn new(redis: Client) -> Arc<Self> {
        let (places, turns) = (Semaphore::new(WAITERS_MAX), Semaphore::new(ASK_AFTER_WAIT_MAX));
        Arc::new(Self { redis, sales: Mutex::default(), places, turns })
    }

    /// A place to wait in; none: too many wait.
    pub(crate) fn place(&self) -> Option<SemaphorePermit<'_>> {
        self.places.try_acquire().ok()
    }

    /// Waits until PostgreSQL has acknowledged `seq` of a sale, until `limit` is over, or the gateway stops. Those who
    /// have waited for one batch are all told at once: what this gives is the turn to ask PostgreSQL.
    pub(crate) async fn until(
        self: &Arc<Self>,
        sale: &str,
        seq: u64,
        limit: Duration,
        mut phase: watch::Receiver<Phase>,
    ) -> Option<SemaphorePermit<'_>> {
        let mut acked = self.watch(sale);
        tokio::select! {
            _ = timeout(limit, acked.wait_for(|acked| *acked >= seq)) => {}
            () = reached(&mut phase, Phase::Stopping) => {}
        }
        // The semaphore is never closed.
        self.turns.acquire().await.ok()
    }

    fn watch(self: &Arc<Self>, sale: &str) -> watch::Receiver<u64> {
        let mut sales = self.sales.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = sales.get(sale) {
            return watched.subscribe();
        }
        let (sender, receiver) = watch::channel(0);
        sales.insert(sale.to_owned(), sender);
        drop(tokio::spawn(self.clone().look(sale.to_owned())));
        receiver
    }

    /// Looks until no caller waits any more.
    async fn look(self: Arc<Self>, sale: String) {
        while self.is_waited_for(&sale) {
            // Where there is no answer, there will be one, or the wait ends.
            if let Ok(Ok(status)) = self.redis.call(Call::sale_status(&sale)).await {
                self.tell(&sale, status.acked);
            }
            sleep(Duration::from_millis(WAIT_LOOK_MS)).await;
        }
    }

    /// Forgets a sale without waiting callers, in the same step.
    fn is_waited_for(&self, sale: &str) -> bool {
        let mut sales = self.sales.lock().unwrap_or_else(PoisonError::into_inner);
        let is_waited_for = sales.get(sale).is_some_and(|watched| watched.receiver_count() > 0);
        if !is_waited_for {
            sales.remove(sale);
        }
        is_waited_for
    }

    fn tell(&self, sale: &str, acked: u64) {
        let sales = self.sales.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(watched) = sales.get(sale) {
            watched.send_replace(acked);
        }
    }
}
