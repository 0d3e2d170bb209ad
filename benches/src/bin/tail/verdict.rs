//! What became of each answer, and what must never be.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use flash_vault::{REJECTED, ReservationRow};

use crate::buyers::Ack;
use crate::loss::Lost;
use crate::round::Vault;

/// What a round left.
pub(crate) struct Case<'a> {
    pub(crate) acks: &'a [Ack],
    pub(crate) vault: &'a Vault,
    pub(crate) units: u64,
    pub(crate) lost: Lost,
    /// Since when Redis is back.
    pub(crate) back: Instant,
}

/// What became of what was acknowledged before the loss.
#[derive(Debug, Default)]
pub(crate) struct Verdict {
    pub(crate) acknowledged: u64,
    /// Those whose orders PostgreSQL had at the moment of the loss.
    pub(crate) persisted: u64,
    /// Those that are recorded as refused in the end.
    pub(crate) rejected: u64,
    /// Those that are neither an order nor a rejection in the end.
    pub(crate) missing: u64,
    /// How old the oldest missing answer was at the moment of the loss.
    pub(crate) oldest_missing: Option<Duration>,
    /// What no level allows.
    pub(crate) wrong: Vec<String>,
}

impl Case<'_> {
    pub(crate) fn verdict(&self) -> Verdict {
        let mut rows: HashMap<u64, Vec<&ReservationRow>> = HashMap::new();
        for row in &self.vault.rows {
            rows.entry(row.id).or_default().push(row);
        }
        let mut verdict = Verdict { wrong: self.oversold(), ..Verdict::default() };
        verdict.wrong.extend(self.ids_of_two());
        for ack in self.acks {
            let rows = rows.get(&ack.id).map_or(&[][..], Vec::as_slice);
            verdict.count(self, ack, rows);
        }
        verdict
    }

    fn oversold(&self) -> Vec<String> {
        let Vault { skus, active, twice_served, .. } = self.vault;
        let sold: u64 = skus.iter().map(|sku| sku.sold).sum();
        let total: u64 = skus.iter().map(|sku| sku.total).sum();
        let mut wrong = Vec::new();
        if *active > self.units || sold != *active || total != self.units {
            wrong.push(format!("{active} orders and {sold} units sold of {total}, for {} on sale", self.units));
        }
        if *twice_served > 0 {
            wrong.push(format!("{twice_served} buyers have more than one order"));
        }
        wrong
    }

    /// Ids that two buyers were given.
    fn ids_of_two(&self) -> Vec<String> {
        let mut given = HashMap::new();
        let mut of_two = |ack: &Ack| {
            let first = *given.entry(ack.id).or_insert(ack.buyer);
            (first != ack.buyer)
                .then(|| format!("buyers b{first} and b{} were both given the id {}", ack.buyer, ack.id))
        };
        self.acks.iter().filter_map(&mut of_two).collect()
    }
}

impl Verdict {
    fn count(&mut self, case: &Case<'_>, ack: &Ack, rows: &[&ReservationRow]) {
        let buyer = format!("b{}", ack.buyer);
        let order = rows.iter().find(|row| row.state != REJECTED);
        if let Some(order) = order.filter(|order| order.made.buyer != buyer) {
            self.wrong
                .push(format!("{buyer} was given the id {}, whose order is that of {}", ack.id, order.made.buyer));
        }
        let order = order.filter(|order| order.made.buyer == buyer);
        let is_rejected = rows.iter().any(|row| row.state == REJECTED && row.made.buyer == buyer);
        if ack.asked >= case.back {
            if order.is_none() {
                self.wrong.push(format!("{buyer} was given the id {} after the loss, and there is no order", ack.id));
            }
            return;
        }
        self.acknowledged += 1;
        if let Some(order) = order {
            self.persisted += u64::from(order.written_at_ms.is_some_and(|written_ms| written_ms <= case.lost.at_ms));
            return;
        }
        if is_rejected {
            self.rejected += 1;
            return;
        }
        self.missing += 1;
        let age = case.lost.at.saturating_duration_since(ack.answered);
        self.oldest_missing = self.oldest_missing.max(Some(age));
    }
}
