//! Sends requests at their times, whether or not the ones before are answered: a slow server is not asked less.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use crate::arrivals::Arrival;

/// How long a request may take; then its outcome is unknown.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);
/// A buyer who is sent later than this after the due time was delayed by us and not by the server.
const TIMELY: Duration = Duration::from_millis(5);

/// What a request is sent by: one after another.
pub trait Sell: Send + 'static {
    /// How a request ends.
    type Answer: Send;

    /// Asks for a unit for the buyer of this number. Where it takes too long, it is dropped halfway.
    ///
    /// # Errors
    /// When its outcome is unknown.
    fn sell(&mut self, buyer: u64) -> impl Future<Output = Result<Self::Answer>> + Send;
}

/// A request that is over.
#[derive(Debug)]
pub struct Ended<A> {
    /// How it ended, if anybody can tell.
    pub answer: Result<A>,
    /// How far behind its time it was sent.
    pub late: Duration,
    /// How far behind its time it ended.
    pub latency: Duration,
}

impl<A> Ended<A> {
    /// Whether it was sent at its time.
    #[must_use]
    pub fn is_timely(&self) -> bool {
        self.late < TIMELY
    }
}

/// Sends every arrival by the first seller that is free, and has each counted as soon as it is over. Gives the sellers
/// back, to be used again, and the time from the first request to the last answer.
///
/// # Errors
/// When a task of ours has died. A request that fails is counted.
pub async fn drive<T: Sell>(
    sellers: Vec<T>,
    arrivals: Vec<Arrival>,
    count: impl Fn(Ended<T::Answer>) + Send + Sync + 'static,
) -> Result<(Vec<T>, Duration)> {
    let queue = Arc::new(Queue { arrivals, next: AtomicUsize::new(0), began: Instant::now(), count });
    let mut tasks = JoinSet::new();
    for seller in sellers {
        tasks.spawn(serve(seller, queue.clone()));
    }
    let mut sellers = Vec::new();
    while let Some(seller) = tasks.join_next().await {
        sellers.push(seller?);
    }
    Ok((sellers, queue.began.elapsed()))
}

/// Who is still to come.
struct Queue<C> {
    arrivals: Vec<Arrival>,
    next: AtomicUsize,
    began: Instant,
    count: C,
}

/// Serves one after another, each at the time of its arrival or, where this seller is late, as soon as it can.
async fn serve<T: Sell, C: Fn(Ended<T::Answer>)>(mut seller: T, queue: Arc<Queue<C>>) -> T {
    while let Some(arrival) = queue.arrivals.get(queue.next.fetch_add(1, Ordering::Relaxed)) {
        let due = queue.began + arrival.at;
        sleep_until(due.into()).await;
        let late = due.elapsed();
        let answer = timeout(REQUEST_TIMEOUT, seller.sell(arrival.buyer)).await;
        let answer = answer.unwrap_or_else(|_| Err(anyhow!("no answer for {} s", REQUEST_TIMEOUT.as_secs())));
        (queue.count)(Ended { answer, late, latency: due.elapsed() });
    }
    seller
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::arrivals::Crowd;
    use crate::tally::{Answer, Live, Tally};

    /// Sells what there is, each unit to another buyer.
    struct Shelf(Arc<Mutex<(u64, Vec<u64>)>>);

    impl Sell for Shelf {
        type Answer = (Answer, u64);

        async fn sell(&mut self, buyer: u64) -> Result<(Answer, u64)> {
            let mut shelf = self.0.lock().unwrap();
            let (left, buyers) = &mut *shelf;
            if buyers.contains(&buyer) {
                return Ok((Answer::Again, 0));
            }
            if *left == 0 {
                return Ok((Answer::SoldOut, 0));
            }
            *left -= 1;
            buyers.push(buyer);
            Ok((Answer::Sold, 1))
        }
    }

    /// Stalls at the first request, and answers all others at once.
    struct Stalling(Option<Duration>);

    impl Sell for Stalling {
        type Answer = (Answer, u64);

        async fn sell(&mut self, _: u64) -> Result<(Answer, u64)> {
            if let Some(stall) = self.0.take() {
                sleep_until((Instant::now() + stall).into()).await;
            }
            Ok((Answer::SoldOut, 0))
        }
    }

    async fn driven<T: Sell<Answer = (Answer, u64)>>(sellers: Vec<T>, arrivals: Vec<Arrival>) -> Tally {
        let (live, count) = (Live::new().unwrap(), sellers.len());
        let counting = live.clone();
        let (sellers, _) = drive(sellers, arrivals, move |ended| counting.count(ended)).await.unwrap();
        assert_eq!(sellers.len(), count);
        live.look()
    }

    #[tokio::test]
    async fn every_arrival_is_sent_once_and_counted_once() {
        let crowd = Crowd { buyers: 50, repeat_percent: 20, requests_per_s: 1_000_000, seed: 7 };
        let shelf = Arc::new(Mutex::new((10, Vec::new())));
        let sellers = (0..4).map(|_| Shelf(shelf.clone())).collect();
        let tally = driven(sellers, crowd.arrivals()).await;
        assert_eq!((tally.requests, tally.sold, tally.errors, tally.retries), (60, 10, 0, 10));
        assert_eq!(tally.sold_out + tally.again, 50);
    }

    #[tokio::test]
    async fn a_wait_for_a_till_counts_from_the_arrival() {
        const STALL: Duration = Duration::from_millis(200);
        let arrivals = (0..10).map(|buyer| Arrival { at: Duration::ZERO, buyer }).collect();
        let tally = driven(vec![Stalling(Some(STALL))], arrivals).await;
        assert_eq!(tally.requests, 10);
        assert!(tally.timely <= 1, "one seller, and only the first did not wait for it: {}", tally.timely);
        // Nine were answered as soon as they were sent: a closed loop would call them fast.
        assert!(tally.latency_us.min() > 190_000, "{} us", tally.latency_us.min());
    }
}
