//! Compares the answers that buyers got with the final state.

mod awake;
mod ends;
mod settled;
mod wishes;

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use crate::eyes::{Order, Rows};
use crate::load::{Answer, Ask, Entry, Sale, State};

pub(crate) use self::awake::ensure_awake;
pub(crate) use self::settled::settled;

/// Everything that is known of one sale.
pub(crate) struct Case<'a> {
    pub(crate) sale: &'a Sale,
    /// Requests of this sale alone.
    pub(crate) entries: Vec<&'a Entry>,
    pub(crate) rows: &'a Rows,
    /// The state in Redis of each order; none: forgotten.
    pub(crate) in_redis: BTreeMap<u64, Option<State>>,
    pub(crate) excuses: &'a Excuses,
}

/// What the durability that was asked for does not promise.
#[derive(Debug, Clone, Default)]
pub(crate) struct Excuses {
    /// What was answered then may be missing: Redis had not synced it when its tail was lost.
    pub(crate) lost: Vec<Range<Duration>>,
    /// PostgreSQL lost what was written to it within these. A reservation that was made then and has ended since may be
    /// missing; what is left of it came back from Redis, without the request's key.
    pub(crate) behind: Vec<Range<Duration>>,
    /// Reservations may be rejected: Redis sold what PostgreSQL had sold already.
    pub(crate) rejections: bool,
    /// The clock of Redis was set: any hold may be over.
    pub(crate) clock: bool,
    /// Unreadable messages were sent, and are in the quarantine.
    pub(crate) quarantine: bool,
}

/// What a check has found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    pub(crate) ok: u64,
    pub(crate) refused: u64,
    pub(crate) unknown: u64,
    pub(crate) orders: u64,
    pub(crate) rejections: u64,
    /// Answers `ok` of which nothing is left, as the durability allows.
    pub(crate) lost: u64,
    /// Looks at a sale while it was sold.
    pub(crate) looks: u64,
    /// The longest way to rest after a heal.
    pub(crate) settle_ms_max: u64,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Self) {
        self.ok += other.ok;
        self.refused += other.refused;
        self.unknown += other.unknown;
        self.orders += other.orders;
        self.rejections += other.rejections;
        self.lost += other.lost;
        self.looks += other.looks;
        self.settle_ms_max = self.settle_ms_max.max(other.settle_ms_max);
    }
}

/// Checks one sale that has settled: what there is, and every violation.
pub(crate) fn check(case: &Case) -> (Tally, Vec<String>) {
    let mut tally = Tally { orders: case.rows.orders.len() as u64, ..Tally::default() };
    tally.rejections = case.rows.rejections.len() as u64;
    for entry in &case.entries {
        match entry.answer {
            Answer::Ok { .. } => tally.ok += 1,
            Answer::Refused(_) => tally.refused += 1,
            Answer::Unknown(_) => tally.unknown += 1,
        }
    }
    let mut wrong = wishes::check(case, &mut tally.lost);
    wrong.extend(ends::check(case));
    wrong.extend(limits(case));
    wrong.extend(order_in_time(case));
    wrong.extend(aside(case));
    let name = &case.sale.name;
    (tally, wrong.into_iter().map(|what| format!("{name}: {what}")).collect())
}

impl Excuses {
    /// Whether what a request did may be lost. It took effect at some moment between question and answer: on a busy
    /// machine the answer may come long after the loss.
    fn excuse(&self, entry: &Entry) -> bool {
        self.lost.iter().any(|window| entry.from < window.end && entry.to >= window.start)
    }

    /// Whether PostgreSQL may have forgotten what was asked for and answered then.
    fn forgotten(&self, asked: Duration, answered: Duration) -> bool {
        self.behind.iter().any(|window| asked < window.end && answered >= window.start)
    }
}

/// One active order for a buyer and slot, and no more units than the limit.
fn limits(case: &Case) -> Vec<String> {
    let mut buyers: BTreeMap<&str, Vec<&Order>> = BTreeMap::new();
    for order in case.rows.orders.iter().filter(|order| order.state.is_active()) {
        buyers.entry(&order.buyer).or_default().push(order);
    }
    let mut wrong = Vec::new();
    for (buyer, orders) in buyers {
        let units: u64 = orders.iter().flat_map(|order| &order.items).map(|item| item.1).sum();
        let mut slots: Vec<i16> = orders.iter().map(|order| order.slot).collect();
        slots.sort_unstable();
        slots.dedup();
        if units > case.sale.limit || slots.len() < orders.len() {
            wrong.push(format!("{buyer} has {units} units, in slots {slots:?}: {orders:?}"));
        }
    }
    wrong
}

/// Who was answered before another asked has the lower id: the sale decides one after the other.
fn order_in_time(case: &Case) -> Vec<String> {
    let made = |entry: &&Entry| match (&entry.ask, &entry.answer) {
        (Ask::Reserve(_), Answer::Ok { id, replayed: false, .. }) => Some((entry.from, entry.to, *id)),
        _ => None,
    };
    let mut by_start: Vec<_> = case.entries.iter().filter_map(made).collect();
    let mut by_end = by_start.clone();
    by_start.sort_unstable();
    by_end.sort_unstable_by_key(|(_, to, _)| *to);
    let (mut newest, mut ended) = (0, by_end.into_iter().peekable());
    let mut wrong = Vec::new();
    for (from, _, id) in by_start {
        while let Some((_, _, earlier)) = ended.next_if(|(_, to, _)| *to < from) {
            newest = newest.max(earlier);
        }
        if id < newest {
            wrong.push(format!("reservation {id} was asked for after {newest} had been answered"));
        }
    }
    wrong
}

/// Nothing lies where only trouble lies.
fn aside(case: &Case) -> Vec<String> {
    let mut wrong = Vec::new();
    if !case.excuses.rejections && !case.rows.rejections.is_empty() {
        wrong.push(format!("rejected, though Redis has forgotten nothing: {:?}", case.rows.rejections));
    }
    // What Redis has forgotten may still come: a reservation becomes a rejection then, and its end is put aside as
    // late.
    let may_be_late = |reason: &&String| case.excuses.rejections && *reason == "late";
    let unexpected: Vec<&String> = case.rows.quarantined.iter().filter(|reason| !may_be_late(reason)).collect();
    if !case.excuses.quarantine && !unexpected.is_empty() {
        wrong.push(format!("quarantined: {unexpected:?}"));
    }
    wrong
}
