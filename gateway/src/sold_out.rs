//! Sales of which everything is sold, as one thread knows them: it refuses without Redis where a refusal is certain.
//!
//! What is known is a *look*: the sale's status, which says that nothing is available. It is believed for
//! [`SOLD_OUT_KNOWN_MS_MAX`] from when it was asked for, because stock may come back through any gateway. Meanwhile one
//! request in [`SOLD_OUT_ASK_EVERY_MS`] goes to Redis as before: it gets what has come back, and its refusal is the reason
//! for the next look.
//!
//! Who repeats a request that got a unit must get that answer again. A request with a key may be a repeat, so it always
//! goes to Redis. Without a key there are repeats only where the limit is one, of buyers who have a unit. There
//! PostgreSQL is asked who ever had one, once it has all that was reserved; a buyer who had none is refused here, as
//! long as no one has reserved anything since.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flash_client::{Call, Client};
use flash_wire::SaleStatus;

use crate::catalogue::Table;
use crate::limits::{
    SOLD_OUT_ASK_EVERY_MS, SOLD_OUT_BUYERS_EVERY_MS, SOLD_OUT_BUYERS_MAX, SOLD_OUT_KNOWN_MS_MAX, SOLD_OUT_SALES_MAX,
};
use crate::postgres::Postgres;

const KNOWN: Duration = Duration::from_millis(SOLD_OUT_KNOWN_MS_MAX);
const ASK_EVERY: Duration = Duration::from_millis(SOLD_OUT_ASK_EVERY_MS);
const BUYERS_EVERY: Duration = Duration::from_millis(SOLD_OUT_BUYERS_EVERY_MS);

/// What a thread knows.
#[derive(Debug)]
pub(crate) struct SoldOut {
    hasher: RandomState,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    sales: Table<SoldOutSale>,
    /// Calms that there have been, of all sales.
    calms: u64,
}

/// A sale that was answered "sold out".
#[derive(Debug)]
struct SoldOutSale {
    /// None: there is something to sell, or it is not known yet.
    look: Option<Look>,
    buyers: Option<Buyers>,
    /// When one request is to ask Redis for all.
    next_ask: Instant,
    /// When the next look may be sent.
    next_look: Instant,
    /// When PostgreSQL may be asked for the buyers.
    next_buyers: Instant,
}

/// The sale's state at some moment after this one.
#[derive(Debug)]
struct Look {
    sent: Instant,
    epoch: u64,
    seq: u64,
    confirmed: u64,
    limit: u64,
    calm: Calm,
}

/// A time in which everything was sold and no one reserved anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Calm {
    number: u64,
    /// The sale's last event when it began.
    seq: u64,
}

/// Everybody who had anything of a sale when a calm began, as hashes in order. (Another buyer's hash is the same once
/// in 2^64, under a secret key: then Redis is asked.)
#[derive(Debug)]
struct Buyers {
    calm: Calm,
    hashes: Box<[u64]>,
}

impl Look {
    /// Whether nothing but payments has happened since: each is one event, and confirms one unit where that is the
    /// limit. Before anybody could reserve, something would have had to come back, which is an event that confirms
    /// nothing.
    fn is_calm_until(&self, status: &SaleStatus, confirmed: u64) -> bool {
        let (events, units) = (status.seq.checked_sub(self.seq), confirmed.checked_sub(self.confirmed));
        self.limit == 1 && self.epoch == status.epoch && events.is_some() && events == units
    }
}

impl SoldOut {
    /// Nothing is known yet.
    pub(crate) fn new() -> Arc<Self> {
        let memory = Memory { sales: Table::new(SOLD_OUT_SALES_MAX), calms: 0 };
        Arc::new(Self { hasher: RandomState::new(), memory: Mutex::new(memory) })
    }

