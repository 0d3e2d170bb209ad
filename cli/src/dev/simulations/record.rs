//! A simulation written down while it runs: in lists that have an end, whatever happens.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use flash_gateway::Simulated;
use flash_sim::{Crowd, Outcome, Strategy, Tally};
use serde::Serialize;

use super::outcome::Told;
use crate::clock::now_ms;
use crate::figures::quantile_ms;

/// Moments of one way to sell. When there are as many, every second one is dropped, and from then on only every second
/// is kept: what is long is drawn as well as what is short.
const MOMENTS_MAX: usize = 240;
/// Lines of the log; a way to sell takes about fifteen.
const LOG_LINES_MAX: usize = 400;
/// In so many steps is said how far a way to sell has come.
const STEPS: u64 = 10;

/// One simulation.
#[derive(Debug)]
pub(super) struct Record(Mutex<State>);

#[derive(Debug, Serialize)]
struct State {
    id: String,
    running: bool,
    settings: Settings,
    /// The last of them may still run.
    outcomes: Vec<Told>,
    moments: Vec<Moment>,
    log: Vec<Line>,
    #[serde(skip)]
    current: Option<Current>,
}

#[derive(Debug, Serialize)]
struct Settings {
    strategies: Vec<&'static str>,
    buyers: u64,
    units: u64,
    concurrency: u64,
    rate: u64,
    seed: u64,
}

#[derive(Debug, Serialize)]
struct Moment {
    strategy: &'static str,
    /// From the first request.
    at_ms: u64,
    /// Left out if it is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    available: Option<i64>,
    p99_ms: f64,
    requests: u64,
}

#[derive(Debug, Serialize)]
struct Line {
    at_ms: u64,
    strategy: &'static str,
    line: String,
}

/// The way that sells now, and what was said of it.
#[derive(Debug)]
struct Current {
    strategy: &'static str,
    requests: u64,
    /// How many looks there were, and of how many one is kept.
    looks: usize,
    one_of: usize,
    steps: u64,
    is_sold_out: bool,
    has_failed: bool,
}

impl Record {
    pub(super) fn new(id: u64, wanted: &Simulated, seed: u64) -> Self {
        let Simulated { ref strategies, buyers, units, concurrency, rate, .. } = *wanted;
        let settings = Settings { strategies: strategies.clone(), buyers, units, concurrency, rate, seed };
        Self(Mutex::new(State {
            id: id.to_string(),
            running: true,
            settings,
            outcomes: Vec::new(),
            moments: Vec::new(),
            log: Vec::new(),
            current: None,
        }))
    }

    pub(super) fn is_running(&self) -> bool {
        self.state().running
    }

    pub(super) fn json(&self) -> String {
        // Strings, numbers and lists into memory: nothing here can fail.
        serde_json::to_string(&*self.state()).unwrap_or_default()
    }

    /// Another way begins to sell.
    pub(super) fn begin(&self, strategy: Strategy, crowd: &Crowd) {
        let (strategy, requests) = (strategy.name(), crowd.requests());
        let mut state = self.state();
        let units = state.settings.units;
        state.log(strategy, format!("begins: {units} units, {requests} requests"));
        let (looks, one_of, steps, is_sold_out, has_failed) = (0, 1, 0, false, false);
        state.current = Some(Current { strategy, requests, looks, one_of, steps, is_sold_out, has_failed });
    }

    /// Its state, so long after its first request.
    pub(super) fn look(&self, at: Duration, tally: &Tally, available: Option<i64>) {
        let mut state = self.state();
        let units = state.settings.units;
        let Some(strategy) = state.current.as_ref().map(|current| current.strategy) else { return };
        state.tell(Told::so_far(strategy, units, at, tally));
        state.keep(at, tally, available);
        state.say(at, tally);
    }

