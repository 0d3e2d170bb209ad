//! What must hold once everything has come to rest.

use flash_sale::State;

use super::{Broken, Fact, Witness};
use crate::postgres::Postgres;
use crate::redis::Redis;

impl Witness {
    /// Checks that the sale sells, that both servers agree, and that every answer that a buyer got is true.
    pub(crate) fn check_end(&self, redis: &Redis, postgres: &Postgres) -> Result<(), Broken> {
        let Some(key) = &redis.key else { return Err(Broken::NotHealed) };
        let is_drained = key.sale().journal_events() == 0;
        if key.is_fenced() || !is_drained || key.epoch() != postgres.newest {
            return Err(Broken::NotHealed);
        }
        let is_sealed = |epoch| postgres.epoch(epoch).is_some_and(|row| row.sealed_at.is_some());
        if postgres.early.iter().any(|early| is_sealed(early.epoch)) {
            return Err(Broken::EarlyInSealedEpoch);
        }
        if key.content() != postgres.content() && !postgres.is_quarantined(postgres.newest) {
            return Err(Broken::Drift);
        }
        // What lies in the quarantine is for the operator to write.
        let is_told = |at: (u64, u64)| postgres.is_aside(at, |_| true);
        let is_undone = self.total_word.is_some_and(|(at, total)| postgres.total != total && !is_told(at))
            || self.closed_word.is_some_and(|(at, closed)| postgres.is_closed != closed && !is_told(at));
        if is_undone {
            return Err(Broken::OperatorUndone);
        }
        for fact in self.facts.iter().filter(|fact| !fact.is_excused) {
            self.check_fact(fact, postgres)?;
        }
        Ok(())
    }

    fn check_fact(&self, fact: &Fact, postgres: &Postgres) -> Result<(), Broken> {
        let order = postgres.order(fact.id).filter(|order| order.buyer == fact.buyer);
        let is_aside = |at: (u64, u64)| postgres.is_aside(at, |row| !row.is_done);
        if fact.end.is_some_and(|end| !end.is_active()) {
            let is_active = order.is_some_and(|order| order.state.is_active());
            return if is_active && !is_aside(fact.event) { Err(Broken::Lost) } else { Ok(()) };
        }
        let is_rejected = postgres.rejections.iter().any(|row| (row.id, row.buyer) == (fact.id, fact.buyer));
        // It ended in Redis. PostgreSQL, should it have gone back to before, learns that it did, but not how.
        let is_over = self.ends.iter().any(|end| end.id == fact.id && !end.state.is_active());
        let Some(order) = order else {
            let is_gone = is_over && self.went_back;
            return if is_rejected || is_gone || is_aside(fact.made) { Ok(()) } else { Err(Broken::Lost) };
        };
        let has_ended_since = self.ends.iter().any(|end| (end.id, end.state) == (fact.id, order.state));
        if order.state.is_active() && (fact.end.is_none() || order.state == State::Confirmed) {
            return Ok(());
        }
        let is_true = match fact.end {
            Some(end) => order.state == end,
            None => has_ended_since || is_over && !order.state.is_active(),
        };
        if is_true || is_aside(fact.event) { Ok(()) } else { Err(Broken::Lost) }
    }
}
