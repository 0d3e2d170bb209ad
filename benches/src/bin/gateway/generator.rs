//! Generates load from one thread: as much as the server takes, or so much a second whatever the server does.
//!
//! A request that is sent at a pace has a moment at which it is to be sent, and its latency counts from there. Where no
//! connection is free then it is sent late, and waits as a buyer would.

use std::collections::VecDeque;
use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;
use rustix::buffer::spare_capacity;
use rustix::event::{Timespec, epoll};

use crate::line::{Asked, Line};
use crate::request::Request;

/// Connections that are kept open and used.
pub(crate) const CONNECTIONS: usize = 64;
/// The longest latency that is distinct from longer ones.
const LATENCY_NS_MAX: u64 = 60_000_000_000;
/// A server that answers nothing for so long is out of order.
const STALL: Duration = Duration::from_secs(10);
/// What is sent later than this is not sent in time.
const LATE: Duration = Duration::from_millis(1);
/// A generator that could not have done much more than this part of the time is saturated.
const SATURATED: f64 = 0.9;

/// How requests follow each other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// Each connection asks as soon as it has its answer.
    Closed,
    /// So many a second, over all connections.
    PerSecond(f64),
}

/// What came of it.
pub(crate) struct Load {
    pub(crate) answers: u64,
    pub(crate) elapsed: Duration,
    /// From when each was to be sent, in nanoseconds.
    pub(crate) latency: Histogram<u64>,
    /// From when each was sent.
    pub(crate) uncorrected: Histogram<u64>,
    timely: u64,
    /// What this thread took of a core, and for how long it waited for one.
    pub(crate) cpu: Duration,
    waited: Duration,
}

impl Load {
    pub(crate) fn per_second(&self) -> f64 {
        self.answers as f64 / self.elapsed.as_secs_f64()
    }

    /// Requests that were sent when they were to be, in per cent.
    pub(crate) fn timely_percent(&self) -> f64 {
        self.timely as f64 / self.answers.max(1) as f64 * 100.0
    }

    /// Whether it is the generator that was slow.
    pub(crate) fn is_saturated(&self) -> bool {
        (self.cpu + self.waited).as_secs_f64() > SATURATED * self.elapsed.as_secs_f64()
    }
}

/// The connections to one server.
pub(crate) struct Generator {
    lines: Vec<Line>,
    idle: VecDeque<usize>,
    epoll: std::os::fd::OwnedFd,
}

impl Generator {
    pub(crate) fn connect(address: &str) -> anyhow::Result<Self> {
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        let lines: Vec<Line> = (0..CONNECTIONS).map(|_| Line::open(address)).collect::<anyhow::Result<_>>()?;
        for (at, line) in lines.iter().enumerate() {
            epoll::add(&epoll, line.stream(), epoll::EventData::new_u64(at as u64), epoll::EventFlags::IN)?;
        }
        Ok(Self { idle: (0..CONNECTIONS).collect(), lines, epoll })
    }

    /// Asks for so long, and waits for the answers that are still to come.
    pub(crate) fn run(&mut self, request: &mut Request, pace: Pace, lasts: Duration) -> anyhow::Result<Load> {
        let histogram = || Histogram::new_with_max(LATENCY_NS_MAX, 3);
        let (begin, before) = (Instant::now(), Spent::now()?);
        let mut load = Load {
            answers: 0,
            elapsed: Duration::ZERO,
            latency: histogram()?,
            uncorrected: histogram()?,
            timely: 0,
            cpu: Duration::ZERO,
            waited: Duration::ZERO,
        };
        let (mut sent, mut events) = (0, Vec::with_capacity(CONNECTIONS));
        loop {
            let wait = self.send_due(request, pace, (begin, lasts), &mut sent)?;
            if wait.is_none() && self.idle.len() == CONNECTIONS {
                break;
            }
            let wait = Timespec::try_from(wait.unwrap_or(STALL))?;
            epoll::wait(&self.epoll, spare_capacity(&mut events), Some(&wait))?;
            ensure!(!events.is_empty() || wait.tv_sec < 1, "the server answers nothing for {STALL:?}");
            for event in events.drain(..) {
                self.take(usize::try_from(event.data.u64())?, request.status, &mut load)?;
            }
        }
        let spent = Spent::now()?;
        (load.elapsed, load.cpu, load.waited) = (begin.elapsed(), spent.cpu - before.cpu, spent.waited - before.waited);
        Ok(load)
    }

    /// Sends what is due. Gives the time until the next request is; none: there is no more, or no connection for it.
    fn send_due(
        &mut self,
        request: &mut Request,
        pace: Pace,
        (begin, lasts): (Instant, Duration),
        sent: &mut u64,
    ) -> anyhow::Result<Option<Duration>> {
        while let Some(at) = self.idle.front().copied() {
            let now = Instant::now();
            let due = match pace {
                Pace::Closed => now,
                Pace::PerSecond(rate) => begin + Duration::from_secs_f64(*sent as f64 / rate),
            };
            if due.duration_since(begin) >= lasts {
                return Ok(None);
            }
            if due > now {
                return Ok(Some(due - now));
            }
            self.idle.pop_front();
            self.lines[at].ask(request.next(), due)?;
            *sent += 1;
        }
        Ok(None)
    }

    fn take(&mut self, at: usize, expected: u16, load: &mut Load) -> anyhow::Result<()> {
        let line = &mut self.lines[at];
        let Some(status) = line.read()? else { return Ok(()) };
        ensure!(status == expected, "the answer was to be {expected}: {}", line.text());
        let Asked { due, sent } = line.asked.take().context("an answer that nobody asked for")?;
        load.answers += 1;
        load.timely += u64::from(sent - due <= LATE);
        load.latency.saturating_record(u64::try_from(due.elapsed().as_nanos())?);
        load.uncorrected.saturating_record(u64::try_from(sent.elapsed().as_nanos())?);
        self.idle.push_back(at);
        Ok(())
    }
}

/// What this thread has had, by the kernel's scheduler.
struct Spent {
    cpu: Duration,
    waited: Duration,
}

impl Spent {
    fn now() -> anyhow::Result<Self> {
        let text = fs::read_to_string("/proc/thread-self/schedstat")?;
        let mut numbers = text.split_ascii_whitespace().map(str::parse);
        let mut next = || anyhow::Ok(Duration::from_nanos(numbers.next().context("schedstat is short")??));
        Ok(Self { cpu: next()?, waited: next()? })
    }
}
