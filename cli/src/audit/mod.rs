//! `flash audit`: is everything whole?

mod log;
mod show;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use flash_audit::{Kind, Report, Verdict, accounts, audit, is_known, sales, unreadable};
use flash_metrics::Page;
use serde::Serialize;
use tokio::time::sleep;

use crate::args::{Audit, AuditCommand, Output};
use crate::runtime::{asked_to_stop, block_on};
use crate::{clock, metrics, output, servers};

/// Audits once, or until it is asked to stop.
pub(crate) fn run(args: &Audit, output: Output) -> Result<ExitCode> {
    let postgres = args.postgres.source().read()?;
    if let Some(AuditCommand::Log(log)) = &args.command {
        return block_on(log::run(log, &postgres, output));
    }
    let redis = args.redis.source().read()?;
    if let Some(sale) = &args.sale {
        flash_wire::key::check_sale(sale).map_err(|invalid| anyhow::anyhow!("{invalid}"))?;
    }
    block_on(async {
        let drift = Drift::default();
        let mut auditor = Auditor { args, output, redis, postgres, shown: BTreeMap::new(), drift: drift.clone() };
        if !args.watch {
            return Ok(exit_code(auditor.round().await));
        }
        let stop = asked_to_stop()?;
        metrics::listen(args.metrics_listen, move |page| write(page, &drift)).await?;
        tokio::pin!(stop);
        loop {
            let verdict = tokio::select! {
                verdict = auditor.round() => verdict,
                () = &mut stop => return Ok(ExitCode::SUCCESS),
            };
            tokio::select! {
                () = sleep(Duration::from_millis(args.every_ms)) => {}
                () = &mut stop => return Ok(exit_code(verdict)),
            }
        }
    })
}

fn exit_code(verdict: Verdict) -> ExitCode {
    match verdict {
        Verdict::Whole => ExitCode::SUCCESS,
        Verdict::Drift => ExitCode::FAILURE,
        Verdict::Unknown => ExitCode::from(2),
    }
}

/// What is compared from one round of `--watch` to the next. Numbers grow while a sale sells; that is no news.
type Shown = (Verdict, Vec<Kind>);

struct Auditor<'a> {
    args: &'a Audit,
    output: Output,
    redis: String,
    postgres: String,
    shown: BTreeMap<Option<String>, Shown>,
    drift: Drift,
}

/// Which sales drift, 1 or 0, as the last audit of each found it. A sale with an unknown result keeps its last value.
type Drift = Arc<Mutex<BTreeMap<String, u64>>>;

fn write(page: &mut Page, drift: &Drift) {
    let drift = drift.lock().unwrap_or_else(PoisonError::into_inner);
    let sales = drift.iter().map(|(sale, drifts)| (sale.as_str(), *drifts)).collect();
    page.gauge_by_sale("flash_drift", "Whether Redis and PostgreSQL disagree about a sale.", sales);
}

/// A report as `--watch` prints it, with the time of its audit.
#[derive(Serialize)]
struct Line<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<String>,
    #[serde(flatten)]
    report: &'a Report,
}

impl Auditor<'_> {
    /// When this is. One audit needs no time: its reader has asked for it just now.
    fn time(&self) -> Option<String> {
        self.args.watch.then(clock::now_text)
    }

    fn say_unknown(&self, what: &str) {
        let time = self.time().map(|time| format!("{time}  ")).unwrap_or_default();
        eprintln!("{time}flash: {what}");
    }

    async fn round(&mut self) -> Verdict {
        match self.try_round().await {
            Ok(verdict) => verdict,
            Err(error) => {
                self.say_unknown(&format!("cannot tell: {error:#}"));
                Verdict::Unknown
            }
        }
    }

    async fn try_round(&mut self) -> Result<Verdict> {
        let redis = servers::redis(&self.redis).await?;
        let mut vault = servers::postgres(&self.postgres).await?;
        let wanted = match &self.args.sale {
            Some(sale) if !is_known(&redis, &vault, sale).await? => {
                eprintln!("flash: no such sale: {sale}");
                return Ok(Verdict::Unknown);
            }
            Some(sale) => vec![sale.clone()],
            None => sales(&redis, &vault).await?,
        };
        let mut verdict = Verdict::Whole;
        for sale in wanted {
            match audit(&redis, &mut vault, &sale).await {
                Ok(report) => verdict = verdict.max(self.show(&report)),
                Err(error) if error.is_of_one_sale() => {
                    self.say_unknown(&format!("cannot audit {sale}: {error}"));
                    verdict = verdict.max(Verdict::Unknown);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if self.args.sale.is_none() {
            for report in [unreadable(&vault).await?, accounts(&vault).await?].into_iter().flatten() {
                verdict = verdict.max(self.show(&report));
            }
        }
        Ok(verdict)
    }

    fn show(&mut self, report: &Report) -> Verdict {
        // Early events come and go while a sale sells.
        let kinds = report.findings.iter().map(|finding| finding.kind).filter(|kind| *kind != Kind::Early);
        let now = (report.verdict, kinds.collect());
        if self.shown.insert(report.sale.clone(), now.clone()).as_ref() != Some(&now) {
            match self.output {
                Output::Json => output::json(&Line { at: self.time(), report }),
                Output::Table => output::text(&show::table(self.time().as_deref(), report)),
            }
        }
        if let (Some(sale), Verdict::Whole | Verdict::Drift) = (&report.sale, report.verdict) {
            let mut drift = self.drift.lock().unwrap_or_else(PoisonError::into_inner);
            drift.insert(sale.clone(), u64::from(report.verdict == Verdict::Drift));
        }
        report.verdict
    }
}
