//! Sends requests at their times, whether or not the ones before are answered: a slow server is not asked less.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use tokio::task::JoinSet;
use tokio::time::{sleep_until, timeout};

use crate::arrivals::Arrival;
use crate::tally::{Answer, Tally};

/// How long a request may take; then nobody knows what became of it.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// What a request is sent by: one after another.
pub trait Till: Send + 'static {
    /// Asks for a unit; how it ended, and how often it was tried again.
    ///
    /// # Errors
    /// When nobody can tell.
    fn sell(&mut self, buyer: &str) -> impl Future<Output = Result<(Answer, u64)>> + Send;
}

/// What came of all of them.
#[derive(Debug)]
pub struct Driven<T> {
    /// The tills, to be used again.
    pub tills: Vec<T>,
    /// What they were answered.
    pub tally: Tally,
    /// From the first request to the last answer.
    pub took: Duration,
}

/// Sends every arrival by the first till that is free. `answered` is called behind each answer.
///
/// # Errors
/// When a task of ours has died. A request that fails is counted.
pub async fn drive<T: Till>(
    tills: Vec<T>,
    arrivals: Vec<Arrival>,
    answered: impl Fn() + Send + Sync + 'static,
) -> Result<Driven<T>> {
    let queue = Arc::new(Queue { arrivals, next: AtomicUsize::new(0), began: Instant::now(), answered });
    let mut tasks = JoinSet::new();
    for till in tills {
        tasks.spawn(serve(till, queue.clone()));
    }
    let (mut tills, mut tally) = (Vec::new(), Tally::new()?);
    while let Some(served) = tasks.join_next().await {
        let (till, part) = served??;
        tally.add(&part)?;
        tills.push(till);
    }
    Ok(Driven { tills, tally, took: queue.began.elapsed() })
}

/// Who is still to come.
struct Queue<F> {
    arrivals: Vec<Arrival>,
    next: AtomicUsize,
    began: Instant,
    answered: F,
}

/// Serves one after another, each at his time or, where this till is late, as soon as it can.
async fn serve<T: Till>(mut till: T, queue: Arc<Queue<impl Fn()>>) -> Result<(T, Tally)> {
    let mut tally = Tally::new()?;
    while let Some(arrival) = queue.arrivals.get(queue.next.fetch_add(1, Ordering::Relaxed)) {
        let due = queue.began + arrival.at;
        sleep_until(due.into()).await;
        let late = due.elapsed();
        let buyer = format!("buyer-{:011}", arrival.buyer);
        let (answer, retries) = match timeout(REQUEST_TIMEOUT, till.sell(&buyer)).await {
            Ok(Ok(sold)) => sold,
            Ok(Err(_)) | Err(_) => (Answer::Failed, 0),
        };
        tally.count(answer, retries, late, due.elapsed());
        (queue.answered)();
    }
    Ok((till, tally))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::arrivals::Crowd;

    /// Sells what there is, each unit to another buyer.
    struct Shelf(Arc<Mutex<(u64, Vec<String>)>>);

    impl Till for Shelf {
        async fn sell(&mut self, buyer: &str) -> Result<(Answer, u64)> {
            let mut shelf = self.0.lock().unwrap();
            let (left, buyers) = &mut *shelf;
            if buyers.iter().any(|known| known == buyer) {
                return Ok((Answer::Again, 0));
            }
            if *left == 0 {
                return Ok((Answer::SoldOut, 0));
            }
            *left -= 1;
            buyers.push(buyer.to_owned());
            Ok((Answer::Sold, 1))
        }
    }

    #[tokio::test]
    async fn every_arrival_is_sent_once_and_counted_once() {
        let crowd = Crowd { buyers: 50, repeat_percent: 20, requests_per_s: 1_000_000, seed: 7 };
        let shelf = Arc::new(Mutex::new((10, Vec::new())));
        let answers = Arc::new(AtomicUsize::new(0));
        let counted = answers.clone();
        let tills = (0..4).map(|_| Shelf(shelf.clone())).collect();
        let count = move || {
            counted.fetch_add(1, Ordering::Relaxed);
        };
        let Driven { tills, tally, .. } = drive(tills, crowd.arrivals(), count).await.unwrap();
        assert_eq!((tills.len(), answers.load(Ordering::Relaxed)), (4, 60));
        assert_eq!((tally.requests, tally.sold, tally.failed, tally.retries), (60, 10, 0, 10));
        assert_eq!(tally.sold_out + tally.again, 50);
    }
}
