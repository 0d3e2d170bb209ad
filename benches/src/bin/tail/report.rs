//! The table.

use std::fmt;
use std::time::Duration;

use crate::level::{Level, Plight};
use crate::verdict::Verdict;

/// The rounds of one level in one plight.
pub(crate) struct Line {
    pub(crate) level: Level,
    pub(crate) plight: Plight,
    pub(crate) rounds: Vec<Verdict>,
}

impl Line {
    fn sum(&self, figure: impl Fn(&Verdict) -> u64) -> u64 {
        self.rounds.iter().map(figure).sum()
    }

    fn oldest_missing(&self) -> Option<Duration> {
        self.rounds.iter().filter_map(|round| round.oldest_missing).max()
    }

    fn outcome(&self) -> &'static str {
        match (self.is_kept(), self.sum(|round| round.acknowledged)) {
            (false, _) => "BROKEN",
            (true, 0) => "refused",
            (true, _) => "kept",
        }
    }

    /// Whether the level kept what it promises.
    pub(crate) fn is_kept(&self) -> bool {
        let bound = self.level.oldest_missing_max(self.plight);
        // Without a bound nothing may be missing, however young.
        let is_bounded = self.oldest_missing().is_none_or(|oldest| bound.is_some_and(|bound| oldest <= bound));
        is_bounded && self.rounds.iter().all(|round| round.wrong.is_empty())
    }
}

/// The head of the table.
pub(crate) const HEAD: &str = "\
| `Flash-Durability` | file | Redis is lost by | beside that | rounds | acknowledged | in PostgreSQL before | rejected | missing | \
most in a round | oldest missing, ms | bound, ms | |
| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |";

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Level { durability, file, loss, .. } = self.level;
        let ms = |age: Duration| format!("{:.1}", age.as_secs_f64() * 1e3);
        let bound = self.level.oldest_missing_max(self.plight);
        write!(f, "| `{durability}` | {file} | {} | {} | {} ", loss.name(), self.plight.name(), self.rounds.len())?;
        write!(f, "| {} | {} ", self.sum(|round| round.acknowledged), self.sum(|round| round.persisted))?;
        write!(f, "| {} | {} ", self.sum(|round| round.rejected), self.sum(|round| round.missing))?;
        write!(f, "| {} ", self.rounds.iter().map(|round| round.missing).max().unwrap_or(0))?;
        write!(f, "| {} ", self.oldest_missing().map_or("–".to_owned(), ms))?;
        write!(f, "| {} ", bound.map_or("nothing is missing".to_owned(), |bound| bound.as_millis().to_string()))?;
        write!(f, "| {} |", self.outcome())
    }
}
