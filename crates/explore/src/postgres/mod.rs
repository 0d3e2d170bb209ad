//! PostgreSQL: the tables of the vault and its transactions, each of which is one step. A conformance test holds them
//! against the real vault.

mod recovery;
mod replay;
mod tables;
mod write;

pub(crate) use recovery::Claim;
pub(crate) use tables::{Order, Postgres, Quarantined, Rejection, Why};

use crate::message::{Answer, Transaction};
use crate::rules::Rules;

impl Postgres {
    /// Carries a transaction out.
    pub(crate) fn execute(&mut self, transaction: &Transaction, now_ms: u64, rules: &Rules) -> Answer {
        match transaction {
            Transaction::Standing { epoch } => Answer::Standing(self.standing(*epoch, now_ms)),
            &Transaction::Take { gateway, seen, at_least, draw } => {
                let at_least = if rules.terms_above_redis { at_least } else { 0 };
                let is_stale = rules.takes_as_seen && seen != self.term;
                Answer::Taken(if is_stale { None } else { self.take(gateway, at_least, draw, now_ms, rules) })
            }
            Transaction::Renew { gateway, term } => Answer::Is(self.renew(*gateway, *term, now_ms, rules)),
            Transaction::End { gateway, term } => {
                self.end(*gateway, *term);
                Answer::Done
            }
            Transaction::HasBarrier { id } => Answer::Is(self.barriers.contains(id)),
            &Transaction::Seal { term, barrier, epoch, wanted } => {
                let claim = Claim { term, barrier };
                Answer::Sealed(self.seal(claim, epoch, wanted, rules))
            }
            &Transaction::Restore { term, barrier, ref from } => {
                Answer::Sealed(self.restore(Claim { term, barrier }, from, rules))
            }
            Transaction::ActivePage { after, count } => {
                let active = self.orders.iter().filter(|order| order.id > *after && order.state.is_active());
                Answer::Active(active.take(*count).map(Order::active).collect())
            }
            Transaction::Settle { epoch } => {
                let earlier = self.rejections.iter_mut().filter(|rejection| rejection.epoch < *epoch);
                earlier.for_each(|rejection| rejection.is_settled = true);
                Answer::Done
            }
            Transaction::Write { items } => Answer::Written { heads: self.write(items, rules) },
            Transaction::Waiting => self.waiting(),
            Transaction::Replay { place, known } => {
                self.replay(*place, *known, rules);
                Answer::Done
            }
        }
    }
}
