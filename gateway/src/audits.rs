//! Audits for `GET /v1/audit`: of everything or of one sale, bounded in time.

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use flash_audit::{AuditError, Finding, Kind, Report, SALES_MAX, Verdict};
use flash_client::Client;
use serde::Serialize;
use tokio::time::timeout;

use crate::clock::now_ms;
use crate::fresh::Fresh;
use crate::limits::{AUDIT_FRESH_MS, AUDIT_MS_MAX};

/// What an audit found.
#[derive(Debug, Serialize)]
pub(crate) struct Audit {
    /// The worst of all.
    verdict: Verdict,
    /// When it began.
    at_ms: u64,
    /// What belongs to no sale, and what kept it from its end.
    findings: Vec<Finding>,
    sales: Vec<Report>,
}

/// A gateway's audits. (The URL holds a password: it is never shown.)
pub(crate) struct Audits {
    postgres: String,
    last: Fresh<Option<String>, Arc<Audit>>,
}

impl fmt::Debug for Audits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Audits").field("last", &self.last).finish_non_exhaustive()
    }
}

impl Audits {
    pub(crate) fn new(postgres: String) -> Self {
        Self { postgres, last: Fresh::new(AUDIT_FRESH_MS) }
    }

    /// An audit of one sale, or of all, that is fresh. None: too many want one.
    pub(crate) async fn get(&self, redis: &Client, sale: Option<&str>) -> Option<Arc<Audit>> {
        let sale = sale.map(str::to_owned);
        self.last.get(sale.clone(), async { Arc::new(Audit::make(&self.postgres, redis, sale).await) }).await
    }
}

impl Audit {
    /// Whether neither Redis nor PostgreSQL has what was asked for.
    pub(crate) fn is_of_nothing(&self) -> bool {
        self.sales.is_empty() && self.findings.is_empty()
    }

    async fn make(postgres: &str, redis: &Client, sale: Option<String>) -> Self {
        let mut audit = Self { verdict: Verdict::Whole, at_ms: now_ms(), findings: Vec::new(), sales: Vec::new() };
        match timeout(Duration::from_millis(AUDIT_MS_MAX), audit.fill(postgres, redis, sale)).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => audit.findings.push(Finding::new(Kind::Unanswered, error.to_string())),
            Err(_) => {
                let done = format!("{} sales were audited within {AUDIT_MS_MAX} ms", audit.sales.len());
                audit.findings.push(Finding::new(Kind::Unfinished, done));
            }
        }
        let found = audit.findings.iter().map(|finding| finding.kind.verdict());
        audit.verdict = found.chain(audit.sales.iter().map(|sale| sale.verdict)).max().unwrap_or(Verdict::Whole);
        audit
    }

    /// What was found before an error or the end of the time stays.
    async fn fill(&mut self, postgres: &str, redis: &Client, sale: Option<String>) -> Result<(), AuditError> {
        let mut vault = flash_vault::connect(postgres).await?;
        let sales = match sale {
            Some(sale) => vec![sale],
            None => {
                self.findings.extend(flash_audit::unreadable(&vault).await?.into_iter().flat_map(|of| of.findings));
                all_sales(redis, &vault).await?
            }
        };
        for sale in sales {
            match flash_audit::audit(redis, &mut vault, &sale).await {
                Ok(report) if is_blank(&report) && flash_vault::sale_facts(&vault, &sale).await?.is_none() => {}
                Ok(report) => self.sales.push(report),
                Err(error) if error.is_of_one_sale() => {
                    self.findings.push(Finding::new(Kind::Unanswered, format!("{sale}: {error}")));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Those that are over come last: where time is short, they are left out.
async fn all_sales(redis: &Client, vault: &flash_vault::Client) -> Result<Vec<String>, AuditError> {
    let mut sales = flash_audit::sales(redis, vault).await?;
    let count = u32::try_from(SALES_MAX).unwrap_or(u32::MAX);
    let on_sale: HashSet<String> = flash_vault::sales_on_sale(vault, "", count).await?.into_iter().collect();
    sales.sort_by_key(|sale| !on_sale.contains(sale));
    Ok(sales)
}

/// Redis has no such sale, and PostgreSQL has nothing but its terms, at most.
fn is_blank(report: &Report) -> bool {
    report.epoch.is_none() && report.epochs.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn servers_that_are_away_are_told_and_no_password_is() {
        let redis = Client::connect("redis://ada:hush@127.0.0.1:1").unwrap();
        let audits = Audits::new("postgres://ada:hush@127.0.0.1:1/drop".to_owned());
        let audit = audits.get(&redis, None).await.unwrap();
        let kinds: Vec<_> = audit.findings.iter().map(|finding| finding.kind).collect();
        assert_eq!((audit.verdict, kinds), (Verdict::Unknown, vec![Kind::Unanswered]));
        let told = format!("{audits:?} {}", serde_json::to_string(&*audit).unwrap());
        assert!(!told.contains("hush"), "{told}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_audit_that_comes_to_no_end_says_how_far_it_came() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let redis = Client::connect("redis://127.0.0.1:1").unwrap();
        let audits = Audits::new(format!("postgres://ada@{}/drop", silent.local_addr().unwrap()));
        let audit = audits.get(&redis, Some("drop")).await.unwrap();
        let found: Vec<_> = audit.findings.iter().map(|finding| (finding.kind, finding.detail.as_str())).collect();
        let told = (Kind::Unfinished, "0 sales were audited within 4000 ms");
        assert_eq!((audit.verdict, found), (Verdict::Unknown, vec![told]));
    }
}
