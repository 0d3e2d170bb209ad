//! One measurement: at saturation, and at half of that.

use std::time::Duration;

use crate::generator::{Generator, Load, Pace};
use crate::stage::Stage;
use crate::subject::{Server, Subject};
use flash_benches::meter::{Meter, Took};
use flash_benches::threads::Threads;

/// What is not counted at the beginning.
const WARM_UP: Duration = Duration::from_millis(500);

/// What a request takes of the processes, in microseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cost {
    pub(crate) server: f64,
    /// Of the server: its threads that speak HTTP. Ours alone tells them apart.
    pub(crate) http: Option<f64>,
    pub(crate) redis: f64,
    /// What is done after the answer, or beside it: RabbitMQ, the syncer, PostgreSQL.
    pub(crate) behind: f64,
}

impl Cost {
    pub(crate) fn server(&self) -> f64 {
        self.server
    }

    /// With Redis.
    pub(crate) fn sum(&self) -> f64 {
        self.server + self.redis
    }
}

pub(crate) struct Figures {
    pub(crate) subject: Subject,
    pub(crate) cost: Cost,
    pub(crate) saturated: Load,
    pub(crate) half: Load,
}

impl Figures {
    /// In one round, which has sales of its own.
    pub(crate) fn measure(stage: &Stage, subject: Subject, round: u32, lasts: Duration) -> anyhow::Result<Self> {
        stage.open_sale(subject, round)?;
        let mut request = subject.request(round);
        // On new connections each time: who says nothing for long is hung up on.
        let mut run = |pace, lasts| Generator::connect(stage.address(subject.server()))?.run(&mut request, pace, lasts);
        run(Pace::Closed, WARM_UP)?;
        stage.drain(subject, round)?;
        let pid = stage.pid(subject.server());
        let (meter, threads) = (stage.meter(subject.server()), Threads::of(pid)?);
        let saturated = run(Pace::Closed, lasts)?;
        stage.drain(subject, round)?;
        let http = Threads::of(pid)?.since(&threads).of_name("flash-http");
        let http = (subject.server() == Server::Flash).then_some(http / 1e3 / saturated.answers as f64);
        let cost = cost(&meter, http, saturated.answers);
        let half = run(Pace::PerSecond(saturated.per_second() / 2.0), lasts)?;
        stage.drain(subject, round)?;
        Ok(Self { subject, cost, saturated, half })
    }

    /// The better of two rounds: other work on the machine only ever adds.
    pub(crate) fn least(self, other: Self) -> Self {
        let (a, b) = if self.cost.sum() <= other.cost.sum() { (self, other) } else { (other, self) };
        let half = if p99(&a.half) <= p99(&b.half) { a.half } else { b.half };
        Self { half, ..a }
    }
}

pub(crate) fn p99(load: &Load) -> u64 {
    load.latency.value_at_quantile(0.99)
}

fn cost(meter: &Meter, http: Option<f64>, answers: u64) -> Cost {
    let took = meter.took();
    let us = |is_counted: &dyn Fn(&str) -> bool| {
        let cpu = took.iter().filter(|Took { part, .. }| is_counted(part)).map(|took| took.cpu.as_secs_f64());
        cpu.sum::<f64>() * 1e6 / answers as f64
    };
    let behind = us(&|part| part != "server" && part != "Redis");
    Cost { server: us(&|part| part == "server"), http, redis: us(&|part| part == "Redis"), behind }
}
