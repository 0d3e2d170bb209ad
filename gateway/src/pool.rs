//! Work that takes a processor for long, on threads of its own: the requests of a thread that serves HTTP do not wait
//! for it.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::setpriority_process;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::limits::{POOL_JOBS_MAX, POOL_THREADS, POOL_TIMEOUT_MS};

/// How the kernel ranks the threads, beside 0 for those that sell. (19 is the lowest.)
const NICENESS: i32 = 10;

type PoolJob = Box<dyn FnOnce() + Send>;

/// The threads; they end when the last handle is dropped.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    jobs: SyncSender<PoolJob>,
}

/// Why there is no result. The work has no effect but its result, so nothing was changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PoolError {
    /// [`POOL_JOBS_MAX`] jobs wait already, or this one did not end within [`POOL_TIMEOUT_MS`].
    Busy,
    /// The work panicked: a bug.
    Failed,
}

impl Pool {
    /// Starts the threads.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub(crate) fn start() -> io::Result<Self> {
        let (jobs, waiting) = sync_channel::<PoolJob>(POOL_JOBS_MAX);
        let waiting = Arc::new(Mutex::new(waiting));
        for at in 0..POOL_THREADS {
            let waiting = waiting.clone();
            thread::Builder::new().name(format!("flash-pool-{at}")).spawn(move || work(&waiting))?;
        }
        Ok(Self { jobs })
    }

    /// Does work on one of the threads. Work whose caller has given up is not begun.
    ///
    /// # Errors
    /// See [`PoolError`].
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PoolError> {
        let (tell, told) = oneshot::channel();
        let job = move || {
            if !tell.is_closed() {
                let _ = tell.send(work());
            }
        };
        self.jobs.try_send(Box::new(job)).map_err(|_| PoolError::Busy)?;
        match timeout(Duration::from_millis(POOL_TIMEOUT_MS), told).await {
            Ok(Ok(result)) => Ok(result),
            Ok(Err(_)) => Err(PoolError::Failed),
            Err(_) => Err(PoolError::Busy),
        }
    }
}

fn work(waiting: &Mutex<Receiver<PoolJob>>) {
    // On Linux this is the thread's own rank. Where it may not be changed, the kernel shares as it likes.
    let _ = setpriority_process(Some(rustix::thread::gettid()), NICENESS);
    loop {
        let next = waiting.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // The caller learns it from the channel that the panic dropped.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[tokio::test]
    async fn work_is_done_on_another_thread_and_a_panic_costs_none() {
        let pool = Pool::start().unwrap();
        for _ in 0..POOL_THREADS * 2 {
            assert_eq!(pool.run(|| panic!("a bug")).await, Err::<(), _>(PoolError::Failed));
        }
        let name = pool.run(|| thread::current().name().map(str::to_owned)).await.unwrap();
        assert!(name.is_some_and(|name| name.starts_with("flash-pool-")));
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_full_pool_does_not_take_and_what_takes_too_long_has_no_result() {
        let pool = Pool::start().unwrap();
        let (go, gone) = mpsc::channel::<()>();
        let gone = Arc::new(Mutex::new(gone));
        let stuck = |_| {
            let (pool, gone) = (pool.clone(), gone.clone());
            tokio::spawn(async move { pool.run(move || gone.lock().unwrap().recv().is_ok()).await })
        };
        let stuck: Vec<_> = (0..POOL_THREADS + POOL_JOBS_MAX).map(stuck).collect();
        let refused = async {
            while pool.run(|| ()).await.is_ok() {
                tokio::task::yield_now().await;
            }
        };
        refused.await;
        for job in stuck {
            assert_eq!(job.await.unwrap(), Err(PoolError::Busy), "nothing came within {POOL_TIMEOUT_MS} ms");
        }
        drop(go);
        assert_eq!(tokio::task::spawn_blocking(|| ()).await.ok(), Some(()));
    }
}
