//! The result, as tables for people, in Markdown.

use std::fmt;

use crate::back::Back;
use crate::drain::Drained;
use crate::selling::Sold;
use flash_benches::mark::Mark;
use flash_benches::meter::Took;

const MB: f64 = 1_000_000.0;
/// Orders a second that are wanted in runs, and one by one.
const RUNS_PER_S_MIN: f64 = 50_000.0;
const ONE_BY_ONE_PER_S_MIN: f64 = 10_000.0;
/// How many times the usual way's orders a second are wanted.
const TIMES_NAIVE_MIN: f64 = 20.0;
/// How many times its calm value the p99 may take while a backlog drains.
const P99_TIMES_MAX: f64 = 2.0;
/// Seconds that a sale of 100,000 orders may take to sell again once Redis is back.
const REBUILT_S_MAX: f64 = 10.0;

const PARTS: [&str; 6] = ["relay", "RabbitMQ", "syncer", "consumer", "PostgreSQL", "Redis"];

/// All that was measured.
#[derive(Default)]
pub(crate) struct Report {
    /// Processes that were ready to run, on average over the minute before and the one after.
    pub(crate) load: [String; 2],
    pub(crate) runs: Option<Drained>,
    pub(crate) one_by_one: Option<Drained>,
    pub(crate) direct: Option<Drained>,
    pub(crate) naive: Option<Drained>,
    pub(crate) sold: Vec<Sold>,
    pub(crate) back: Option<Back>,
}

impl Report {
    pub(crate) fn marks(&self) -> Vec<Mark> {
        let least = |what: &str, measured: Option<f64>, wanted| Some(Mark::least(what, measured?, wanted));
        let most = |what: &str, measured: Option<f64>, wanted| Some(Mark::most(what, measured?, wanted));
        let rebuilt = self.back.as_ref().map(|back| back.rebuilt.as_secs_f64());
        let per_second = |drained: &Option<Drained>| drained.as_ref().map(Drained::per_second);
        let (runs, naive) = (per_second(&self.runs), per_second(&self.naive));
        let times = runs.zip(naive).map(|(runs, naive)| runs / naive);
        let p99 = |sold: &Sold| {
            let what = format!("times the calm p99, while a backlog drains ({})", sold.appendfsync.name());
            most(&what, Some(p99_ms(&sold.busy) / p99_ms(&sold.calm)), P99_TIMES_MAX)
        };
        let sold = self.sold.iter().map(p99);
        let drains = [
            least("orders/s in runs", runs, RUNS_PER_S_MIN),
            least("orders/s one by one", per_second(&self.one_by_one), ONE_BY_ONE_PER_S_MIN),
            least("times one INSERT a message", times, TIMES_NAIVE_MIN),
        ];
        let rebuilt = most("seconds until a lost sale sells", rebuilt, REBUILT_S_MAX);
        drains.into_iter().chain(sold).chain([rebuilt]).flatten().collect()
    }

    fn drained(&self) -> impl Iterator<Item = &Drained> {
        let ways = [&self.runs, &self.one_by_one, &self.direct].into_iter().flatten();
        ways.chain(self.sold.iter().map(|sold| &sold.drained)).chain(&self.naive)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = &self.load;
        writeln!(f, "Load average {before} before, {after} behind.\n")?;
        writeln!(f, "| | orders | orders/s | {} |", PARTS.map(|part| format!("{part}, us")).join(" | "))?;
        writeln!(f, "| --- | --- | --- |{}", " --- |".repeat(PARTS.len()))?;
        for drained in self.drained() {
            write!(f, "| {} | {} | {:.0} |", drained.name, drained.orders, drained.per_second())?;
            let us = |took: &Took| format!(" {:.2} |", took.cpu.as_secs_f64() * 1e6 / drained.orders as f64);
            row(f, drained, us)?;
        }
        writeln!(f, "\nPeak memory of each part's largest process:\n")?;
        writeln!(f, "| | {} |", PARTS.map(|part| format!("{part}, MB")).join(" | "))?;
        writeln!(f, "| --- |{}", " --- |".repeat(PARTS.len()))?;
        for drained in self.drained() {
            write!(f, "| {} |", drained.name)?;
            row(f, drained, |took| format!(" {:.0} |", took.peak_bytes as f64 / MB))?;
        }
        self.sold.iter().try_for_each(|sold| write!(f, "{sold}"))?;
        self.back.iter().try_for_each(|back| write!(f, "{back}"))?;
        writeln!(f, "\n| mark | measured | wanted | |\n| --- | --- | --- | --- |")?;
        self.marks().iter().try_for_each(|mark| writeln!(f, "{mark}"))
    }
}

fn row(f: &mut fmt::Formatter<'_>, drained: &Drained, cell: impl Fn(&Took) -> String) -> fmt::Result {
    for part in PARTS {
        let took = drained.parts.iter().find(|took| took.part == part);
        f.write_str(&took.map_or(" |".to_owned(), &cell))?;
    }
    writeln!(f)
}

impl fmt::Display for Sold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\n{} buyers a second over HTTP, `appendfsync {}`, latency from the moment at which each was to ask:\n",
            self.per_second,
            self.appendfsync.name()
        )?;
        writeln!(f, "| | buyers | p50, ms | p99, ms | max, ms |\n| --- | --- | --- | --- | --- |")?;
        for (name, latency) in [("nothing to drain", &self.calm), ("while the backlog drains", &self.busy)] {
            let ms = |us: u64| us as f64 / 1e3;
            let (p50, max) = (ms(latency.value_at_quantile(0.5)), ms(latency.max()));
            writeln!(f, "| {name} | {} | {p50:.2} | {:.2} | {max:.2} |", latency.len(), p99_ms(latency))?;
        }
        writeln!(f, "\nMemory while the backlog drains, the most in each half of it:\n")?;
        writeln!(f, "| | first half, MB | second half, MB |\n| --- | --- | --- |")?;
        for memory in &self.memory {
            let [first, second] = memory.halves_bytes.map(|bytes| bytes as f64 / MB);
            writeln!(f, "| {} | {first:.1} | {second:.1} |", memory.part)?;
        }
        Ok(())
    }
}

impl fmt::Display for Back {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "\nUntil a sale of {} orders sells again, once Redis is back:\n", self.orders)?;
        writeln!(f, "| | s |\n| --- | --- |")?;
        writeln!(f, "| killed, and nothing lost | {:.2} |", self.compared.as_secs_f64())?;
        writeln!(f, "| emptied | {:.2} |", self.rebuilt.as_secs_f64())
    }
}

fn p99_ms(latency: &flash_benches::buyers::Latency) -> f64 {
    latency.value_at_quantile(0.99) as f64 / 1e3
}
