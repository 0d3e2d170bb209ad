//! Draws conclusions from what was seen. Pure: no sockets here.

use std::collections::BTreeMap;

use flash_vault::{Books, EpochRows, Faults, HeldOrder, SkuRows, StrayRows};
use flash_wire::{Content, SaleStatus};

use crate::finding::{Finding, Kind};
use crate::look::Look;
use crate::steps::{Standing, Step, Units, fold, signed};

/// What PostgreSQL says of a sale.
pub(crate) struct Rows {
    pub(crate) epochs: Vec<EpochRows>,
    pub(crate) skus: Vec<SkuRows>,
    pub(crate) strays: StrayRows,
    pub(crate) faults: Faults,
    pub(crate) books: Books,
    /// Its active orders.
    pub(crate) content: Content,
    /// The same, as its epochs say; none: not all of them do.
    pub(crate) noted: Option<Content>,
    /// The newest attempt to recover it, and whether that one is at work.
    pub(crate) recovery: (u64, bool),
}

/// The first life of a sale begins with event 1. Where a later one begins, its journal says, for as long as PostgreSQL
/// has nothing of it.
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
    let Faults { early_in_sealed, shared_ids, payments_of_others, restored } = rows.faults;
    for (kind, count, what) in [
        (Kind::EarlySealed, early_in_sealed, "events wait in an epoch that is over"),
        (Kind::SharedId, shared_ids, "reservations were refused because another buyer's order has their id"),
        (Kind::ForeignPayment, payments_of_others, "payments are of another buyer than the order's"),
        (Kind::Restored, restored, "orders were written again from Redis"),
    ] {
        if count > 0 {
            find(kind, format!("PostgreSQL: {count} {what}"));
        }
    }
    if let Some(noted) = rows.noted.filter(|noted| *noted != rows.content) {
        let detail = format!(
            "PostgreSQL: its epochs say {}, its active orders are {}",
            described(noted),
            described(rows.content)
        );
        find(Kind::Miscounted, detail);
    }
    let newest = newest_epoch(rows);
    for EpochRows { epoch, head, sealed_at, gaps, early, rejected } in &rows.epochs {
        if *sealed_at != (*epoch < newest).then_some(*head) {
            let sealed = sealed_at.map_or("not sealed".to_owned(), |last| format!("sealed at {last}"));
            find(Kind::Unsealed, format!("PostgreSQL, epoch {epoch} of {newest}: written up to {head}, {sealed}"));
        }
        for (kind, count, what) in [
            (Kind::Gaps, gaps, "events that no server has any more"),
            // In an epoch that is over they are another finding.
            (Kind::Early, if sealed_at.is_some() { &0 } else { early }, "early events"),
            (Kind::Rejected, rejected, "rejections"),
        ] {
            if *count > 0 {
                find(kind, format!("PostgreSQL, epoch {epoch}: {count} {what}"));
            }
        }
    }
    findings.extend(check_books(&rows.books));
    findings
}

/// Debits less refunds are what the orders cost.
fn check_books(books: &Books) -> Vec<Finding> {
    let Books { price, paid, unpaid, otherwise_paid, orderless, twice } = books;
    let mut findings = Vec::new();
    if *unpaid > 0 || *otherwise_paid > 0 || price != paid {
        let detail = format!(
            "PostgreSQL: confirmed orders cost {price}, and {paid} is paid for them; {unpaid} of them are not paid \
             for, {otherwise_paid} with another amount or currency"
        );
        findings.push(Finding::new(Kind::Books, detail));
    }
    for (kind, count, what) in [
        (Kind::OrderlessPayment, orderless, "payments are settled without a confirmed order of their buyer"),
        (Kind::PaymentTwice, twice, "references or reservations have more than one payment"),
    ] {
        if *count > 0 {
            findings.push(Finding::new(kind, format!("PostgreSQL: {count} {what}")));
        }
    }
    findings
}

