//! A row of the table.

use std::fmt;

use anyhow::Context;
use serde_json::Value;

pub(crate) const HEAD: &str = "\
| time limit for Redis, ms | slow syncs | 201 | 409 sold out | lost | repeats after 503 / 504 / none \
| p50, ms | p99, ms | p99.9, ms | max, ms | verdict |
| ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |";

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Line {
    limit_ms: u64,
    slow_syncs: usize,
    /// Units that Redis has sold, all of which are orders.
    sold: u64,
    said: Value,
}

impl Line {
    /// Of what `flash bench` printed.
    pub(crate) fn of(printed: &[u8], limit_ms: u64, slow_syncs: usize, sold: u64) -> anyhow::Result<Self> {
        let said = serde_json::from_slice(printed).context("what flash bench printed")?;
        Ok(Self { limit_ms, slow_syncs, sold, said })
    }

    /// Whether every buyer got a final answer, none of it was unknown at first, and no unit is lost.
    pub(crate) fn is_kept(&self) -> bool {
        self.said["verdict"] == "exact" && self.lost() == 0 && self.repeats("after_504") == 0
    }

    fn requests(&self, outcome: &str) -> u64 {
        self.said["outcomes"][outcome]["requests"].as_u64().unwrap_or(0)
    }

    fn repeats(&self, after: &str) -> u64 {
        self.said["repeats"][after].as_u64().unwrap_or(0)
    }

    /// Buyers without a final answer, and answers without an order.
    fn lost(&self) -> u64 {
        let undecided: u64 = ["unavailable", "unknown", "error"].iter().map(|outcome| self.requests(outcome)).sum();
        let has = self.requests("reserved") + self.requests("replayed");
        undecided + has.saturating_sub(self.sold)
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ms = |quantile: &str| self.said["outcomes"]["reserved"][quantile].as_f64().unwrap_or(f64::NAN);
        let [unavailable, unknown, others] =
            ["after_503", "after_504", "after_others"].map(|after| self.repeats(after));
        write!(
            f,
            "| {} | {} | {} | {} | {} | {unavailable} / {unknown} / {others} | {:.1} | {:.1} | {:.1} | {:.1} | {} |",
            self.limit_ms,
            self.slow_syncs,
            self.requests("reserved") + self.requests("replayed"),
            self.requests("sold_out"),
            self.lost(),
            ms("p50_ms"),
            ms("p99_ms"),
            ms("p999_ms"),
            ms("max_ms"),
            self.said["verdict"].as_str().unwrap_or("?"),
        )
    }
}
