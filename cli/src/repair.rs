//! `flash repair`: puts right what an audit found. Only ever towards selling less: what is in doubt is left to a
//! person.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use flash_audit::{Kind, Report, Verdict, audit, is_known, sales};
use flash_client::{Call, Client};
use flash_vault::LoggedChange;
use serde::Serialize;
use tokio::time::{Instant, sleep};

use crate::args::{Output, Repair};
use crate::runtime::block_on;
use crate::{audit_log, output, servers};

/// How often a sale that was fenced is audited until it is whole.
const LOOK_EVERY_MS: u64 = 250;
/// How often a sale that differs is looked at until nothing of it is in flight. One that sells on must be closed first.
const SETTLE_LOOKS_MAX: usize = 20;

/// What was done, or would be.
#[derive(Serialize)]
struct Deed<'a> {
    sale: &'a str,
    kind: &'static str,
    detail: String,
    /// Whether it was done.
    done: bool,
}

/// Repairs one sale or all of them.
pub(crate) fn run(args: &Repair, output: Output) -> Result<ExitCode> {
    let (redis, postgres) = (args.redis.source().read()?, args.postgres.source().read()?);
    if let Some(sale) = &args.sale {
        flash_wire::key::check_sale(sale).map_err(|invalid| anyhow::anyhow!("{invalid}"))?;
    }
    block_on(async {
        let (redis, vault) = (servers::redis(&redis).await?, servers::postgres(&postgres).await?);
        let mut repairer = Repairer { args, output, redis, vault };
        let wanted = match &args.sale {
            Some(sale) if !is_known(&repairer.redis, &repairer.vault, sale).await? => {
                eprintln!("flash: no such sale: {sale}");
                return Ok(ExitCode::from(2));
            }
            Some(sale) => vec![sale.clone()],
            None => sales(&repairer.redis, &repairer.vault).await?,
        };
        let mut verdict = Verdict::Whole;
        for sale in wanted {
            verdict = verdict.max(repairer.repair(&sale).await?);
        }
        Ok(match verdict {
            Verdict::Whole => ExitCode::SUCCESS,
            Verdict::Drift => ExitCode::FAILURE,
            Verdict::Unknown => ExitCode::from(2),
        })
    })
}

struct Repairer<'a> {
    args: &'a Repair,
    output: Output,
    redis: Client,
    vault: flash_vault::Client,
}

