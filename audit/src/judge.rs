//! Draws conclusions from what was seen. Pure: no sockets here.

use std::collections::{BTreeMap, HashMap};

use flash_vault::{EpochRows, OrderItems, SkuRows, StrayRows};
use flash_wire::SaleStatus;

use crate::finding::{Finding, Kind};
use crate::look::Look;
use crate::steps::{Step, Stock, Units, fold, signed};

/// What PostgreSQL says of a sale.
pub(crate) struct Rows {
    pub(crate) epochs: Vec<EpochRows>,
    pub(crate) skus: Vec<SkuRows>,
    pub(crate) strays: StrayRows,
}

/// The first life of a sale begins with event 1. Where a later one begins, its journal says, for as long as PostgreSQL has
/// nothing of it.
pub(crate) fn written_up_to(epochs: &[EpochRows], epoch: u64, acked: u64) -> u64 {
    let head = epochs.iter().find(|rows| rows.epoch == epoch).map_or(0, |rows| rows.head);
    let is_later_life = epochs.iter().any(|rows| rows.epoch < epoch);
    if head == 0 && is_later_life { acked } else { head }
}

/// What PostgreSQL's own rows contradict.
pub(crate) fn check_rows(rows: &Rows) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |kind, detail: String| findings.push(Finding::new(kind, detail));
    for SkuRows { sku, counters, held, confirmed } in &rows.skus {
        let ordered = held + confirmed;
        let Some((total, sold)) = *counters else {
            find(Kind::UnknownSku, format!("PostgreSQL, SKU {sku}: {ordered} units in active orders"));
            continue;
        };
        if ordered > total || sold > total {
            find(Kind::Oversold, format!("PostgreSQL, SKU {sku}: {ordered} units in active orders, of {total}"));
        }
        if ordered != sold {
            find(Kind::Miscounted, format!("PostgreSQL, SKU {sku}: sold says {sold}, active orders have {ordered}"));
        }
    }
    let StrayRows { shared_slots, buyers_over_limit, unexplained_orders, quarantined } = rows.strays;
    for (kind, count, what) in [
        (Kind::SecondOrder, shared_slots, "slots of a buyer with two active orders"),
        (Kind::OverLimit, buyers_over_limit, "buyers with more units than the limit"),
        (Kind::UnexplainedOrder, unexplained_orders, "orders beyond the head of their epoch"),
        (Kind::Quarantined, quarantined, "events in the quarantine"),
    ] {
        if count > 0 {
            find(kind, format!("PostgreSQL: {count} {what}"));
        }
    }
    let newest = newest_epoch(rows);
    for EpochRows { epoch, head, sealed_at, gaps, early, rejected } in &rows.epochs {
        if *sealed_at != (*epoch < newest).then_some(*head) {
            let sealed = sealed_at.map_or("not sealed".to_owned(), |last| format!("sealed at {last}"));
            find(Kind::Unsealed, format!("PostgreSQL, epoch {epoch} of {newest}: written up to {head}, {sealed}"));
        }
        for (kind, count, what) in [
            (Kind::Gaps, gaps, "events that nobody has any more"),
            (Kind::Early, early, "early events"),
            (Kind::Rejected, rejected, "rejections"),
        ] {
            if *count > 0 {
                find(kind, format!("PostgreSQL, epoch {epoch}: {count} {what}"));
            }
        }
    }
    findings
}

fn newest_epoch(rows: &Rows) -> u64 {
    rows.epochs.iter().map(|rows| rows.epoch).max().unwrap_or(0)
}

/// What Redis' own numbers contradict.
pub(crate) fn check_status(status: &SaleStatus) -> Vec<Finding> {
    let broken = status.skus.iter().filter(|sku| sku.total != sku.available + sku.held + sku.confirmed);
    let finding = |sku: &flash_wire::SkuStatus| {
        let (total, available, held, confirmed) = (sku.total, sku.available, sku.held, sku.confirmed);
        let detail = format!("Redis, SKU {}: {total} is not {available} + {held} + {confirmed}", sku.name);
        Finding::new(Kind::Conservation, detail)
    };
    broken.map(finding).collect()
}

/// Why the two cannot be compared unit by unit, if so. `acked` is of the moment before PostgreSQL was asked.
pub(crate) fn check_seqs(rows: &Rows, acked: u64, head: u64, after: &Look) -> Option<Finding> {
    let SaleStatus { epoch, seq, .. } = after.status;
    let newest = newest_epoch(rows);
    if newest > epoch {
        return Some(Finding::new(Kind::OlderLife, format!("Redis is in epoch {epoch}, PostgreSQL in {newest}")));
    }
    if head > seq {
        return Some(Finding::new(
            Kind::Behind,
            format!("epoch {epoch}: events {} to {head} are not in Redis", seq + 1),
        ));
    }
    if head < acked {
        let lost =
            format!("epoch {epoch}: events {} to {acked} are neither in PostgreSQL nor in the journal", head + 1);
        return Some(Finding::new(Kind::Lost, lost));
    }
    if after.steps.is_none() {
        return Some(Finding::new(Kind::TooFarBehind, format!("{} events are not in PostgreSQL yet", seq - head)));
    }
    None
}

/// The events behind `head` up to `seq`, from two looks at the journal; none, if some were dropped between the two.
pub(crate) fn in_flight<'a>(before: &'a Look, after: &'a Look, head: u64) -> Option<BTreeMap<u64, &'a Step>> {
    let both = [before, after].into_iter().flat_map(|look| look.steps.iter().flatten());
    let seq = after.status.seq;
    let steps: BTreeMap<_, _> = both.map(|(at, step)| (*at, step)).filter(|(at, _)| *at > head && *at <= seq).collect();
    (steps.len() as u64 == seq.saturating_sub(head)).then_some(steps)
}

/// Where PostgreSQL's units with the events in flight are not those of Redis.
pub(crate) fn compare(
    rows: &Rows,
    holds: HashMap<u64, OrderItems>,
    steps: &BTreeMap<u64, &Step>,
    status: &SaleStatus,
) -> Vec<Finding> {
    let written = rows.skus.iter().filter_map(|sku| {
        let (total, _) = sku.counters?;
        let units = Units { total: signed(total), held: signed(sku.held), confirmed: signed(sku.confirmed) };
        Some((sku.sku.clone(), units))
    });
    let mut wanted: Stock = fold(written.collect(), holds, steps.iter().map(|(seq, step)| (*seq, *step)));
    let mut findings = Vec::new();
    let mut compare = |sku: &str, redis: Units, postgres: Units| {
        for (what, redis, postgres) in [
            ("total", redis.total, postgres.total),
            ("held", redis.held, postgres.held),
            ("confirmed", redis.confirmed, postgres.confirmed),
        ] {
            if redis != postgres {
                let detail = format!(
                    "SKU {sku}, {what} at event {}: {redis} units in Redis, {postgres} in PostgreSQL with the journal",
                    status.seq
                );
                findings.push(Finding::new(Kind::Differs, detail));
            }
        }
    };
    for sku in &status.skus {
        let redis = Units { total: signed(sku.total), held: signed(sku.held), confirmed: signed(sku.confirmed) };
        compare(&sku.name, redis, wanted.remove(&*sku.name).unwrap_or_default());
    }
    for (sku, units) in &wanted {
        compare(sku, Units::default(), *units);
    }
    findings
}
