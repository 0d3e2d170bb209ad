//! The cost over the size of a sale, as an SVG.

use std::fmt::Write;

use crate::case::{Aof, Ids};
use crate::figures::Figures;
use crate::subject::{Path, Subject};

/// Panels beside each other.
const COLUMNS: usize = 2;
const PANEL_PX: (f64, f64) = (330.0, 220.0);
/// Left of a panel stand the numbers of its axis; above it, its title and the axis of the one above.
const GAP_PX: (f64, f64) = (60.0, 84.0);
const LEGEND_PX: f64 = 92.0;
const LEGEND_COLUMN_PX: f64 = 190.0;
const LEGEND_COLUMNS: usize = 4;

/// Colours that people with any sight tell apart (Okabe and Ito), and a dash for what is there for comparison.
const LINES: [(Subject, &str, &str); 8] = [
    (Subject::LuaPromise, "#d55e00", ""),
    (Subject::LuaStream, "#e69f00", ""),
    (Subject::LuaDedup, "#cc79a7", ""),
    (Subject::Flash, "#0072b2", ""),
    (Subject::FlashBare, "#56b4e9", ""),
    (Subject::Throttle, "#009e73", "5 3"),
    (Subject::Incr, "#444444", "5 3"),
    (Subject::Ping, "#999999", "2 3"),
];

type Figure = fn(&Figures) -> Option<f64>;

const PANELS: [(&str, Figure); 4] = [
    ("accepted, µs of server CPU", |figures| {
        figures.cost(Path::Accepted).or(figures.cost(Path::Only)).map(|cost| cost.us)
    }),
    ("repeated, µs", |figures| figures.cost(Path::Repeated).or(figures.cost(Path::Only)).map(|cost| cost.us)),
    ("sold out, µs", |figures| figures.cost(Path::SoldOut).or(figures.cost(Path::Only)).map(|cost| cost.us)),
    ("bytes per reservation, journal emptied", |figures| figures.bytes.map(|bytes| bytes.acked)),
];

/// Draws what was measured with 17-byte ids, pipelined, without an AOF.
pub(crate) fn svg(figures: &[Figures]) -> String {
    let is_drawn = |figures: &&Figures| {
        figures.case.ids == Ids::Short && figures.case.in_flight > 1 && figures.case.aof == Aof::Off
    };
    let drawn: Vec<&Figures> = figures.iter().filter(is_drawn).collect();
    let rows = PANELS.len().div_ceil(COLUMNS);
    let width = (PANEL_PX.0 + GAP_PX.0) * COLUMNS as f64 + 24.0;
    let legend_top = (PANEL_PX.1 + GAP_PX.1) * rows as f64;
    let height = legend_top + LEGEND_PX;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
         viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
    );
    for (at, (title, figure)) in PANELS.iter().enumerate() {
        let (column, row) = ((at % COLUMNS) as f64, (at / COLUMNS) as f64);
        let left = GAP_PX.0 + (PANEL_PX.0 + GAP_PX.0) * column;
        let top = 40.0 + (PANEL_PX.1 + GAP_PX.1) * row;
        Panel::new(&drawn, *figure, left, top).draw(title, &drawn, &mut out);
    }
    legend(&drawn, legend_top + 40.0, &mut out);
    out.push_str("</svg>\n");
    out
}

/// A panel, both of whose axes are logarithmic.
struct Panel {
    figure: Figure,
    left: f64,
    top: f64,
    sizes: Vec<u64>,
    /// The decimal logarithms of the lowest and the highest value.
    values: (f64, f64),
}

impl Panel {
    fn new(drawn: &[&Figures], figure: Figure, left: f64, top: f64) -> Self {
        let mut sizes: Vec<u64> = drawn.iter().map(|figures| figures.case.buyers).collect();
        sizes.sort_unstable();
        sizes.dedup();
        let values = drawn.iter().filter_map(|figures| figure(figures)).map(f64::log10);
        let lowest = values.clone().fold(f64::INFINITY, f64::min) - 0.1;
        let highest = values.fold(f64::NEG_INFINITY, f64::max) + 0.1;
        Self { figure, left, top, sizes, values: (lowest, highest) }
    }

