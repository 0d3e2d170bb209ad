//! Audits for `GET /v1/audit`: of everything or of one sale, bounded in time. One of everything that does not come to
//! its end goes on when it is asked for again, and tells what was found before as well.

mod seen;

use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use flash_audit::{AuditError, Finding, Kind, Report, SALES_MAX, Verdict};
use flash_client::Client;
use flash_worker::now_ms;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::timeout;

use self::seen::AuditedSales;
use crate::fresh::Fresh;
use crate::limits::{AUDIT_FRESH_MS, AUDIT_MS_MAX};

/// What an audit found.
#[derive(Debug, Serialize)]
pub(crate) struct Audit {
    /// The worst of all.
    verdict: Verdict,
    /// When it began.
    at_ms: u64,
    /// When the oldest part of it was found out: before it began, where there are too many sales to look at all of them
    /// at once.
    oldest_at_ms: u64,
    /// Sales that there are, as far as it is known.
    known_sales: usize,
    /// What belongs to no sale, and what kept it from its end.
    findings: Vec<Finding>,
    sales: Vec<Report>,
}

/// A gateway's audits. (The URL holds a password: it is never shown.)
pub(crate) struct Audits {
    postgres: String,
    last: Fresh<Option<String>, Arc<Audit>>,
    /// Of all sales.
    seen: Mutex<AuditedSales>,
}

impl fmt::Debug for Audits {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Audits").field("last", &self.last).finish_non_exhaustive()
    }
}

impl Audits {
    pub(crate) fn new(postgres: String) -> Self {
        Self { postgres, last: Fresh::new(AUDIT_FRESH_MS), seen: Mutex::default() }
    }

    /// An audit of one sale, or of all, that is fresh. None: too many want one.
    pub(crate) async fn get(&self, redis: &Client, sale: Option<&str>) -> Option<Arc<Audit>> {
        let sale = sale.map(str::to_owned);
        let audit = async {
            match &sale {
                Some(_) => Audit::make(&self.postgres, redis, sale.clone(), &mut AuditedSales::default()).await,
                None => Audit::make(&self.postgres, redis, None, &mut *self.seen.lock().await).await,
            }
        };
        self.last.get(sale.clone(), async { Arc::new(audit.await) }).await
    }
}

impl Audit {
    /// Whether neither Redis nor PostgreSQL has what was asked for.
    pub(crate) fn is_of_nothing(&self) -> bool {
        self.sales.is_empty() && self.findings.is_empty()
    }

    async fn make(postgres: &str, redis: &Client, sale: Option<String>, seen: &mut AuditedSales) -> Self {
        let at_ms = now_ms();
        let (verdict, findings, sales) = (Verdict::Whole, Vec::new(), Vec::new());
        let mut audit = Self { verdict, at_ms, oldest_at_ms: at_ms, known_sales: 0, findings, sales };
        let looking = audit.look(postgres, redis, sale, seen);
        let (since_ms, finding) = match timeout(Duration::from_millis(AUDIT_MS_MAX), looking).await {
            Ok(Ok(())) => (0, None),
            // Where a server is away, what was true before says nothing.
            Ok(Err(error)) => (at_ms, Some(Finding::new(Kind::Unanswered, error.to_string()))),
            Err(_) => {
                let is_silent = seen.since(at_ms).next().is_none();
                let since_ms = if is_silent { at_ms } else { 0 };
                let (told, known) = (seen.since(since_ms).count(), audit.known_sales);
                let done = format!("{told} of {known} sales were audited so far, within {AUDIT_MS_MAX} ms each time");
                (since_ms, (is_silent || told < known).then(|| Finding::new(Kind::Unfinished, done)))
            }
        };
        audit.findings.extend(finding);
        audit.tell(seen, since_ms);
        audit
    }

    /// Looks at one sale, or at all in their turn. What was found before an error or the end of the time stays.
    async fn look(
        &mut self,
        postgres: &str,
        redis: &Client,
        sale: Option<String>,
        seen: &mut AuditedSales,
    ) -> Result<(), AuditError> {
        let mut vault = flash_vault::connect(postgres).await?;
        let sales = match sale {
            Some(sale) => vec![sale],
            None => {
                self.findings.extend(flash_audit::unreadable(&vault).await?.into_iter().flat_map(|of| of.findings));
                let mut sales = flash_audit::sales(redis, &vault).await?;
                seen.order(&mut sales, &on_sale(&vault).await?, self.at_ms);
                sales
            }
        };
        self.known_sales = sales.len();
        for sale in sales {
            let at_ms = now_ms();
            let found = match flash_audit::audit(redis, &mut vault, &sale).await {
                Ok(report) if is_blank(&report) && flash_vault::sale_facts(&vault, &sale).await?.is_none() => Ok(None),
                Ok(report) => Ok(Some(report)),
                Err(error) if error.is_of_one_sale() => Err(Finding::new(Kind::Unanswered, format!("{sale}: {error}"))),
                Err(error) => return Err(error),
            };
            seen.note(sale, at_ms, found);
        }
        Ok(())
    }

    /// Tells what was found of each sale since then, and the worst of all.
    fn tell(&mut self, seen: &AuditedSales, since_ms: u64) {
        for (at_ms, found) in seen.since(since_ms) {
            self.oldest_at_ms = self.oldest_at_ms.min(at_ms);
            match found {
                Ok(report) => self.sales.extend(report.clone()),
                Err(finding) => self.findings.push(finding.clone()),
            }
        }
        let found = self.findings.iter().map(|finding| finding.kind.verdict());
        self.verdict = found.chain(self.sales.iter().map(|sale| sale.verdict)).max().unwrap_or(Verdict::Whole);
    }
}

/// Sales that are not over.
async fn on_sale(vault: &flash_vault::Client) -> Result<HashSet<String>, AuditError> {
    let count = u32::try_from(SALES_MAX).unwrap_or(u32::MAX);
    Ok(flash_vault::sales_on_sale(vault, "", count).await?.into_iter().collect())
}

/// Redis has no such sale, and PostgreSQL has nothing but its terms, at most.
fn is_blank(report: &Report) -> bool {
    report.epoch.is_none() && report.epochs.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn servers_that_are_away_are_named_without_passwords() {
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
        let told = (Kind::Unfinished, "0 of 0 sales were audited so far, within 4000 ms each time");
        assert_eq!((audit.verdict, found), (Verdict::Unknown, vec![told]));
    }
}
