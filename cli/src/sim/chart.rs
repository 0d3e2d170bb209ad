//! The results as an SVG: a panel for each figure, a bar for each strategy.

use std::fmt::Write;

use flash_sim::Outcome;

use super::report::Report;
use crate::figures::as_f64;

const NAMES_PX: f64 = 140.0;
const BAR_PX: f64 = 190.0;
/// A bar, its number, and some room.
const PANEL_PX: f64 = BAR_PX + 70.0;
const ROW_PX: f64 = 24.0;
const BAR_HEIGHT_PX: f64 = 16.0;
const TOP_PX: f64 = 84.0;
const FOOT_PX: f64 = 34.0;

/// Colours that people with any sight tell apart (Okabe and Ito).
const EXACT: &str = "#0072b2";
const WRONG: &str = "#d55e00";

/// Where a logarithmic panel begins.
const LOGARITHM_MIN: f64 = 0.1;

struct Panel {
    title: &'static str,
    figure: fn(&Outcome) -> f64,
    /// Where figures differ a thousandfold.
    is_logarithmic: bool,
}

const PANELS: [Panel; 4] = [
    Panel { title: "units sold", figure: sold, is_logarithmic: false },
    Panel { title: "requests a second", figure: Outcome::requests_per_s, is_logarithmic: false },
    Panel { title: "p99 latency, ms (logarithmic)", figure: p99_ms, is_logarithmic: true },
    Panel { title: "CPU of all servers, us a request", figure: cpu_us, is_logarithmic: false },
];

fn sold(outcome: &Outcome) -> f64 {
    as_f64(outcome.orders.max(outcome.tally.sold))
}

fn p99_ms(outcome: &Outcome) -> f64 {
    as_f64(outcome.tally.latency_us.value_at_quantile(0.99)) / 1_000.0
}

fn cpu_us(outcome: &Outcome) -> f64 {
    let all: f64 = outcome.cpu.iter().map(|(_, time)| time.as_secs_f64()).sum();
    all * 1e6 / as_f64(outcome.tally.requests.max(1))
}

/// Draws them.
pub(super) fn svg(report: &Report, outcomes: &[Outcome]) -> String {
    let width = NAMES_PX + PANEL_PX * as_f64(PANELS.len() as u64);
    let (height, foot) = (row(outcomes.len()) + FOOT_PX, row(outcomes.len()) + FOOT_PX - 12.0);
    let Report { crowd, units, concurrency, http, .. } = report;
    let title = format!(
        "{} buyers{}, {units} units, {} requests a second, {concurrency} at once, seed {}",
        crowd.buyers,
        if *http { " over HTTP" } else { "" },
        crowd.requests_per_s,
        crowd.seed
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n<title>{title}</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    text(&mut out, (16.0, 28.0), "font-size=\"15\" font-weight=\"bold\"", &title);
    for (at, outcome) in outcomes.iter().enumerate() {
        text(&mut out, (NAMES_PX - 10.0, row(at) + 13.0), "text-anchor=\"end\"", outcome.strategy.name());
    }
    for (at, panel) in PANELS.iter().enumerate() {
        panel.draw(&mut out, NAMES_PX + PANEL_PX * as_f64(at as u64), outcomes);
    }
    key(&mut out, (NAMES_PX, foot), EXACT, "exactly what there was, once to each buyer");
    key(&mut out, (NAMES_PX + 2.0 * PANEL_PX, foot), WRONG, "not so");
    out.push_str("</svg>\n");
    out
}

impl Panel {
    fn draw(&self, out: &mut String, left: f64, outcomes: &[Outcome]) {
        let most = outcomes.iter().map(self.figure).fold(f64::MIN_POSITIVE, f64::max);
        text(out, (left, TOP_PX - 14.0), "font-weight=\"bold\"", self.title);
        for (at, outcome) in outcomes.iter().enumerate() {
            let (value, top) = ((self.figure)(outcome), row(at));
            let colour = if outcome.verdict().is_exact() { EXACT } else { WRONG };
            let length = BAR_PX * self.part(value, most);
            bar(out, (left, top), length, colour);
            let label = if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") };
            text(out, (left + length + 5.0, top + 13.0), "", &label);
        }
    }

    /// How much of the longest bar's length a bar has.
    fn part(&self, value: f64, most: f64) -> f64 {
        if !self.is_logarithmic {
            return value / most;
        }
        let above = |value: f64| (value.max(LOGARITHM_MIN) / LOGARITHM_MIN).ln();
        above(value) / above(most).max(f64::MIN_POSITIVE)
    }
}

fn key(out: &mut String, (left, top): (f64, f64), colour: &str, meaning: &str) {
    bar(out, (left, top - 13.0), BAR_HEIGHT_PX, colour);
    text(out, (left + BAR_HEIGHT_PX + 6.0, top), "", meaning);
}

fn row(at: usize) -> f64 {
    TOP_PX + ROW_PX * as_f64(at as u64)
}

fn bar(out: &mut String, (left, top): (f64, f64), length: f64, colour: &str) {
    // Into memory: it cannot fail.
    let _ = writeln!(
        out,
        "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{length:.1}\" height=\"{BAR_HEIGHT_PX}\" fill=\"{colour}\"/>"
    );
}

/// Names and numbers of ours: nothing in them needs escaping.
fn text(out: &mut String, (x, y): (f64, f64), style: &str, text: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" {style}>{text}</text>");
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use flash_sim::{Crowd, Live, Strategy, Tally};

    use super::*;
    use crate::args::Output;

    fn outcome(strategy: Strategy, sold: u64) -> Outcome {
        let tally = Tally { requests: 100, sold, ..Live::new().unwrap().look() };
        let (units, buyers, took, duplicates, cpu) = (10, 100, Duration::from_secs(1), 0, Vec::new());
        Outcome { strategy, units, buyers, tally, took, orders: sold, duplicates, cpu }
    }

    #[test]
    fn each_strategy_has_a_bar_in_each_panel_and_the_colour_of_its_verdict() {
        let crowd = Crowd { buyers: 100, repeat_percent: 0, requests_per_s: 100, seed: 7 };
        let report = Report { output: Output::Table, crowd, units: 10, concurrency: 8, http: false };
        let svg = svg(&report, &[outcome(Strategy::Naive, 20), outcome(Strategy::Flash, 10)]);
        let count = |text: &str| svg.matches(text).count();
        // One more of each in the key.
        assert_eq!((count(EXACT), count(WRONG)), (PANELS.len() + 1, PANELS.len() + 1), "{svg}");
        assert_eq!((count(">naive<"), count(">flash<")), (1, 1), "{svg}");
        assert!(svg.contains("width=\"190.0\"") && svg.contains("width=\"95.0\""), "20 units and 10: {svg}");
        assert!(
            !svg.contains("NaN") && !svg.contains("inf"),
            "nothing was measured, and nothing is divided by it: {svg}"
        );
    }

    #[test]
    fn a_logarithmic_bar_grows_by_as_much_for_each_tenfold() {
        let panel = &PANELS[2];
        for (value, want) in [(0.0, 0.0), (0.1, 0.0), (1.0, 0.25), (10.0, 0.5), (1_000.0, 1.0)] {
            let part = panel.part(value, 1_000.0);
            assert!((part - want).abs() < 1e-9, "{value}: {part}");
        }
    }
}
