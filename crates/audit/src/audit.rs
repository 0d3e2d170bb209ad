//! One audit: look at Redis, at PostgreSQL, at Redis again, and compare.

use flash_client::{Backoff, Call, Client};
use flash_vault::Snapshot;
use flash_wire::key::sale_of;
use flash_wire::{COUNT_MAX, Refusal};
use tokio::time::sleep;

use crate::error::AuditError;
use crate::finding::{Finding, Kind, Verdict};
use crate::judge::{Rows, check_rows, check_seqs, check_status, compare, in_flight, written_up_to};
use crate::limits::{ATTEMPTS_MAX, COUNTED_RESERVATIONS_MAX, RETRY_WAIT_MS, RETRY_WAIT_MS_MAX, SALES_MAX};
use crate::look::{Look, Looked, look};
use crate::report::{EpochReport, Report, SkuReport};

/// Every sale that Redis or PostgreSQL knows, at most [`SALES_MAX`], in the order of their ids.
///
/// # Errors
/// When one of the two cannot be asked.
pub async fn sales(redis: &Client, vault: &flash_vault::Client) -> Result<Vec<String>, AuditError> {
    let mut sales = flash_vault::sales(vault, SALES_MAX).await?;
    if let Ok(ready) = redis.call(Call::ready(COUNT_MAX)).await? {
        sales.extend(ready.sales.iter().filter_map(|sale| sale_of(&sale.key).map(str::to_owned)));
    }
    sales.sort_unstable();
    sales.dedup();
    sales.truncate(SALES_MAX);
    Ok(sales)
}

/// Whether Redis or PostgreSQL knows a sale.
///
/// # Errors
/// When one of the two cannot be asked.
pub async fn is_known(redis: &Client, vault: &flash_vault::Client, sale: &str) -> Result<bool, AuditError> {
    let is_absent = matches!(redis.call(Call::sale_status(sale)).await?, Err(Refusal::NotWarmed));
    Ok(!is_absent || flash_vault::sale_facts(vault, sale).await?.is_some())
}

/// What belongs to no sale: unreadable messages. None if there are none.
///
/// # Errors
/// When PostgreSQL cannot be asked.
pub async fn unreadable(vault: &flash_vault::Client) -> Result<Option<Report>, AuditError> {
    let count = flash_vault::unreadable_messages(vault).await?;
    if count == 0 {
        return Ok(None);
    }
    let finding = Finding::new(Kind::Quarantined, format!("PostgreSQL: {count} unreadable messages"));
    Ok(Some(Report { sale: None, ..blank("") }.with(vec![finding])))
}

/// Findings that belong to no sale: balances that payments do not explain, and references of more than one payment.
/// None: there is no such finding. It reads every account and every payment.
///
/// # Errors
/// When PostgreSQL cannot be asked.
pub async fn accounts(vault: &flash_vault::Client) -> Result<Option<Report>, AuditError> {
    let (balances, references) = flash_vault::unexplained_accounts(vault).await?;
    let findings = [
        (Kind::Books, balances, "balances are not what their account was opened with, less what was debited"),
        (Kind::PaymentTwice, references, "references have more than one payment"),
    ];
    let findings = findings.into_iter().filter(|(_, count, _)| *count > 0);
    let findings: Vec<_> =
        findings.map(|(kind, count, what)| Finding::new(kind, format!("PostgreSQL: {count} {what}"))).collect();
    Ok((!findings.is_empty()).then(|| Report { sale: None, ..blank("") }.with(findings)))
}

/// Audits one sale. It waits for nothing and blocks nothing; a sale that moves on meanwhile is looked at again, up to
/// [`ATTEMPTS_MAX`] times.
///
/// # Errors
/// When Redis or PostgreSQL cannot be asked.
pub async fn audit(redis: &Client, vault: &mut flash_vault::Client, sale: &str) -> Result<Report, AuditError> {
    let mut backoff = Backoff::new(RETRY_WAIT_MS, RETRY_WAIT_MS_MAX);
    for _ in 0..ATTEMPTS_MAX {
        if let Some(report) = attempt(redis, vault, sale).await? {
            return Ok(report);
        }
        sleep(backoff.wait()).await;
    }
    let moving = Finding::new(Kind::Moving, format!("it moved on {ATTEMPTS_MAX} times"));
    Ok(blank(sale).with(vec![moving]))
}