    /// Whether a request without a key is sure to be refused because everything is sold.
    pub(crate) fn refuses(&self, sale: &str, buyer: &str, now: Instant) -> bool {
        let mut memory = self.lock();
        let Some(known) = memory.sales.get_mut(sale) else { return false };
        let Some(look) = &known.look else { return false };
        if now.saturating_duration_since(look.sent) >= KNOWN {
            return false;
        }
        let had_none = |buyers: &Buyers| {
            buyers.calm == look.calm && buyers.hashes.binary_search(&self.hasher.hash_one(buyer)).is_err()
        };
        if look.limit == 1 && !known.buyers.as_ref().is_some_and(had_none) {
            return false;
        }
        if now >= known.next_ask {
            known.next_ask = now + ASK_EVERY;
            return false;
        }
        true
    }

    /// Redis has refused somebody. Gives whether it is time for a look.
    fn refused(&self, sale: &str, now: Instant) -> bool {
        let mut memory = self.lock();
        if memory.sales.get_mut(sale).is_none() {
            let nothing = SoldOutSale { look: None, buyers: None, next_ask: now, next_look: now, next_buyers: now };
            memory.sales.insert(sale, nothing);
        }
        let Some(known) = memory.sales.get_mut(sale) else { return false };
        let is_time = now >= known.next_look;
        if is_time {
            known.next_look = now + ASK_EVERY;
        }
        is_time
    }

    /// The sale's status, asked for at that moment. Gives the calm of which PostgreSQL is to be asked for the buyers.
    fn looked(&self, sale: &str, status: &SaleStatus, sent: Instant) -> Option<Calm> {
        let mut memory = self.lock();
        let Memory { sales, calms } = &mut *memory;
        let known = sales.get_mut(sale)?;
        let SaleStatus { epoch, seq, limit, acked, .. } = *status;
        let sums = status.sums();
        if status.phase != OPEN || sums.available > 0 {
            known.look = None;
            return None;
        }
        let before = known.look.as_ref().filter(|look| look.is_calm_until(status, sums.confirmed));
        let calm = before.map_or_else(
            || {
                *calms += 1;
                Calm { number: *calms, seq }
            },
            |look| look.calm,
        );
        known.look = Some(Look { sent, epoch, seq, confirmed: sums.confirmed, limit, calm });
        known.next_ask = sent + ASK_EVERY;
        let is_known = known.buyers.as_ref().is_some_and(|buyers| buyers.calm == calm);
        // Before, PostgreSQL does not have all that was reserved.
        if limit > 1 || is_known || acked < calm.seq || sent < known.next_buyers {
            return None;
        }
        known.next_buyers = sent + BUYERS_EVERY;
        Some(calm)
    }

    /// Only these had anything when the calm began.
    fn told(&self, sale: &str, calm: Calm, buyers: &[String]) {
        let mut hashes: Box<[u64]> = buyers.iter().map(|buyer| self.hasher.hash_one(buyer.as_str())).collect();
        hashes.sort_unstable();
        if let Some(known) = self.lock().sales.get_mut(sale) {
            known.buyers = Some(Buyers { calm, hashes });
        }
    }

    /// Redis has sold something.
    pub(crate) fn sold(&self, sale: &str) {
        if let Some(known) = self.lock().sales.get_mut(sale) {
            known.look = None;
        }
    }

    /// Redis has refused a buyer: looks at the sale if it is time. No request waits for that.
    pub(crate) fn learn(self: &Arc<Self>, redis: &Client, postgres: &Arc<Postgres>, sale: &str) {
        if !self.refused(sale, Instant::now()) {
            return;
        }
        let (this, redis, postgres, sale) = (self.clone(), redis.clone(), postgres.clone(), sale.to_owned());
        tokio::spawn(async move {
            let sent = Instant::now();
            // Where there is no answer, what is known ends by itself.
            let Ok(Ok(status)) = redis.call(Call::sale_status(&sale)).await else { return };
            let Some(calm) = this.looked(&sale, &status, sent) else { return };
            if let Ok(Some(buyers)) = postgres
                .look(async |client: &_| flash_vault::sale_buyers(client, &sale, SOLD_OUT_BUYERS_MAX).await)
                .await
            {
                this.told(&sale, calm, &buyers);
            }
        });
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        // Nothing panics while it is locked; and even then there is nothing in it that could be half done.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`SaleStatus::phase`] is while a sale sells.
const OPEN: &str = "open";

#[cfg(test)]
mod tests;
