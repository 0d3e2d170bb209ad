//! Another gateway that recovers a sale for as long as a test needs it to.

use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use flash_vault::RECOVERY_LEASE_S;

use super::world::World;

/// Renews its lease until it is dropped. One long lease would not do: a lease that ends later than a gateway's could
/// end comes from a clock that stepped back, and counts as over.
pub(crate) struct Rival {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Rival {
    pub(crate) fn start(world: &World, sale: &str) -> Self {
        let renew = format!(
            "INSERT INTO recoveries (sale, gateway, until) VALUES ('{sale}', 'another', now() + interval '{RECOVERY_LEASE_S} s')
            ON CONFLICT (sale) DO UPDATE SET gateway = 'another', until = excluded.until"
        );
        world.sql(&renew);
        let url = world.postgres.clone();
        let (stop, stopped) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            let vault = runtime.block_on(flash_vault::connect(&url)).expect("PostgreSQL answers");
            let every = Duration::from_secs_f64(RECOVERY_LEASE_S / 6.0);
            while stopped.recv_timeout(every) == Err(RecvTimeoutError::Timeout) {
                runtime.block_on(vault.batch_execute(&renew)).expect("a lease");
            }
        });
        Self { stop: Some(stop), thread: Some(thread) }
    }
}

impl Drop for Rival {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // Its panic is the test's failure already, or comes of the test's end.
            let _ = thread.join();
        }
    }
}