/// None: the sale has become another one between the two looks at Redis.
async fn attempt(redis: &Client, vault: &mut flash_vault::Client, sale: &str) -> Result<Option<Report>, AuditError> {
    let before = look(redis, sale, 0).await?;
    let snapshot = Snapshot::begin(vault).await?;
    let epochs = snapshot.epochs(sale).await?;
    let head = match &before {
        Looked::Seen(look) => written_up_to(&epochs, look.status.epoch, look.status.acked),
        _ => 0,
    };
    let after = look(redis, sale, head).await?;
    let noted = snapshot.content(sale).await?;
    let content = match noted {
        Some(noted) if noted.reservations > COUNTED_RESERVATIONS_MAX => noted,
        _ => snapshot.counted_content(sale).await?,
    };
    let rows = Rows {
        epochs,
        skus: snapshot.skus(sale).await?,
        strays: snapshot.stray_rows(sale).await?,
        faults: snapshot.faults(sale).await?,
        books: snapshot.books(sale).await?,
        content,
        noted,
        recovery: snapshot.recovery(sale).await?,
    };
    let mut findings = check_rows(&rows);
    let (before, after) = match (before, after) {
        (Looked::Seen(before), Looked::Seen(after)) if is_same_life(&before, &after) => (before, after),
        (Looked::NotWarmed, Looked::NotWarmed) => {
            findings.push(not_in_redis(&rows));
            return Ok(Some(report(sale, &rows, None, 0).with(findings)));
        }
        _ => return Ok(None),
    };
    let report = report(sale, &rows, Some(&after), head);
    findings.extend(check_status(&after.status));
    if let Some(finding) = incomparable(&rows, &before, head, &after) {
        findings.push(finding);
        return Ok(Some(report.with(findings)));
    }
    let Some(steps) = in_flight(&before, &after, head) else { return Ok(None) };
    let ends: Vec<u64> = steps.values().flat_map(|step| step.ends()).copied().collect();
    let holds = snapshot.held_reservations(sale, &ends).await?;
    findings.extend(compare(&rows, holds, &steps, &after.status));
    Ok(Some(report.with(findings)))
}

/// Whether a sale is fenced, and its epoch: between the two looks neither may change.
fn is_same_life(before: &Look, after: &Look) -> bool {
    before.status.epoch == after.status.epoch && before.status.is_fenced() == after.status.is_fenced()
}

fn incomparable(rows: &Rows, before: &Look, head: u64, after: &Look) -> Option<Finding> {
    if after.status.journal_events_max.is_none() {
        return Some(Finding::new(Kind::NoJournal, "Redis: the sale keeps no journal"));
    }
    if after.status.is_fenced() {
        return Some(Finding::new(Kind::Fenced, format!("Redis, epoch {}", after.status.epoch)));
    }
    check_seqs(rows, before.status.acked, head, after)
}

fn not_in_redis(rows: &Rows) -> Finding {
    let written: u64 = rows.epochs.iter().map(|epoch| epoch.head).max().unwrap_or(0);
    if written == 0 {
        return Finding::new(Kind::NeverWarmed, "PostgreSQL knows its terms, and no event of it");
    }
    Finding::new(Kind::NotInRedis, format!("PostgreSQL has {written} events of it"))
}

fn blank(sale: &str) -> Report {
    Report {
        sale: Some(sale.to_owned()),
        verdict: Verdict::Whole,
        epoch: None,
        seq: None,
        acked: None,
        unpersisted_since_ms: None,
        head: 0,
        epochs: Vec::new(),
        skus: Vec::new(),
        findings: Vec::new(),
    }
}

fn report(sale: &str, rows: &Rows, look: Option<&Look>, head: u64) -> Report {
    let status = look.map(|look| &look.status);
    let epochs = rows.epochs.iter().map(|rows| EpochReport {
        epoch: rows.epoch,
        head: rows.head,
        sealed_at: rows.sealed_at,
        gaps: rows.gaps,
        early: rows.early,
        rejected: rows.rejected,
    });
    let mut skus: Vec<SkuReport> = status.map(|status| &status.skus).into_iter().flatten().map(in_redis).collect();
    for rows in &rows.skus {
        let ordered = rows.held + rows.confirmed;
        match skus.iter_mut().find(|sku| sku.sku == rows.sku) {
            Some(sku) => sku.ordered = ordered,
            None => skus.push(SkuReport { sku: rows.sku.clone(), ordered, ..SkuReport::default() }),
        }
    }
    Report {
        epoch: status.map(|status| status.epoch),
        seq: status.map(|status| status.seq),
        acked: status.map(|status| status.acked),
        unpersisted_since_ms: look.and_then(|look| look.since_ms),
        head,
        epochs: epochs.collect(),
        skus,
        ..blank(sale)
    }
}

fn in_redis(sku: &flash_wire::SkuStatus) -> SkuReport {
    SkuReport {
        sku: sku.name.to_string(),
        total: sku.total,
        available: sku.available,
        held: sku.held,
        confirmed: sku.confirmed,
        ordered: 0,
    }
}
