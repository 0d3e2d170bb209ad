//! The final table: two parts, each no wider than a terminal.

use std::fmt::Write;

use super::line::Line;

type Cell = fn(&Line) -> String;

/// A column's heading, and its content. No line is wider than 100.
const SALES: [(&str, Cell); 11] = [
    ("requests", |line| line.requests.to_string()),
    ("sold", |line| line.sold.to_string()),
    ("oversold", |line| line.oversold.to_string()),
    ("undersold", |line| line.undersold.to_string()),
    ("errors", |line| line.errors.to_string()),
    ("retries", |line| line.retries.to_string()),
    ("req/s", |line| format!("{:.0}", line.requests_per_s)),
    ("p50 ms", |line| number(line.p50_ms)),
    ("p99 ms", |line| number(line.p99_ms)),
    ("p99.9", |line| number(line.p999_ms)),
    ("max", |line| number(line.max_ms)),
];

/// Both parts.
pub(super) fn of(lines: &[Line]) -> String {
    let titles = SALES.map(|(title, _)| title.to_owned()).to_vec();
    let cells = |line: &Line| (line.strategy, SALES.map(|(_, cell)| cell(line)).to_vec());
    let sales = part("strategy", titles, lines.iter().map(cells).collect());
    let servers: Vec<&String> = lines.first().map(|line| line.cpu_us_per_request.keys().collect()).unwrap_or_default();
    let titles = servers.iter().map(|server| server.replace('_', " ")).chain(["verdict".to_owned()]).collect();
    let cells = |line: &Line| {
        let cpu = servers.iter().map(|server| line.cpu_us_per_request.get(*server).copied().unwrap_or_default());
        (line.strategy, cpu.map(number).chain([line.verdict.to_owned()]).collect())
    };
    format!("{sales}\n{}", part("CPU us/request", titles, lines.iter().map(cells).collect()))
}

/// Names at the left, the rest at the right of columns that are as wide as they must be.
fn part(name: &str, titles: Vec<String>, rows: Vec<(&str, Vec<String>)>) -> String {
    const NAME_WIDTH: usize = 16;
    let mut out = String::new();
    let width = |at: usize| rows.iter().map(|(_, cells)| cells[at].len()).chain([titles[at].len()]).max().unwrap_or(0);
    let widths: Vec<usize> = (0..titles.len()).map(width).collect();
    for (name, cells) in [(name, &titles)].into_iter().chain(rows.iter().map(|(name, cells)| (*name, cells))) {
        // Into memory: it cannot fail.
        let _ = write!(out, "{name:NAME_WIDTH$}");
        for (cell, width) in cells.iter().zip(&widths) {
            let _ = write!(out, " {cell:>width$}");
        }
        out.push('\n');
    }
    out
}

/// As precise as a reader can use it.
fn number(value: f64) -> String {
    if value < 100.0 { format!("{value:.1}") } else { format!("{value:.0}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_widest_line_fits_a_terminal() {
        const MANY: u64 = 500_000;
        const LONG_MS: f64 = 120_000.0;
        let line = Line {
            http: false,
            strategy: "atomic-decrement",
            buyers: MANY,
            units: MANY,
            concurrency: 80,
            rate: 2 * MANY,
            seed: u64::MAX,
            requests: 2 * MANY,
            sold: MANY,
            again: MANY,
            sold_out: MANY,
            contradicted: MANY,
            errors: MANY,
            first_error: None,
            retries: 19 * MANY,
            orders: MANY,
            duplicates: MANY,
            oversold: MANY,
            undersold: MANY,
            timely_percent: 100.0,
            requests_per_s: 99_999.0,
            p50_ms: LONG_MS,
            p99_ms: LONG_MS,
            p999_ms: LONG_MS,
            max_ms: LONG_MS,
            cpu_us_per_request: ["gateway_and_syncer", "postgresql", "rabbitmq", "redis"]
                .map(|server| (server.to_owned(), LONG_MS))
                .into(),
            verdict: "wrong, as expected",
        };
        let text = of(&[line]);
        for line in text.lines() {
            assert!(line.len() <= 100, "{}: {line}", line.len());
        }
    }

    #[test]
    fn columns_are_as_wide_as_what_is_in_them() {
        let rows = vec![
            ("naive", vec!["1".to_owned(), "wrong".to_owned()]),
            ("flash", vec!["1234567".to_owned(), "exact".to_owned()]),
        ];
        let text = part("strategy", vec!["sold".to_owned(), "verdict".to_owned()], rows);
        let want =
            "strategy            sold verdict\nnaive                  1   wrong\nflash            1234567   exact\n";
        assert_eq!(text, want);
    }
}
