//! The result, as tables for people, in Markdown.

use std::fmt;

use crate::figures::{Cost, Figures, p99};
use crate::generator::CONNECTIONS;
use crate::open_connections::{Memory, OPEN_CONNECTIONS};
use crate::rivals::WORKERS;
use crate::subject::Subject;
use flash_benches::mark::Mark;

/// How many times the floor's CPU a reservation may take, and an answer that everything is sold.
const RESERVE_TIMES_FLOOR_MAX: f64 = 1.5;
const SOLD_OUT_TIMES_FLOOR_MAX: f64 = 1.1;
/// How many times our CPU the others are to take, with Redis'.
const TIMES_NGINX_MIN: f64 = 3.0;
const TIMES_NODE_MIN: f64 = 8.0;
/// Of a reservation at half load.
const P99_MS_MAX: f64 = 2.0;
/// Of the gateway with ten thousand open connections.
const MEMORY_MB_MAX: f64 = 300.0;

const ABOUT_COSTS: &str = "\
CPU a request in microseconds, with the server as busy as these connections make it. The generator has one thread on the
same cores. *HTTP* is the part of our gateway that answers; the rest of it relays what was sold to RabbitMQ, as Node does
before it answers, and nobody does for nginx. Redis has each command on the disk before it answers (`appendfsync
always`), but where `everysec` stands, which is what it does unless it is told otherwise. *Behind* are RabbitMQ, our
syncer and PostgreSQL, until the last order of ours is written.";
const ABOUT_LATENCIES: &str = "\
Latency in milliseconds at half of that, from the moment at which each request was to be sent; and the p99 from when it
was. *In time* is what was sent within a millisecond of that moment.";

const MB: f64 = 1_000_000.0;
const NS_PER_MS: f64 = 1e6;

/// All that was measured.
pub(crate) struct Report {
    pub(crate) machine: String,
    /// The rivals' versions.
    pub(crate) versions: String,
    /// Processes that were ready to run, on average over the minute before and the one after.
    pub(crate) load: [String; 2],
    pub(crate) figures: Vec<Figures>,
    pub(crate) memory: Memory,
}

impl Report {
    pub(crate) fn marks(&self) -> Vec<Mark> {
        use Subject::*;
        let p99 = |subject| self.find(subject).map(|figures| p99(&figures.half) as f64 / NS_PER_MS);
        let most = |what, measured: Option<f64>, wanted| Some(Mark::most(what, measured?, wanted));
        let least = |what, measured: Option<f64>, wanted| Some(Mark::least(what, measured?, wanted));
        let memory = Some(self.memory.with_bytes as f64 / MB);
        let marks = [
            most("times the floor: reserve", self.times(Reserve, Floor, Cost::server), RESERVE_TIMES_FLOOR_MAX),
            most("the same, `everysec`", self.times(ReserveEverySec, Floor, Cost::server), RESERVE_TIMES_FLOOR_MAX),
            most(
                "times the floor: sold out, buyers who ask again",
                self.times(SoldOutAgain, Floor, Cost::server),
                SOLD_OUT_TIMES_FLOOR_MAX,
            ),
            most(
                "times the floor: sold out, two a buyer",
                self.times(SoldOutOfTwo, Floor, Cost::server),
                SOLD_OUT_TIMES_FLOOR_MAX,
            ),
            least(
                "times our CPU: nginx + Lua, with Redis",
                self.times(NginxReserve, Reserve, Cost::sum),
                TIMES_NGINX_MIN,
            ),
            least(
                "the same, `everysec`",
                self.times(NginxReserveEverySec, ReserveEverySec, Cost::sum),
                TIMES_NGINX_MIN,
            ),
            least("times our CPU: Node, with Redis", self.times(NodeReserve, Reserve, Cost::sum), TIMES_NODE_MIN),
            least("the same, `everysec`", self.times(NodeReserveEverySec, ReserveEverySec, Cost::sum), TIMES_NODE_MIN),
            most("ms: p99 of reserve at half load", p99(Reserve), P99_MS_MAX),
            most("the same, `everysec`", p99(ReserveEverySec), P99_MS_MAX),
            most("MB: the gateway with 10,000 open connections", memory, MEMORY_MB_MAX),
        ];
        marks.into_iter().flatten().collect()
    }

    /// How many times as much one takes as another.
    fn times(&self, one: Subject, other: Subject, part: fn(&Cost) -> f64) -> Option<f64> {
        Some(part(&self.find(one)?.cost) / part(&self.find(other)?.cost))
    }

    fn find(&self, subject: Subject) -> Option<&Figures> {
        self.figures.iter().find(|figures| figures.subject == subject)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = &self.load;
        writeln!(f, "{}\n{}\nLoad average {before} before, {after} behind.\n", self.machine, self.versions)?;
        writeln!(f, "{CONNECTIONS} connections; {WORKERS} threads or processes of each server.\n\n{ABOUT_COSTS}\n")?;
        writeln!(f, "| | server | HTTP | Redis | server + Redis | behind | requests/s | generator |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        self.figures.iter().try_for_each(|figures| costs(f, figures))?;
        if let Some(times) = self.times(Subject::PlainPost, Subject::PlainGet, Cost::server) {
            writeln!(
                f,
                "\nFor a POST, whose body is read, hyper alone takes {times:.2} times what it takes for a GET."
            )?;
        }
        writeln!(f, "\n{ABOUT_LATENCIES}\n")?;
        writeln!(f, "| | requests/s | p50 | p99 | p99.9 | p99 as sent | in time | generator |")?;
        writeln!(f, "| --- | --- | --- | --- | --- | --- | --- | --- |")?;
        self.figures.iter().try_for_each(|figures| latencies(f, figures))?;
        let Memory { before_bytes, with_bytes, open } = self.memory;
        let mb = |bytes: u64| bytes as f64 / MB;
        writeln!(f, "\nThe gateway's memory: {:.1} MB before, {:.1} MB with", mb(before_bytes), mb(with_bytes))?;
        writeln!(f, "{OPEN_CONNECTIONS} open connections, of which {open} were served still.")?;
        writeln!(f, "\n| mark | measured | wanted | |\n| --- | --- | --- | --- |")?;
        self.marks().iter().try_for_each(|mark| writeln!(f, "{mark}"))
    }
}

fn costs(f: &mut fmt::Formatter<'_>, figures: &Figures) -> fmt::Result {
    let Figures { subject, cost, saturated, .. } = figures;
    let http = cost.http.map_or(String::new(), |http| format!("{http:.1}"));
    writeln!(
        f,
        "| {} | {:.1} | {http} | {:.1} | {:.1} | {:.1} | {:.0} | {:.1} us{} |",
        subject.name(),
        cost.server,
        cost.redis,
        cost.sum(),
        cost.behind,
        saturated.per_second(),
        saturated.cpu.as_secs_f64() * 1e6 / saturated.answers as f64,
        if saturated.is_saturated() { ", saturated" } else { "" }
    )
}

fn latencies(f: &mut fmt::Formatter<'_>, Figures { subject, half, .. }: &Figures) -> fmt::Result {
    let ms = |quantile| half.latency.value_at_quantile(quantile) as f64 / NS_PER_MS;
    writeln!(
        f,
        "| {} | {:.0} | {:.2} | {:.2} | {:.2} | {:.2} | {:.2} % | {} |",
        subject.name(),
        half.per_second(),
        ms(0.5),
        ms(0.99),
        ms(0.999),
        half.uncorrected.value_at_quantile(0.99) as f64 / NS_PER_MS,
        half.timely_percent(),
        if half.is_saturated() { "saturated" } else { "" }
    )
}