    /// All of it is counted.
    pub(super) fn done(&self, outcome: &Outcome, is_stopped: bool) {
        let mut state = self.state();
        state.say(outcome.took, &outcome.tally);
        state.current = None;
        let told = Told::of(outcome, is_stopped);
        let Outcome { orders, duplicates, .. } = outcome;
        let verdict = told.verdict.as_deref().unwrap_or_default();
        let line = format!(
            "{verdict}: {} told that they have a unit, {orders} orders, {duplicates} of a buyer who has another",
            outcome.tally.sold
        );
        state.log(told.strategy, line);
        if outcome.tally.contradicted > 0 {
            state.log(told.strategy, format!("{} requests got contradictory answers", outcome.tally.contradicted));
        }
        state.tell(told);
    }

    /// It could not be run, or not be counted.
    pub(super) fn failed(&self, strategy: Strategy, tally: &Tally, error: &anyhow::Error) {
        let mut state = self.state();
        state.current = None;
        state.log(strategy.name(), format!("failed: {error:#}"));
        state.tell(Told::failed(strategy, tally, error));
    }

    /// One line more.
    pub(super) fn log(&self, strategy: &'static str, line: String) {
        self.state().log(strategy, line);
    }

    /// Nothing more comes.
    pub(super) fn end(&self) {
        self.state().running = false;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn log(&mut self, strategy: &'static str, line: String) {
        if self.log.len() < LOG_LINES_MAX {
            self.log.push(Line { at_ms: now_ms(), strategy, line });
        }
    }

    /// Replaces what was reported of the same way before.
    fn tell(&mut self, told: Told) {
        match self.outcomes.last_mut().filter(|last| last.strategy == told.strategy) {
            Some(last) => *last = told,
            None => self.outcomes.push(told),
        }
    }

    fn keep(&mut self, at: Duration, tally: &Tally, available: Option<i64>) {
        let Some(current) = &mut self.current else { return };
        let strategy = current.strategy;
        let is_kept = current.looks.is_multiple_of(current.one_of);
        current.looks += 1;
        if !is_kept {
            return;
        }
        if self.moments.iter().filter(|moment| moment.strategy == strategy).count() >= MOMENTS_MAX {
            current.one_of *= 2;
            let mut at = 0;
            self.moments.retain(|moment| {
                at += usize::from(moment.strategy == strategy);
                moment.strategy != strategy || !at.is_multiple_of(2)
            });
        }
        let at_ms = u64::try_from(at.as_millis()).unwrap_or(u64::MAX);
        let p99_ms = quantile_ms(&tally.latency_us, 0.99);
        self.moments.push(Moment { strategy, at_ms, available, p99_ms, requests: tally.requests });
    }

    /// What there is to be said of it for the first time.
    fn say(&mut self, at: Duration, tally: &Tally) {
        let Some(current) = &mut self.current else { return };
        let (strategy, mut lines) = (current.strategy, Vec::new());
        if tally.sold_out > 0 && !current.is_sold_out {
            current.is_sold_out = true;
            lines.push(format!("sold out within {} ms, by the buyers' answers", at.as_millis()));
        }
        if let (Some(error), false) = (&tally.first_error, current.has_failed) {
            current.has_failed = true;
            lines.push(format!("the first error: {error}"));
        }
        let steps = tally.requests * STEPS / current.requests.max(1);
        if steps > current.steps {
            current.steps = steps;
            lines.push(format!("{} % have an answer", steps * 100 / STEPS));
        }
        lines.into_iter().for_each(|line| self.log(strategy, line));
    }
}

#[cfg(test)]
mod tests {
    use flash_sim::Live;
    use serde_json::Value;

    use super::*;

    const CROWD: Crowd = Crowd { buyers: 100, repeat_percent: 0, requests_per_s: 10, seed: 7 };

    fn record() -> Record {
        let strategies = vec!["naive", "flash"];
        let wanted = Simulated { strategies, buyers: 100, units: 10, concurrency: 4, rate: 10, seed: None };
        Record::new(1, &wanted, 7)
    }

    fn tally(requests: u64, sold: u64, sold_out: u64) -> Tally {
        Tally { requests, sold, sold_out, ..Live::new().unwrap().look() }
    }

    fn json(record: &Record) -> Value {
        serde_json::from_str(&record.json()).unwrap()
    }

