//! The results as an SVG: a panel a figure, a bar a strategy.

use std::fmt::Write;

use flash_sim::{Outcome, Verdict};

const LEFT_PX: f64 = 150.0;
const BAR_PX: f64 = 220.0;
const ROW_PX: f64 = 24.0;
const TOP_PX: f64 = 56.0;
const PANEL_PX: f64 = BAR_PX + 90.0;

/// Colours that people with any sight tell apart (Okabe and Ito): kept its promise, or did not.
const GOOD: &str = "#0072b2";
const BAD: &str = "#d55e00";

type Figure = fn(&Outcome) -> f64;

const PANELS: [(&str, Figure); 3] = [
    ("orders, of what there was", |outcome| as_f64(outcome.orders.max(outcome.tally.sold))),
    ("p99, ms", |outcome| as_f64(outcome.tally.latency_us.value_at_quantile(0.99)) / 1_000.0),
    ("server CPU per request, us", |outcome| {
        let all: f64 = outcome.cpu.iter().map(|(_, time)| time.as_secs_f64()).sum();
        all * 1e6 / as_f64(outcome.tally.requests.max(1))
    }),
];

/// Draws them.
pub(crate) fn svg(outcomes: &[Outcome]) -> String {
    let width = LEFT_PX + PANEL_PX * as_f64(PANELS.len() as u64);
    let height = TOP_PX + ROW_PX * as_f64(outcomes.len() as u64) + 16.0;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (at, outcome) in outcomes.iter().enumerate() {
        text(&mut out, LEFT_PX - 10.0, row(at) + 15.0, "end", outcome.strategy.name());
    }
    for (at, (title, figure)) in PANELS.iter().enumerate() {
        panel(&mut out, LEFT_PX + PANEL_PX * as_f64(at as u64), title, *figure, outcomes);
    }
    out.push_str("</svg>\n");
    out
}

fn panel(out: &mut String, left: f64, title: &str, figure: Figure, outcomes: &[Outcome]) {
    let most = outcomes.iter().map(figure).fold(f64::MIN_POSITIVE, f64::max);
    text(out, left, TOP_PX - 18.0, "start", title);
    for (at, outcome) in outcomes.iter().enumerate() {
        let (value, top) = (figure(outcome), row(at));
        let colour = if outcome.verdict() == Verdict::Exact { GOOD } else { BAD };
        let length = BAR_PX * value / most;
        // Into memory: it cannot fail.
        let _ = writeln!(
            out,
            "<rect x=\"{left:.1}\" y=\"{top:.1}\" width=\"{length:.1}\" height=\"{:.1}\" fill=\"{colour}\"/>",
            ROW_PX - 6.0
        );
        let label = if value < 10.0 { format!("{value:.1}") } else { format!("{value:.0}") };
        text(out, left + length + 6.0, top + 14.0, "start", &label);
    }
}

fn row(at: usize) -> f64 {
    TOP_PX + ROW_PX * as_f64(at as u64)
}

/// Names and numbers of ours: nothing in them needs escaping.
fn text(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>");
}

#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
const fn as_f64(value: u64) -> f64 {
    value as f64
}
