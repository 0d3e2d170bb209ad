//! The stampede: all buyers at once, over as many connections as asked for.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result};
use hdrhistogram::Histogram;
use indicatif::ProgressBar;
use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use tokio::runtime::Builder;
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::api::{Answer, Api};
use crate::args;
use crate::dev::Progress;

/// The longest latency that is told apart from longer ones.
const LATENCY_US_MAX: u64 = 60_000_000;

/// What all requests together came to.
pub(crate) struct Tally {
    pub(crate) requests: u64,
    pub(crate) reserved: u64,
    pub(crate) replayed: u64,
    pub(crate) sold_out: u64,
    pub(crate) errors: u64,
    /// In microseconds.
    pub(crate) latency: Histogram<u64>,
}

impl Tally {
    fn new() -> Result<Self> {
        let latency = Histogram::new_with_max(LATENCY_US_MAX, 3)?;
        Ok(Self { requests: 0, reserved: 0, replayed: 0, sold_out: 0, errors: 0, latency })
    }

    fn add(&mut self, other: &Self) -> Result<()> {
        self.requests += other.requests;
        self.reserved += other.reserved;
        self.replayed += other.replayed;
        self.sold_out += other.sold_out;
        self.errors += other.errors;
        Ok(self.latency.add(&other.latency)?)
    }

    fn count(&mut self, answer: Option<Answer>, took_us: u64) {
        self.requests += 1;
        self.latency.saturating_record(took_us);
        *match answer {
            Some(Answer::Reserved) => &mut self.reserved,
            Some(Answer::Replayed) => &mut self.replayed,
            Some(Answer::SoldOut) => &mut self.sold_out,
            Some(Answer::Other) | None => &mut self.errors,
        } += 1;
    }
}

/// Sends every buyer. The buyers have a thread of their own, as people have machines of their own.
pub(crate) async fn run(
    args: &args::Stampede,
    seed: u64,
    gateway: SocketAddr,
    sale: &str,
    progress: &Progress,
) -> Result<Tally> {
    let arrivals = arrivals(args, seed);
    let bar = progress.bar("buyers", arrivals.len() as u64);
    let crowd = Crowd {
        arrivals,
        next: AtomicUsize::new(0),
        gateway,
        path: format!("/v1/sales/{sale}/reservations"),
        bar: bar.clone(),
    };
    let connections = args.concurrency;
    let (done, tally) = oneshot::channel();
    let thread = std::thread::Builder::new().name("flash-buyers".to_owned()).spawn(move || {
        let result = Builder::new_current_thread().enable_all().build().map_err(Into::into);
        let _ = done.send(result.and_then(|runtime| runtime.block_on(crowd.press(connections))));
    })?;
    let tally = tally.await.context("the buyers' thread panicked")?;
    let _ = thread.join();
    bar.finish_and_clear();
    tally
}

/// Every buyer once, some twice, in an order that the seed fixes.
fn arrivals(args: &args::Stampede, seed: u64) -> Vec<u64> {
    let mut random = StdRng::seed_from_u64(seed);
    let repeats = args.buyers * args.repeat_percent / 100;
    let mut buyers: Vec<u64> = (0..args.buyers).collect();
    buyers.shuffle(&mut random);
    let mut arrivals: Vec<u64> = buyers.iter().copied().take(usize::try_from(repeats).unwrap_or(usize::MAX)).collect();
    arrivals.append(&mut buyers);
    arrivals.shuffle(&mut random);
    arrivals
}

struct Crowd {
    arrivals: Vec<u64>,
    next: AtomicUsize,
    gateway: SocketAddr,
    path: String,
    bar: ProgressBar,
}

impl Crowd {
    async fn press(self, connections: u64) -> Result<Tally> {
        let crowd = Arc::new(self);
        let mut tasks = JoinSet::new();
        for _ in 0..connections {
            let mut api = Some(Api::connect(crowd.gateway).await?);
            let crowd = Arc::clone(&crowd);
            tasks.spawn(async move {
                let mut tally = Tally::new()?;
                while let Some(buyer) = crowd.next_buyer() {
                    crowd.send(&mut api, buyer, &mut tally).await;
                }
                anyhow::Ok(tally)
            });
        }
        let mut sum = Tally::new()?;
        while let Some(tally) = tasks.join_next().await {
            sum.add(&tally??)?;
        }
        Ok(sum)
    }

    fn next_buyer(&self) -> Option<String> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        self.arrivals.get(at).map(|buyer| format!("buyer-{buyer:011}"))
    }

    /// A connection that failed is made anew for the next buyer.
    async fn send(&self, api: &mut Option<Api>, buyer: String, tally: &mut Tally) {
        if api.is_none() {
            *api = Api::connect(self.gateway).await.ok();
        }
        let start = Instant::now();
        let answer = match api {
            Some(connected) => connected.reserve(&self.path, &buyer).await.ok(),
            None => None,
        };
        if answer.is_none() {
            *api = None;
        }
        tally.count(answer, u64::try_from(start.elapsed().as_micros()).unwrap_or(u64::MAX));
        self.bar.inc(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stampede(buyers: u64, repeat_percent: u64) -> args::Stampede {
        args::Stampede { buyers, units: 1, concurrency: 1, repeat_percent, seed: None }
    }

    #[test]
    fn every_buyer_comes_and_some_come_twice() {
        let mut arrivals = arrivals(&stampede(1_000, 20), 7);
        assert_eq!(arrivals.len(), 1_200);
        arrivals.sort_unstable();
        arrivals.dedup();
        assert_eq!(arrivals, (0..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn the_seed_fixes_the_order() {
        assert_eq!(arrivals(&stampede(100, 20), 7), arrivals(&stampede(100, 20), 7));
        assert_ne!(arrivals(&stampede(100, 20), 7), arrivals(&stampede(100, 20), 8));
    }
}
