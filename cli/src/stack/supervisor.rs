//! Keeps the servers running: one that dies is started again.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use tokio::sync::oneshot;

use super::servers::Stack;

/// Between two looks at the servers.
const LOOK_MS: u64 = 200;
/// Restarts of servers that died by themselves in one run. One that dies more often is broken, and must be seen.
const RESTARTS_MAX: u32 = 10;

/// A thread that owns the servers.
pub(crate) struct Supervisor {
    orders: Orders,
    failed: oneshot::Receiver<anyhow::Error>,
    thread: JoinHandle<Result<()>>,
}

/// The way to that thread, for those who want something done with the servers.
#[derive(Debug, Clone)]
pub(crate) struct Orders(Sender<Order>);

enum Order {
    Work(Box<dyn FnOnce(&mut Stack) + Send>),
    Stop,
}

impl Orders {
    /// Has some work done, and gives what it came to. It waits while a server starts.
    pub(crate) async fn work<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Stack) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (done, result) = oneshot::channel();
        // The caller may be gone by then.
        let work = Box::new(move |stack: &mut Stack| drop(done.send(work(stack))));
        let ended = "the thread that watches the servers ended";
        self.0.send(Order::Work(work)).map_err(|_| anyhow!(ended))?;
        result.await.context(ended)?
    }
}

impl Supervisor {
    pub(crate) fn start(stack: Stack) -> Self {
        let (orders, inbox) = mpsc::channel();
        let (fail, failed) = oneshot::channel();
        let thread = thread::spawn(move || supervise(stack, &inbox, fail));
        Self { orders: Orders(orders), failed, thread }
    }

    pub(crate) fn orders(&self) -> Orders {
        self.orders.clone()
    }

    /// Resolves when a server cannot be kept running, with the reason.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        (&mut self.failed).await.unwrap_or_else(|_| anyhow!("the thread that watches the servers ended"))
    }

    /// Stops the servers in order.
    pub(crate) fn stop(self) -> Result<()> {
        // A thread that has ended already has stopped them.
        let _ = self.orders.0.send(Order::Stop);
        self.thread.join().map_err(|_| anyhow!("the thread that watches the servers panicked"))?
    }
}

fn supervise(mut stack: Stack, inbox: &mpsc::Receiver<Order>, fail: oneshot::Sender<anyhow::Error>) -> Result<()> {
    let mut restarts = 0;
    loop {
        match inbox.recv_timeout(Duration::from_millis(LOOK_MS)) {
            Ok(Order::Work(work)) => work(&mut stack),
            Err(RecvTimeoutError::Timeout) => {}
            Ok(Order::Stop) | Err(RecvTimeoutError::Disconnected) => break,
        }
        stack.resume_due();
        if let Err(error) = keep_running(&mut stack, &mut restarts) {
            // A caller that waits for this informs the user; one that does not is stopping anyway.
            let _ = fail.send(error);
            break;
        }
    }
    stack.stop()
}

/// Starts again what has died by itself, and what was killed on purpose: only the first counts.
fn keep_running(stack: &mut Stack, restarts: &mut u32) -> Result<()> {
    if let Err(died) = stack.ensure_running() {
        *restarts += 1;
        eprintln!("flash: {died}");
        if *restarts > RESTARTS_MAX {
            return Err(anyhow!("servers crashed too often"));
        }
    }
    for name in stack.restart_dead()? {
        eprintln!("flash: restarted {name}");
    }
    Ok(())
}
