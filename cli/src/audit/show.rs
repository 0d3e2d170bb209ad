//! An audit for people.

use std::fmt::Write;

use flash_audit::{Report, SkuReport, Verdict};

/// One sale: when it was audited, how it is, its SKUs, and what was found.
pub(super) fn table(time: Option<&str>, report: &Report) -> String {
    let mut lines = String::new();
    let verdict = match report.verdict {
        Verdict::Whole => "whole",
        Verdict::Drift => "DRIFT",
        Verdict::Unknown => "unknown",
    };
    let sale = report.sale.as_deref().unwrap_or("(no sale)");
    // Into memory: it cannot fail, here and below.
    let _ = time.map(|time| write!(lines, "{time}  "));
    let _ = write!(lines, "{sale}: {verdict}");
    if let (Some(epoch), Some(seq)) = (report.epoch, report.seq) {
        let (head, in_flight) = (report.head, report.in_flight().unwrap_or(0));
        let _ = write!(lines, "; epoch {epoch}, event {seq} in Redis, {head} in PostgreSQL, {in_flight} in flight");
    }
    lines.push('\n');
    if !report.skus.is_empty() {
        let width = report.skus.iter().map(|sku| sku.sku.len()).max().unwrap_or(0).max(3);
        let _ = writeln!(
            lines,
            "  {:width$}  {:>10}  {:>10}  {:>10}  {:>10}  {:>10}",
            "SKU", "total", "available", "held", "confirmed", "ordered"
        );
        for SkuReport { sku, total, available, held, confirmed, ordered } in &report.skus {
            let _ = writeln!(
                lines,
                "  {sku:width$}  {total:>10}  {available:>10}  {held:>10}  {confirmed:>10}  {ordered:>10}"
            );
        }
    }
    for finding in &report.findings {
        let mark = match finding.kind.verdict() {
            Verdict::Whole => '-',
            Verdict::Unknown => '?',
            Verdict::Drift => '!',
        };
        let _ = writeln!(lines, "  {mark} {}: {}\n    {}", finding.kind.name(), finding.detail, finding.advice);
    }
    lines
}
