//! What is left of what was made, when a server has lost something.

use flash_sale::State;

use crate::broker::Broker;
use crate::message::Item;
use crate::model::{Change, Event, Expected};
use crate::postgres::Postgres;
use crate::redis::{Key, Redis};

/// What is left of what was made.
pub(crate) struct Remains<'a> {
    pub(crate) redis: &'a Redis,
    pub(crate) postgres: &'a Postgres,
    pub(crate) broker: &'a Broker,
    /// The life in Redis was made by hand.
    pub(crate) is_by_hand: bool,
    /// PostgreSQL went back. What a syncer has in hand it may have committed before, and settles now.
    pub(crate) is_failover: bool,
    /// The broker lost or delayed something: what lies after a barrier may come too late for it.
    pub(crate) is_brokers: bool,
}

impl Remains<'_> {
    pub(crate) fn has_either(&self, event: (u64, u64), id: u64, end: Option<State>) -> bool {
        self.has(event) || self.has_reservation(id, end)
    }

    /// Whether an event is in Redis, in PostgreSQL, or on its way there without a gap.
    pub(crate) fn has(&self, (epoch, seq): (u64, u64)) -> bool {
        let in_redis = self.redis.key.as_ref().is_some_and(|key| key.epoch() == epoch && key.seq() >= seq);
        if in_redis && !self.is_by_hand {
            return true;
        }
        let event = Event { epoch, seq, change: Change::Warmed };
        if self.postgres.has(&event) {
            return true;
        }
        let Some(row) = self.postgres.epoch(epoch).filter(|row| row.sealed_at.is_none()) else { return false };
        let mut head = row.head;
        let items = self.broker.items(!self.is_failover);
        let items = items.take_while(|item| !self.is_brokers || !matches!(item, Item::Barrier(_)));
        for event in items.flat_map(Item::events).filter(|event| event.epoch == epoch) {
            head = head.max(if event.seq <= head + 1 { event.seq } else { head });
        }
        head >= seq
    }

    /// Whether a later life in Redis has it.
    pub(crate) fn has_reservation(&self, id: u64, end: Option<State>) -> bool {
        let Some(key) = self.redis.key.as_ref().filter(|key| key.was_open() && !self.is_by_hand) else { return false };
        let found = key.active().find(|active| active.id == id);
        found.is_some_and(|found| end.is_none() || found.is_confirmed && end == Some(State::Confirmed))
    }

    /// Whether a later life in Redis than that of `epoch` has it so.
    pub(crate) fn is_so(&self, epoch: u64, is_so: &dyn Fn(&Expected) -> bool) -> bool {
        let is_later = |key: &&Key| key.was_open() && key.epoch() > epoch && !self.is_by_hand;
        self.redis.key.as_ref().filter(is_later).is_some_and(|key| is_so(&key.content()))
    }
}
