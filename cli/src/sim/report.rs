//! What is printed: a table in the end, or a line of JSON for each strategy as soon as it is done.

use flash_sim::{Crowd, Outcome, Verdict};

use super::line::Line;
use super::table;
use crate::args::Output;
use crate::figures::{as_f64, max_ms, quantile_ms, rounded};
use crate::output;

/// Below it, a reader should know that there were too few connections, or too slow a server, for the rate.
const TIMELY_PERCENT_MIN: f64 = 95.0;

/// Prints what came of a simulation.
pub(super) struct Report {
    pub(super) output: Output,
    pub(super) crowd: Crowd,
    pub(super) units: u64,
    pub(super) concurrency: u64,
    /// Whether buyers came over HTTP.
    pub(super) http: bool,
}

impl Report {
    /// One strategy is done.
    pub(super) fn done(&self, outcome: &Outcome) {
        if self.output == Output::Json {
            output::json(&self.line(outcome));
        }
    }

    /// All are done.
    pub(super) fn end(&self, outcomes: &[Outcome]) {
        if self.output == Output::Json {
            return;
        }
        let lines: Vec<Line> = outcomes.iter().map(|outcome| self.line(outcome)).collect();
        output::text(&table::of(&lines));
        output::text("\n");
        for note in outcomes.iter().zip(&lines).filter_map(|(outcome, line)| note(outcome.verdict(), line)) {
            output::text(&note);
        }
        let late = |line: &&Line| line.timely_percent < TIMELY_PERCENT_MIN;
        let late: Vec<&str> = lines.iter().filter(late).map(|line| line.strategy).collect();
        if !late.is_empty() {
            output::text(&format!("Requests waited for a free connection: {}.\n", late.join(", ")));
        }
        let Crowd { buyers, seed, requests_per_s, .. } = self.crowd;
        output::text(&format!(
            "CPU includes what a server uses while idle.\n\
             The same buyers at the same times: --buyers {buyers} --units {} --concurrency {} --rate {requests_per_s} \
             --seed {seed}{}\n",
            self.units,
            self.concurrency,
            if self.http { " --http" } else { "" }
        ));
    }

    fn line(&self, outcome: &Outcome) -> Line {
        let tally = &outcome.tally;
        let ms = |quantile| quantile_ms(&tally.latency_us, quantile);
        let requests = as_f64(tally.requests.max(1));
        let key = |name: &str| name.to_lowercase().replace(' ', "_");
        let cpu = outcome.cpu.iter().map(|(name, time)| (key(name), rounded(time.as_secs_f64() * 1e6 / requests)));
        Line {
            strategy: outcome.strategy.name(),
            http: self.http,
            buyers: outcome.buyers,
            units: outcome.units,
            concurrency: self.concurrency,
            rate: self.crowd.requests_per_s,
            seed: self.crowd.seed,
            requests: tally.requests,
            sold: tally.sold,
            again: tally.again,
            sold_out: tally.sold_out,
            errors: tally.errors,
            contradicted: tally.contradicted,
            first_error: tally.first_error.clone(),
            retries: tally.retries,
            orders: outcome.orders,
            duplicates: outcome.duplicates,
            oversold: outcome.oversold(),
            undersold: outcome.undersold(),
            timely_percent: rounded(as_f64(tally.timely) * 100.0 / requests),
            requests_per_s: rounded(outcome.requests_per_s()),
            p50_ms: ms(0.5),
            p99_ms: ms(0.99),
            p999_ms: ms(0.999),
            max_ms: max_ms(&tally.latency_us),
            cpu_us_per_request: cpu.collect(),
            verdict: outcome.verdict().name(),
        }
    }
}

/// What the table does not say of a strategy.
fn note(verdict: Verdict, line: &Line) -> Option<String> {
    let Line { strategy, units, sold, orders, duplicates, contradicted, .. } = line;
    let found = format!("{units} units, {sold} promised, {orders} orders, {duplicates} of a buyer who has another");
    let said = match verdict {
        Verdict::Exact => None,
        Verdict::Lucky => Some("it oversells where two buyers meet, and none did this time".to_owned()),
        Verdict::AsExpected | Verdict::Broken => Some(found),
    };
    let error = line.first_error.as_ref().map(|error| format!("the first of {} errors: {error}", line.errors));
    let contradiction = (*contradicted > 0).then(|| format!("{contradicted} requests got contradictory answers"));
    let parts: Vec<String> = said.into_iter().chain(contradiction).chain(error).collect();
    (!parts.is_empty()).then(|| format!("{strategy}: {}\n", parts.join("; ")))
}
