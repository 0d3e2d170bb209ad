//! Keeps the servers running: one that dies is started again.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Result, anyhow};
use tokio::sync::oneshot;

use super::stack::Stack;

/// Between two looks at the servers.
const LOOK_MS: u64 = 200;
/// Restarts of servers in one run. A server that dies more often is broken, and hiding that helps nobody.
const RESTARTS_MAX: u32 = 10;

/// A thread that owns the servers.
pub(crate) struct Supervisor {
    stop: Sender<()>,
    failed: oneshot::Receiver<anyhow::Error>,
    thread: JoinHandle<Result<()>>,
}

impl Supervisor {
    pub(crate) fn start(stack: Stack) -> Self {
        let (stop, stopped) = mpsc::channel();
        let (fail, failed) = oneshot::channel();
        let thread = thread::spawn(move || supervise(stack, &stopped, fail));
        Self { stop, failed, thread }
    }

    /// Resolves when a server cannot be kept running, with the reason.
    pub(crate) async fn failed(&mut self) -> anyhow::Error {
        (&mut self.failed).await.unwrap_or_else(|_| anyhow!("the thread that watches the servers ended"))
    }

    /// Stops the servers in order.
    pub(crate) fn stop(self) -> Result<()> {
        // A thread that has ended already has stopped them.
        let _ = self.stop.send(());
        self.thread.join().map_err(|_| anyhow!("the thread that watches the servers panicked"))?
    }
}

fn supervise(mut stack: Stack, stopped: &mpsc::Receiver<()>, fail: oneshot::Sender<anyhow::Error>) -> Result<()> {
    let mut restarts = 0;
    while stopped.recv_timeout(Duration::from_millis(LOOK_MS)) == Err(RecvTimeoutError::Timeout) {
        let Err(died) = stack.ensure_running() else { continue };
        restarts += 1;
        eprintln!("flash: {died}");
        let result =
            if restarts > RESTARTS_MAX { Err(anyhow!("the servers died too often")) } else { stack.restart_dead() };
        if let Err(error) = result {
            // Whoever waits for this tells the user; whoever does not is stopping anyway.
            let _ = fail.send(error);
            break;
        }
        eprintln!("flash: started it again");
    }
    stack.stop()
}
