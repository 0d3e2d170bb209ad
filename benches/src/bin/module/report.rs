//! The result, as tables for people (in Markdown, for they go into the README) and as JSON.

use std::fmt;

use serde::Serialize;

use crate::case::Case;
use crate::figures::Figures;
use crate::load::Cost;
use crate::marks::Mark;
use crate::server::SLOW_US;
use crate::subject::{Path, Subject};

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    /// The server's version.
    pub(crate) server: String,
    /// Processes that were ready to run, on average over the minute before and the one after.
    pub(crate) load: [f64; 2],
    pub(crate) figures: Vec<Figures>,
    pub(crate) marks: Vec<Mark>,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = self.load;
        writeln!(f, "Redis {}, load average {before:.2} before, {after:.2} behind.\n", self.server)?;
        let mut promised: Vec<Subject> = Vec::new();
        for figures in &self.figures {
            if !promised.contains(&figures.subject) {
                promised.push(figures.subject);
                writeln!(f, "- **{}**: {}", figures.subject.name(), figures.subject.promise())?;
            }
        }
        for cases in self.figures.chunk_by(|a, b| a.case == b.case) {
            self.table(f, &cases[0].case, cases)?;
        }
        writeln!(f, "\n| mark | measured | at most | |\n| --- | --- | --- | --- |")?;
        self.marks.iter().try_for_each(|mark| writeln!(f, "{mark}"))
    }
}

impl Report {
    fn table(&self, f: &mut fmt::Formatter<'_>, case: &Case, figures: &[Figures]) -> fmt::Result {
        writeln!(f, "\n| {case} | accepted | repeated | sold out | status | bytes | acked | slowest |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        for figures in figures {
            write!(f, "| {} |", figures.subject.name())?;
            let only = figures.cost(Path::Only);
            for path in [Path::Accepted, Path::Repeated, Path::SoldOut, Path::Status] {
                // A subject with one path has its figure in the first column.
                match only.filter(|_| path == Path::Accepted).or(figures.cost(path)) {
                    Some(cost) => write!(f, " {:.2} |", cost.us)?,
                    None => write!(f, " |")?,
                }
            }
            match figures.bytes {
                Some(bytes) => write!(f, " {:.0} | {:.0} |", bytes.reserved, bytes.acked)?,
                None => write!(f, " | |")?,
            }
            writeln!(f, " {} |", slowest(&figures.costs))?;
        }
        Ok(())
    }
}

/// The longest call, and how long the server waited for a CPU in all.
fn slowest(costs: &[(Path, Cost)]) -> String {
    let Some(slowest) = costs.iter().map(|(_, cost)| *cost).max_by_key(|cost| cost.slowest_us) else {
        return String::new();
    };
    let preempted: u64 = costs.iter().map(|(_, cost)| cost.preempted).sum();
    match slowest.slowest_us {
        Some(us) => format!("{us} µs, preempted {preempted}×"),
        None => format!("< {SLOW_US} µs"),
    }
}