    fn lines(record: &Record) -> Vec<String> {
        let told = json(record);
        let lines = told["log"].as_array().unwrap().iter();
        lines
            .map(|line| format!("{}: {}", line["strategy"].as_str().unwrap(), line["line"].as_str().unwrap()))
            .collect()
    }

    #[test]
    fn what_happens_is_said_once_and_never_for_each_request() {
        let record = record();
        let at = Duration::from_millis;
        record.begin(Strategy::Naive, &CROWD);
        for requests in 0..=99 {
            record.look(at(requests * 5), &tally(requests, requests.min(12), requests.saturating_sub(12)), Some(0));
        }
        let (strategy, units, buyers, took, cpu) = (Strategy::Naive, 10, 100, at(500), Vec::new());
        let (tally, orders, duplicates) = (tally(100, 12, 88), 12, 0);
        record.done(&Outcome { strategy, units, buyers, tally, took, orders, duplicates, cpu }, false);
        let mut want = vec!["naive: begins: 10 units, 100 requests".to_owned()];
        want.extend((1..=10).map(|step| format!("naive: {} % have an answer", step * 10)));
        want.insert(2, "naive: sold out within 65 ms, by the buyers' answers".to_owned());
        let end = "naive: wrong, as expected: 12 told that they have a unit, 12 orders, 0 of a buyer who has another";
        want.push(end.to_owned());
        assert_eq!(lines(&record), want);
        let told = json(&record);
        let outcome = &told["outcomes"][0];
        assert_eq!(
            (&outcome["done"], &outcome["oversold"], &outcome["undersold"]),
            (&true.into(), &2.into(), &0.into())
        );
        assert_eq!(told["outcomes"].as_array().unwrap().len(), 1, "{told}");
    }

    #[test]
    fn before_all_is_counted_there_is_no_verdict_and_after_a_stop_none_either() {
        let record = record();
        record.begin(Strategy::Flash, &CROWD);
        record.look(Duration::from_secs(1), &tally(50, 10, 40), None);
        let told = json(&record);
        assert_eq!((&told["running"], &told["outcomes"][0]["done"]), (&true.into(), &false.into()));
        assert!(told["outcomes"][0]["verdict"].is_null() && told["outcomes"][0]["undersold"].is_null(), "{told}");
        assert!(told["moments"][0]["available"].is_null() && told["moments"][0]["at_ms"] == 1_000, "{told}");
        let (strategy, units, buyers, took, cpu) = (Strategy::Flash, 10, 100, Duration::from_secs(1), Vec::new());
        let (tally, orders, duplicates) = (tally(50, 9, 0), 9, 0);
        record.done(&Outcome { strategy, units, buyers, tally, took, orders, duplicates, cpu }, true);
        record.end();
        let told = json(&record);
        assert_eq!((&told["running"], &told["outcomes"][0]["verdict"]), (&false.into(), &"stopped".into()));
        assert!(told["outcomes"][0]["undersold"].is_null(), "{told}");
    }

    #[test]
    fn moments_have_an_end_and_still_go_from_the_first_to_the_last() {
        let record = record();
        for strategy in [Strategy::Naive, Strategy::Flash] {
            record.begin(strategy, &CROWD);
            for look in 0..10_000 {
                record.look(Duration::from_millis(look), &tally(0, 0, 0), Some(1));
            }
        }
        let told = json(&record);
        for strategy in ["naive", "flash"] {
            let moments = told["moments"].as_array().unwrap().iter().filter(|moment| moment["strategy"] == strategy);
            let at: Vec<u64> = moments.map(|moment| moment["at_ms"].as_u64().unwrap()).collect();
            assert!(at.is_sorted() && (MOMENTS_MAX / 2..=MOMENTS_MAX).contains(&at.len()), "{at:?}");
            assert!(at[0] == 0 && *at.last().unwrap() > 9_900, "{at:?}");
        }
    }

    #[test]
    fn the_log_has_an_end() {
        let record = record();
        (0..2 * LOG_LINES_MAX).for_each(|at| record.log("", at.to_string()));
        assert_eq!(lines(&record).len(), LOG_LINES_MAX);
    }
}
