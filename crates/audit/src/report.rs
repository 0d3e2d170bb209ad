//! What an audit says of one sale.

use serde::Serialize;

use crate::finding::{Finding, Verdict};

/// One sale, as it was audited. Numbers of Redis are none where Redis has no such sale.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The sale; none: what belongs to no sale.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sale: Option<String>,
    /// Its state.
    pub verdict: Verdict,
    /// Its life in Redis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub epoch: Option<u64>,
    /// The newest event in Redis.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
    /// Every event up to here has left the journal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub acked: Option<u64>,
    /// When the oldest event that PostgreSQL lacks was decided, Unix milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unpersisted_since_ms: Option<u64>,
    /// Every event of that life up to here is in PostgreSQL.
    pub head: u64,
    /// Its lives in PostgreSQL.
    pub epochs: Vec<EpochReport>,
    /// Its SKUs.
    pub skus: Vec<SkuReport>,
    /// What was found.
    pub findings: Vec<Finding>,
}

/// One life of a sale in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EpochReport {
    /// Which.
    pub epoch: u64,
    /// Every event up to here is written.
    pub head: u64,
    /// Its last event, if it is over.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sealed_at: Option<u64>,
    /// Events of it that are lost.
    pub gaps: u64,
    /// Events that wait beyond a gap.
    pub early: u64,
    /// Reservations that were refused.
    pub rejected: u64,
}

/// One SKU: what Redis says, and what PostgreSQL says, each at its own moment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SkuReport {
    /// Its name.
    pub sku: String,
    /// Units on sale, by Redis.
    pub total: u64,
    /// Units that anyone may reserve, by Redis.
    pub available: u64,
    /// Units in holds, by Redis.
    pub held: u64,
    /// Units sold, by Redis.
    pub confirmed: u64,
    /// Units of held and confirmed orders, by PostgreSQL.
    pub ordered: u64,
}

impl Report {
    /// Events that Redis has and PostgreSQL has not yet.
    #[must_use]
    pub fn in_flight(&self) -> Option<u64> {
        Some(self.seq?.saturating_sub(self.head))
    }

    pub(crate) fn with(mut self, findings: Vec<Finding>) -> Self {
        self.verdict = findings.iter().map(|finding| finding.kind.verdict()).max().unwrap_or(Verdict::Whole);
        self.findings = findings;
        self
    }
}