fn described(content: Content) -> String {
    format!("{} reservations with the digest {:016x}", content.reservations, content.digest)
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
    let (term, is_at_work) = rows.recovery;
    if term > after.status.term {
        let detail = format!("Redis knows the recovery attempt {}, PostgreSQL {term}", after.status.term);
        return Some(Finding::new(if is_at_work { Kind::Fenced } else { Kind::OlderTerm }, detail));
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

/// Where PostgreSQL with the events in flight is not what Redis is.
pub(crate) fn compare(
    rows: &Rows,
    holds: Vec<HeldOrder>,
    steps: &BTreeMap<u64, &Step>,
    status: &SaleStatus,
) -> Vec<Finding> {
    let written = rows.skus.iter().filter_map(|sku| {
        let (total, _) = sku.counters?;
        let units = Units { total: signed(total), held: signed(sku.held), confirmed: signed(sku.confirmed) };
        Some((sku.sku.clone(), units))
    });
    let written = Standing { stock: written.collect(), content: rows.content };
    let mut wanted = fold(written, holds, steps.iter().map(|(seq, step)| (*seq, *step)));
    let mut findings = Vec::new();
    for sku in &status.skus {
        let redis = Units { total: signed(sku.total), held: signed(sku.held), confirmed: signed(sku.confirmed) };
        let postgres = wanted.stock.remove(&*sku.name).unwrap_or_default();
        findings.extend(compare_units(status.seq, &sku.name, redis, postgres));
    }
    for (sku, units) in &wanted.stock {
        findings.extend(compare_units(status.seq, sku, Units::default(), *units));
    }
    let redis = Content { reservations: status.reservations, digest: status.digest };
    // Where units differ, the reservations do as well.
    if findings.is_empty() && redis != wanted.content {
        let detail = format!(
            "at event {}: {} in Redis, {} in PostgreSQL with the journal",
            status.seq,
            described(redis),
            described(wanted.content)
        );
        findings.push(Finding::new(Kind::OtherOrders, detail));
    }
    findings
}

fn compare_units(seq: u64, sku: &str, redis: Units, postgres: Units) -> Vec<Finding> {
    let counts = [
        ("total", redis.total, postgres.total),
        ("held", redis.held, postgres.held),
        ("confirmed", redis.confirmed, postgres.confirmed),
    ];
    let differ = counts.into_iter().filter(|(_, redis, postgres)| redis != postgres);
    let finding = |(what, redis, postgres)| {
        let detail = format!(
            "SKU {sku}, {what} at event {seq}: {redis} units in Redis, {postgres} in PostgreSQL with the journal"
        );
        Finding::new(Kind::Differs, detail)
    };
    differ.map(finding).collect()
}

#[cfg(test)]
mod tests {
    use flash_wire::State;
    use flash_wire::digest::{element, sku_hash};

    use super::*;

    fn content(buyers: &[&str]) -> Content {
        let mut content = Content::default();
        for (id, buyer) in (2..).zip(buyers) {
            content.add(element(id, buyer, std::iter::once((sku_hash("a"), 1)), State::Confirmed));
        }
        content
    }

    fn status() -> SaleStatus<'static> {
        let sku = flash_wire::SkuStatus { name: "a".into(), total: 9, available: 7, held: 0, confirmed: 2 };
        SaleStatus {
            epoch: 1,
            seq: 3,
            acked: 3,
            phase: "open".into(),
            is_closed: false,
            limit: 1,
            hold_ms: None,
            opens_at_ms: None,
            closes_at_ms: None,
            journal_events: 0,
            journal_events_max: Some(9),
            relay: None,
            lease_until_ms: None,
            was_open: true,
            term: 0,
            instance: 1,
            reservations: 0,
            digest: 0,
            skus: vec![sku],
        }
    }

    /// Redis and PostgreSQL each have two confirmed units, of these buyers.
    fn check(redis: &[&str], postgres: &[&str], want: &[Kind]) {
        let sku = SkuRows { sku: "a".to_owned(), counters: Some((9, 2)), held: 0, confirmed: 2 };
        let rows = Rows {
            epochs: Vec::new(),
            skus: vec![sku],
            strays: StrayRows::default(),
            faults: Faults::default(),
            books: Books::default(),
            content: content(postgres),
            noted: None,
            recovery: (0, false),
        };
        let Content { reservations, digest } = content(redis);
        let status = SaleStatus { reservations, digest, ..status() };
        let found = compare(&rows, Vec::new(), &BTreeMap::new(), &status);
        assert_eq!(found.iter().map(|finding| finding.kind).collect::<Vec<_>>(), want, "{found:?}");
    }

    #[test]
    fn as_many_units_of_other_buyers_are_found() {
        check(&["ada", "bob"], &["ada", "bob"], &[]);
        check(&["ada", "bob"], &["ada", "eve"], &[Kind::OtherOrders]);
        check(&["ada", "bob"], &["bob", "ada"], &[Kind::OtherOrders]);
        check(&["ada", "bob"], &["ada"], &[Kind::OtherOrders]);
    }
}
