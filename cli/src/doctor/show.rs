//! Findings, for people and for programs.

use flash_doctor::{Finding, Level};

use crate::args::Output;
use crate::output;

/// Prints them: a line of JSON each, or two columns with the advice below.
pub(super) fn print(findings: &[Finding], output: Output) {
    match output {
        Output::Json => findings.iter().for_each(output::json),
        Output::Table => output::text(&table(findings)),
    }
}

fn table(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.len()).max().unwrap_or(0);
    let line = |finding: &Finding| {
        let Finding { check, level, detail, advice } = finding;
        let mark = match level {
            Level::Ok => "ok  ",
            Level::Warn => "warn",
            Level::Fail => "FAIL",
        };
        let advice = advice.as_ref().map_or(String::new(), |advice| format!("      {:width$}  -> {advice}\n", ""));
        format!("{mark}  {check:width$}  {detail}\n{advice}")
    };
    let count = |level| findings.iter().filter(|finding| finding.level == level).count();
    let lines: String = findings.iter().map(line).collect();
    format!("{lines}\n{} ok, {} warn, {} fail\n", count(Level::Ok), count(Level::Warn), count(Level::Fail))
}