impl Repairer<'_> {
    /// How the sale is in the end.
    async fn repair(&mut self, sale: &str) -> Result<Verdict> {
        let mut report = audit(&self.redis, &mut self.vault, sale).await?;
        if has(&report, Kind::Miscounted) {
            self.repair_counters(sale).await?;
            report = audit(&self.redis, &mut self.vault, sale).await?;
        }
        for _ in 0..SETTLE_LOOKS_MAX {
            if !(has(&report, Kind::Differs) || has(&report, Kind::OtherOrders)) || report.in_flight() == Some(0) {
                break;
            }
            sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
            report = audit(&self.redis, &mut self.vault, sale).await?;
        }
        if let Some(why) = reason_to_fence(&report) {
            report = self.fence(sale, why, report).await?;
        }
        for finding in report.findings.iter().filter(|finding| finding.kind.verdict() > Verdict::Whole) {
            let detail = format!("{}: {}; {}", finding.kind.name(), finding.detail, finding.advice);
            self.say(&Deed { sale, kind: "left", detail, done: false });
        }
        Ok(report.verdict)
    }

    async fn repair_counters(&mut self, sale: &str) -> Result<()> {
        let Repair { by, dry_run, .. } = self.args;
        let row = if *dry_run { None } else { Some(self.log(sale, "counter").await?) };
        let repairs = flash_vault::repair_counters(&mut self.vault, sale, by, *dry_run).await?;
        self.end(row).await;
        for repair in repairs {
            let flash_vault::CounterRepair { sku, sold, ordered, total } = &repair;
            let detail = match repair.is_possible() {
                true => format!("SKU {sku}: sold was {sold}, active orders have {ordered}"),
                false => {
                    format!("SKU {sku}: active orders have {ordered}, more than the total of {total}: not repaired")
                }
            };
            self.say(&Deed { sale, kind: "counter", detail, done: repair.is_possible() && !dry_run });
        }
        Ok(())
    }

    /// Fences the sale, and waits until a gateway has recovered it.
    async fn fence(&mut self, sale: &str, why: String, report: Report) -> Result<Report> {
        let done = !self.args.dry_run;
        if done {
            let row = self.log(sale, "fence").await?;
            // Recorded first: an unrecorded repair would be worse than one that did not happen.
            flash_vault::log_fence(&mut self.vault, sale, &why, &self.args.by).await?;
            if let Err(refusal) = self.redis.call(Call::fence(sale)).await? {
                bail!("Redis refuses to fence {sale}: {}", refusal.code());
            }
            self.end(Some(row)).await;
        }
        self.say(&Deed { sale, kind: "fence", detail: why, done });
        if !done {
            return Ok(report);
        }
        let deadline = Instant::now() + Duration::from_millis(self.args.wait_ms);
        loop {
            let report = audit(&self.redis, &mut self.vault, sale).await?;
            if report.verdict == Verdict::Whole || Instant::now() >= deadline {
                return Ok(report);
            }
            sleep(Duration::from_millis(LOOK_EVERY_MS)).await;
        }
    }

    /// The table `repairs` has what exactly is repaired; the audit log has that an operator did it.
    async fn log(&self, sale: &str, kind: &str) -> Result<u64> {
        let who = &self.args.by;
        let change = LoggedChange { who, key: None, action: "flash repair", sale: Some(sale), detail: kind };
        Ok(flash_vault::log_change(&self.vault, change).await?)
    }

    async fn end(&self, row: Option<u64>) {
        if let Some(row) = row {
            // If this fails, the row says "unknown".
            let _ = flash_vault::end_logged(&self.vault, row, audit_log::DONE).await;
        }
    }

    fn say(&self, deed: &Deed) {
        match self.output {
            Output::Json => output::json(deed),
            Output::Table => {
                let Deed { sale, kind, detail, done } = deed;
                let done = match (*kind, done, self.args.dry_run) {
                    ("left", ..) => "",
                    (_, true, _) => " (done)",
                    (_, false, true) => " (not done: dry run)",
                    (_, false, false) => " (not done)",
                };
                output::text(&format!("{sale}: {kind}: {detail}{done}\n"));
            }
        }
    }
}

fn has(report: &Report, kind: Kind) -> bool {
    report.findings.iter().any(|finding| finding.kind == kind)
}

/// Why Redis is to be rebuilt from PostgreSQL, if so: Redis has lost something, or counts units otherwise while
/// PostgreSQL has everything that it will ever get. What waits in the quarantine may still become an order, and orders
/// that break a rule are no ground to build on.
fn reason_to_fence(report: &Report) -> Option<String> {
    const IN_DOUBT: [Kind; 10] = [
        Kind::Quarantined,
        Kind::Lost,
        Kind::Oversold,
        Kind::Miscounted,
        Kind::SecondOrder,
        Kind::UnknownSku,
        Kind::UnexplainedOrder,
        Kind::EarlySealed,
        Kind::SharedId,
        Kind::ForeignPayment,
    ];
    if IN_DOUBT.iter().any(|kind| has(report, *kind)) {
        return None;
    }
    let is_settled = report.in_flight() == Some(0);
    let found = report.findings.iter().find(|finding| match finding.kind {
        Kind::Behind | Kind::OlderLife | Kind::OlderTerm => true,
        Kind::Differs | Kind::OtherOrders => is_settled,
        _ => false,
    });
    found.map(|finding| format!("{}: {}", finding.kind.name(), finding.detail))
}