    fn x(&self, size: u64) -> f64 {
        let log = |size: u64| (size as f64).log10();
        let (first, last) = (self.sizes.first().copied().unwrap_or(1), self.sizes.last().copied().unwrap_or(1));
        let share = if first == last { 0.5 } else { (log(size) - log(first)) / (log(last) - log(first)) };
        self.left + 14.0 + share * (PANEL_PX.0 - 28.0)
    }

    fn y(&self, value: f64) -> f64 {
        let (lowest, highest) = self.values;
        self.top + PANEL_PX.1 * (highest - value.log10()) / (highest - lowest)
    }

    fn draw(&self, title: &str, drawn: &[&Figures], out: &mut String) {
        let (left, top) = (self.left, self.top);
        let (right, bottom) = (left + PANEL_PX.0, top + PANEL_PX.1);
        text(out, left, top - 16.0, "start", &format!("<tspan font-weight=\"bold\">{title}</tspan>"));
        for tick in self.ticks() {
            let y = self.y(tick);
            line(out, [(left, y), (right, y)].into_iter(), "#e4e4e4", "", 1.0);
            text(out, left - 6.0, y + 4.0, "end", &tick.to_string());
        }
        for &size in &self.sizes {
            text(out, self.x(size), bottom + 18.0, "middle", &short(size));
        }
        text(out, (left + right) / 2.0, bottom + 36.0, "middle", "buyers");
        line(out, [(left, top), (left, bottom), (right, bottom)].into_iter(), "#666666", "", 1.0);
        for (subject, colour, dash) in LINES {
            let of_subject = drawn.iter().filter(|figures| figures.subject == subject);
            let values = of_subject.filter_map(|figures| Some((figures.case.buyers, (self.figure)(figures)?)));
            let points = values.map(|(size, value)| (self.x(size), self.y(value)));
            line(out, points.clone(), colour, dash, 2.0);
            for (x, y) in points {
                let _ = writeln!(out, "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>");
            }
        }
    }

    /// 1, 2 and 5 of each decade between the lowest and the highest value.
    fn ticks(&self) -> impl Iterator<Item = f64> {
        let (lowest, highest) = self.values;
        let decades = (-3..6).flat_map(|decade| [1.0, 2.0, 5.0].map(|step| format!("{step}e{decade}").parse()));
        decades.flatten().filter(move |tick: &f64| (lowest..=highest).contains(&tick.log10()))
    }
}

/// A size in thousands or millions, if it is so many.
fn short(size: u64) -> String {
    match size {
        1_000_000.. if size.is_multiple_of(1_000_000) => format!("{} M", size / 1_000_000),
        1_000.. if size.is_multiple_of(1_000) => format!("{} k", size / 1_000),
        _ => size.to_string(),
    }
}

fn legend(drawn: &[&Figures], top: f64, out: &mut String) {
    let there = LINES.iter().filter(|(subject, ..)| drawn.iter().any(|figures| figures.subject == *subject));
    for (at, (subject, colour, dash)) in there.enumerate() {
        let x = GAP_PX.0 / 2.0 + LEGEND_COLUMN_PX * (at % LEGEND_COLUMNS) as f64;
        let y = top + 24.0 * (at / LEGEND_COLUMNS) as f64;
        line(out, [(x, y), (x + 26.0, y)].into_iter(), colour, dash, 2.0);
        text(out, x + 32.0, y + 4.0, "start", subject.name());
    }
}

fn text(out: &mut String, x: f64, y: f64, anchor: &str, text: &str) {
    let _ = writeln!(out, "<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\" fill=\"#222222\">{text}</text>");
}

fn line(out: &mut String, points: impl Iterator<Item = (f64, f64)>, colour: &str, dash: &str, width: f64) {
    let points: Vec<String> = points.map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
    let _ = writeln!(
        out,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"{width}\" stroke-dasharray=\"{dash}\"/>",
        points.join(" ")
    );
}
