//! `flash audit`: is everything whole?

mod show;

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Result;
use flash_audit::{Kind, Report, Verdict, audit, sales, unreadable};
use tokio::time::sleep;

use crate::args::{Audit, Output};
use crate::run::{asked_to_stop, block_on};
use crate::{output, servers};

/// Audits once, or until it is asked to stop.
pub(crate) fn run(args: &Audit, output: Output) -> Result<ExitCode> {
    let (redis, postgres) = (args.redis.source().read()?, args.postgres.source().read()?);
    if let Some(sale) = &args.sale {
        flash_wire::key::check_sale(sale).map_err(|invalid| anyhow::anyhow!("{invalid}"))?;
    }
    block_on(async {
        let mut auditor = Auditor { args, output, redis, postgres, shown: BTreeMap::new() };
        if !args.watch {
            return Ok(exit_code(auditor.round().await));
        }
        let stop = asked_to_stop()?;
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
}

impl Auditor<'_> {
    async fn round(&mut self) -> Verdict {
        match self.try_round().await {
            Ok(verdict) => verdict,
            Err(error) => {
                eprintln!("flash: cannot tell: {error:#}");
                Verdict::Unknown
            }
        }
    }

    async fn try_round(&mut self) -> Result<Verdict> {
        let redis = servers::redis(&self.redis).await?;
        let mut vault = servers::postgres(&self.postgres).await?;
        let wanted = match &self.args.sale {
            Some(sale) => vec![sale.clone()],
            None => sales(&redis, &vault).await?,
        };
        let mut verdict = Verdict::Whole;
        for sale in wanted {
            match audit(&redis, &mut vault, &sale).await {
                Ok(report) => verdict = verdict.max(self.show(&report)),
                Err(error) if error.is_of_one_sale() => {
                    eprintln!("flash: cannot tell how {sale} is: {error}");
                    verdict = verdict.max(Verdict::Unknown);
                }
                Err(error) => return Err(error.into()),
            }
        }
        if self.args.sale.is_none()
            && let Some(report) = unreadable(&vault).await?
        {
            verdict = verdict.max(self.show(&report));
        }
        Ok(verdict)
    }

    fn show(&mut self, report: &Report) -> Verdict {
        let now = (report.verdict, report.findings.iter().map(|finding| finding.kind).collect());
        if self.shown.insert(report.sale.clone(), now.clone()).as_ref() != Some(&now) {
            match self.output {
                Output::Json => output::json(report),
                Output::Table => output::text(&show::table(report)),
            }
        }
        report.verdict
    }
}
