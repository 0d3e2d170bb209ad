//! Places for the requests that a thread works on, and the queue before them.

use std::sync::Arc;
use std::time::Duration;

use flash_metrics::process;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::problem::{Kind, Problem};
use crate::limits::QUEUED_PER_PLACE;

/// Each request that is being worked on has a place. Where all are taken, as while Redis waits for a slow disk, some
/// more requests queue; beyond them a request is refused at once, so that what is accepted is answered in time.
#[derive(Debug)]
pub(crate) struct Places {
    max: u32,
    free: Arc<Semaphore>,
    queue: Semaphore,
}

impl Places {
    /// So many places.
    pub(crate) fn new(max: u32) -> Self {
        let queue = Semaphore::new((max * QUEUED_PER_PLACE) as usize);
        Self { max, free: Arc::new(Semaphore::new(max as usize)), queue }
    }

    /// Whether there is a place, or one in the queue.
    ///
    /// # Errors
    /// When there is neither.
    pub(crate) fn check(&self) -> Result<(), Problem> {
        let is_room = self.free.available_permits() > 0 || self.queue.available_permits() > 0;
        if is_room { Ok(()) } else { Err(shed()) }
    }

    /// Takes a place, or waits for one in the order in which requests came, for so long at most.
    ///
    /// # Errors
    /// When there is none in time. Nothing was done.
    pub(crate) async fn take(&self, limit: Duration) -> Result<OwnedSemaphorePermit, Problem> {
        if let Ok(place) = self.free.clone().try_acquire_owned() {
            return Ok(place);
        }
        let _turn = self.queue.try_acquire().map_err(|_| shed())?;
        match timeout(limit, self.free.clone().acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(shed()),
        }
    }

    /// Waits until nothing is worked on, for so long at most; false: something still is. The places stay taken.
    pub(crate) async fn emptied(&self, limit: Duration) -> bool {
        let all = timeout(limit, self.free.acquire_many(self.max)).await;
        all.is_ok_and(|all| all.map(|all| all.forget()).is_ok())
    }
}

/// There is no place for one more.
fn shed() -> Problem {
    process::REQUESTS_SHED.add(1);
    Kind::Overloaded.into()
}

#[cfg(test)]
impl Places {
    /// Takes all of them, and the queue.
    pub(crate) fn fill(&self) -> (tokio::sync::SemaphorePermit<'_>, tokio::sync::SemaphorePermit<'_>) {
        let all = self.free.try_acquire_many(self.max).expect("none is taken");
        (all, self.queue.try_acquire_many(self.max * QUEUED_PER_PLACE).expect("nothing waits"))
    }

    /// Whether none is taken.
    pub(crate) fn are_free(&self) -> bool {
        self.free.available_permits() == self.max as usize
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;
    use tokio::time::Instant;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn requests_beyond_the_places_queue_in_their_order_and_beyond_the_queue_are_refused_at_once() {
        let places = Places::new(1);
        let in_hand = places.take(MS).await.unwrap();
        let mut queue: Vec<_> = (0..QUEUED_PER_PLACE).map(|_| Box::pin(places.take(10 * MS))).collect();
        for queued in &mut queue {
            assert!(queued.now_or_never().is_none(), "it waits");
        }
        assert!(places.check().is_err());
        let started = Instant::now();
        assert_eq!(places.take(10 * MS).await.unwrap_err().kind, Kind::Overloaded);
        assert_eq!(started.elapsed(), Duration::ZERO);
        drop(in_hand);
        let first = queue.remove(0).await.unwrap();
        assert!(places.check().is_ok(), "one has left the queue");
        assert_eq!(queue.remove(0).await.unwrap_err().kind, Kind::Overloaded, "the second waited in vain");
        assert_eq!(started.elapsed(), 10 * MS);
        drop((first, queue));
        assert!(places.emptied(MS).await);
    }
}
