//! The text in which Prometheus reads metrics (exposition format 0.0.4).

use std::fmt::Write;

use crate::count::Histogram;

/// What the text is, for HTTP.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
/// Sales that have a line of their own in one metric: those with the largest values. A label is remembered for long by
/// the scraper, so their number must have a bound.
pub const SALES_MAX: usize = 50;
/// The sale in whose name the others are summed up. No sale can be called so.
pub const OTHER_SALES: &str = "(others)";

/// A page in the making.
#[derive(Debug, Default)]
pub struct Page(String);

impl Page {
    /// The text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.0
    }

    /// A number that only grows.
    pub fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.head(name, help, "counter");
        self.line(format_args!("{name} {value}"));
    }

    /// A number that only grows for each value of a label. Both are of letters, digits, `.`, `_` and `-`, and few.
    pub fn counter_by(&mut self, name: &str, help: &str, label: &str, values: Vec<(&str, u64)>) {
        self.head(name, help, "counter");
        for (of, value) in values {
            self.line(format_args!("{name}{{{label}=\"{of}\"}} {value}"));
        }
    }

    /// A fraction that only grows.
    pub fn counter_of(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help, "counter");
        self.line(format_args!("{name} {value}"));
    }

    /// A number that only grows for each value of two labels. All are of letters, digits, `.`, `_` and `-`, and few.
    pub fn counter_by_two<'a>(
        &mut self,
        name: &str,
        help: &str,
        [one, two]: [&str; 2],
        values: impl Iterator<Item = ([&'a str; 2], u64)>,
    ) {
        self.head(name, help, "counter");
        for ([of_one, of_two], value) in values {
            self.line(format_args!("{name}{{{one}=\"{of_one}\",{two}=\"{of_two}\"}} {value}"));
        }
    }

    /// A number that goes up and down for each value of two labels, as [`Page::counter_by_two`].
    pub fn gauge_by_two<'a>(
        &mut self,
        name: &str,
        help: &str,
        [one, two]: [&str; 2],
        values: impl Iterator<Item = ([&'a str; 2], u64)>,
    ) {
        self.head(name, help, "gauge");
        for ([of_one, of_two], value) in values {
            self.line(format_args!("{name}{{{one}=\"{of_one}\",{two}=\"{of_two}\"}} {value}"));
        }
    }

    /// A number that goes up and down.
    pub fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.head(name, help, "gauge");
        self.line(format_args!("{name} {value}"));
    }

    /// A number that goes up and down; without a line, if it is unknown.
    pub fn gauge_if_known(&mut self, name: &str, help: &str, value: Option<u64>) {
        let Some(value) = value else { return };
        self.head(name, help, "gauge");
        self.line(format_args!("{name} {value}"));
    }

    /// A number that goes up and down for each value of a label. Both are of letters, digits, `.`, `_` and `-`, and
    /// few.
    pub fn gauge_by(&mut self, name: &str, help: &str, label: &str, values: impl Iterator<Item = (String, u64)>) {
        self.head(name, help, "gauge");
        for (of, value) in values {
            self.line(format_args!("{name}{{{label}=\"{of}\"}} {value}"));
        }
    }

    /// A number for each sale: at most [`SALES_MAX`] of them, the largest first, and the sum of the rest.
    pub fn gauge_by_sale(&mut self, name: &str, help: &str, mut values: Vec<(&str, u64)>) {
        self.head(name, help, "gauge");
        values.sort_unstable_by(|(one, of_one), (two, of_two)| of_two.cmp(of_one).then(one.cmp(two)));
        let rest = values.split_off(values.len().min(SALES_MAX));
        for (sale, value) in values {
            // A sale's id is of letters, digits, '.', '_' and '-': nothing to escape.
            self.line(format_args!("{name}{{sale=\"{sale}\"}} {value}"));
        }
        if !rest.is_empty() {
            let sum: u64 = rest.iter().map(|(_, value)| value).sum();
            self.line(format_args!("{name}{{sale=\"{OTHER_SALES}\"}} {sum}"));
        }
    }

    /// How values are spread.
    pub fn histogram(&mut self, name: &str, help: &str, histogram: &Histogram) {
        self.head(name, help, "histogram");
        self.buckets(name, "", histogram);
    }

    /// How values are spread for each value of a label. Both are of letters, digits, `.`, `_` and `-`, and few.
    pub fn histogram_by<'a>(
        &mut self,
        name: &str,
        help: &str,
        label: &str,
        values: impl Iterator<Item = (&'a str, &'a Histogram)>,
    ) {
        self.head(name, help, "histogram");
        for (of, histogram) in values {
            self.buckets(name, &format!("{label}=\"{of}\""), histogram);
        }
    }

    fn buckets(&mut self, name: &str, label: &str, histogram: &Histogram) {
        let (below, count, sum) = histogram.read();
        let comma = if label.is_empty() { "" } else { "," };
        for (bound, count) in below {
            self.line(format_args!("{name}_bucket{{{label}{comma}le=\"{bound}\"}} {count}"));
        }
        self.line(format_args!("{name}_bucket{{{label}{comma}le=\"+Inf\"}} {count}"));
        let labels = if label.is_empty() { String::new() } else { format!("{{{label}}}") };
        self.line(format_args!("{name}_sum{labels} {sum}"));
        self.line(format_args!("{name}_count{labels} {count}"));
    }

    fn head(&mut self, name: &str, help: &str, kind: &str) {
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: std::fmt::Arguments) {
        // Into memory: it cannot fail.
        let _ = writeln!(self.0, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::count::LATENCY_SECONDS;

    #[test]
    fn a_page_is_what_prometheus_reads() {
        let mut page = Page::default();
        page.counter("flash_a_total", "A.", 7);
        page.counter_by("flash_d_total", "D.", "of", vec![("one", 1), ("two", 2)]);
        page.gauge("flash_b_seconds", "B.", 0.25);
        page.gauge_by_sale("flash_c", "C.", vec![("one", 1), ("two", 2)]);
        let want = "# HELP flash_a_total A.\n# TYPE flash_a_total counter\nflash_a_total 7\n\
                    # HELP flash_d_total D.\n# TYPE flash_d_total counter\nflash_d_total{of=\"one\"} 1\n\
                    flash_d_total{of=\"two\"} 2\n\
                    # HELP flash_b_seconds B.\n# TYPE flash_b_seconds gauge\nflash_b_seconds 0.25\n\
                    # HELP flash_c C.\n# TYPE flash_c gauge\nflash_c{sale=\"two\"} 2\nflash_c{sale=\"one\"} 1\n";
        assert_eq!(page.into_text(), want);
    }

    #[test]
    fn however_many_sales_there_are_the_lines_are_bounded_and_nothing_is_left_out() {
        let names: Vec<String> = (0..1_000).map(|sale| format!("sale-{sale}")).collect();
        let mut page = Page::default();
        page.gauge_by_sale("flash_c", "C.", names.iter().map(String::as_str).zip(0..).collect());
        let text = page.into_text();
        assert_eq!(text.lines().count(), 2 + SALES_MAX + 1);
        let values = text.lines().filter_map(|line| line.split_once("} ")?.1.parse::<u64>().ok());
        assert_eq!(values.sum::<u64>(), (0..1_000).sum::<u64>());
        assert!(text.contains("sale-999") && !text.contains("sale-0\""), "the largest stand alone");
    }

    #[test]
    fn a_histogram_counts_each_value_once_and_adds_up() {
        let histogram = Histogram::new(&LATENCY_SECONDS);
        for ms in [1, 2, 3, 90_000] {
            histogram.took(Duration::from_millis(ms));
        }
        let mut page = Page::default();
        page.histogram("flash_d_seconds", "D.", &histogram);
        let text = page.into_text();
        for line in [
            "flash_d_seconds_bucket{le=\"0.001\"} 1",
            "flash_d_seconds_bucket{le=\"0.002\"} 2",
            "flash_d_seconds_bucket{le=\"0.005\"} 3",
            "flash_d_seconds_bucket{le=\"30\"} 3",
            "flash_d_seconds_bucket{le=\"+Inf\"} 4",
            "flash_d_seconds_sum 90.006",
            "flash_d_seconds_count 4",
        ] {
            assert!(text.lines().any(|got| got == line), "{line} in\n{text}");
        }
    }
}
