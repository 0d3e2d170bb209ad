//! Sales of which everything is sold, as one thread knows them: whoever is sure to be refused is refused without Redis.
//!
//! What is known is a *look*: the sale's status, which says that nothing is available. It is believed for
//! [`SOLD_OUT_KNOWN_MS_MAX`] from when it was asked for, because stock may come back through any gateway. Meanwhile one
//! request in [`SOLD_OUT_ASK_EVERY_MS`] goes to Redis as before: it gets what has come back, and its refusal is the reason
//! for the next look.
//!
//! Who repeats a request that got a unit must get that answer again. A request with a key may be a repeat, so it always
//! goes to Redis. Without a key there are repeats only where the limit is one, of buyers who have a unit. There a buyer is
//! refused here only if Redis has refused him since the sale was sold out, and nobody has reserved anything since: then
//! he has nothing that he could repeat.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use flash_client::{Call, Client};
use flash_wire::SaleStatus;

use crate::catalogue::Table;
use crate::limits::{SOLD_OUT_ASK_EVERY_MS, SOLD_OUT_BUYERS_MAX, SOLD_OUT_KNOWN_MS_MAX, SOLD_OUT_SALES_MAX};

const KNOWN: Duration = Duration::from_millis(SOLD_OUT_KNOWN_MS_MAX);
const ASK_EVERY: Duration = Duration::from_millis(SOLD_OUT_ASK_EVERY_MS);

/// What a thread knows.
#[derive(Debug)]
pub(crate) struct SoldOut {
    hasher: RandomState,
    memory: Mutex<Memory>,
}

#[derive(Debug)]
struct Memory {
    sales: Table<Known>,
    /// Hashes of buyers whom Redis has refused, each with the calm in which it did. Where there are more, they displace
    /// each other. (Another buyer's hash is the same once in 2^64, under a key that nobody knows.)
    refused: Vec<u64>,
    /// Calms that there have been, of all sales.
    calms: u64,
}

/// A sale of which a buyer was told that it is sold out.
#[derive(Debug)]
struct Known {
    /// None: there is something to sell, or nobody has looked yet.
    look: Option<Look>,
    /// When one request is to ask Redis for all.
    next_ask: Instant,
    /// When the next look may be sent.
    next_look: Instant,
}

/// The sale as it stood at some moment between these two.
#[derive(Debug)]
struct Look {
    sent: Instant,
    answered: Instant,
    epoch: u64,
    seq: u64,
    confirmed: u64,
    limit: u64,
    /// A time in which everything was sold and nobody reserved anything.
    calm: u64,
}

impl Look {
    /// Whether nothing but payments has happened since: each is one event, and confirms one unit where that is the limit.
    /// Before anybody could reserve, something would have had to come back, which is an event that confirms nothing.
    fn is_calm_until(&self, status: &SaleStatus, confirmed: u64) -> bool {
        let (events, units) = (status.seq.checked_sub(self.seq), confirmed.checked_sub(self.confirmed));
        self.limit == 1 && self.epoch == status.epoch && events.is_some() && events == units
    }
}

impl SoldOut {
    /// Nothing is known yet.
    pub(crate) fn new() -> Arc<Self> {
        let memory = Memory { sales: Table::new(SOLD_OUT_SALES_MAX), refused: vec![0; SOLD_OUT_BUYERS_MAX], calms: 0 };
        Arc::new(Self { hasher: RandomState::new(), memory: Mutex::new(memory) })
    }

    /// Whether a request without a key is sure to be refused because everything is sold.
    pub(crate) fn refuses(&self, sale: &str, buyer: &str, now: Instant) -> bool {
        let mut memory = self.lock();
        let Memory { sales, refused, .. } = &mut *memory;
        let Some(known) = sales.get_mut(sale) else { return false };
        let Some(look) = &known.look else { return false };
        if now.saturating_duration_since(look.sent) >= KNOWN {
            return false;
        }
        if look.limit == 1 && refused[slot(self.hash(look.calm, buyer))] != self.hash(look.calm, buyer) {
            return false;
        }
        if now >= known.next_ask {
            known.next_ask = now + ASK_EVERY;
            return false;
        }
        true
    }

    /// Redis has refused this buyer, whose request was sent at that moment. Gives whether it is time for a look.
    fn refused(&self, sale: &str, buyer: &str, sent: Instant, now: Instant) -> bool {
        let mut memory = self.lock();
        let Memory { sales, refused, .. } = &mut *memory;
        if sales.get_mut(sale).is_none() {
            sales.insert(sale, Known { look: None, next_ask: now, next_look: now });
        }
        let Some(known) = sales.get_mut(sale) else { return false };
        if let Some(look) = known.look.as_ref().filter(|look| look.answered <= sent) {
            let hash = self.hash(look.calm, buyer);
            refused[slot(hash)] = hash;
        }
        let is_time = now >= known.next_look;
        if is_time {
            known.next_look = now + ASK_EVERY;
        }
        is_time
    }

    /// The sale's status, asked for and answered at these moments.
    fn looked(&self, sale: &str, status: &SaleStatus, sent: Instant, answered: Instant) {
        let mut memory = self.lock();
        let Memory { sales, calms, .. } = &mut *memory;
        let Some(known) = sales.get_mut(sale) else { return };
        let SaleStatus { epoch, seq, limit, .. } = *status;
        let sums = status.sums();
        if status.phase != OPEN || sums.available > 0 {
            known.look = None;
            return;
        }
        let before = known.look.as_ref().filter(|look| look.is_calm_until(status, sums.confirmed));
        let calm = before.map_or_else(
            || {
                *calms += 1;
                *calms
            },
            |look| look.calm,
        );
        known.look = Some(Look { sent, answered, epoch, seq, confirmed: sums.confirmed, limit, calm });
        known.next_ask = sent + ASK_EVERY;
    }

    /// Redis has sold something.
    pub(crate) fn sold(&self, sale: &str) {
        if let Some(known) = self.lock().sales.get_mut(sale) {
            known.look = None;
        }
    }

    /// Redis has refused this buyer: remembers it, and looks at the sale if it is time. Nobody waits for that.
    pub(crate) fn learn(self: &Arc<Self>, redis: &Client, sale: &str, buyer: &str, sent: Instant) {
        if !self.refused(sale, buyer, sent, Instant::now()) {
            return;
        }
        let (this, redis, sale) = (self.clone(), redis.clone(), sale.to_owned());
        tokio::spawn(async move {
            let sent = Instant::now();
            // Where there is no answer, what is known ends by itself.
            if let Ok(Ok(status)) = redis.call(Call::sale_status(&sale)).await {
                this.looked(&sale, &status, sent, Instant::now());
            }
        });
    }

    fn hash(&self, calm: u64, buyer: &str) -> u64 {
        self.hasher.hash_one((calm, buyer))
    }

    fn lock(&self) -> MutexGuard<'_, Memory> {
        // Nothing panics while it is locked; and even then there is nothing in it that could be half done.
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`SaleStatus::phase`] is while a sale sells.
const OPEN: &str = "open";

fn slot(hash: u64) -> usize {
    usize::try_from(hash % SOLD_OUT_BUYERS_MAX as u64).unwrap_or(0)
}

#[cfg(test)]
mod tests;
