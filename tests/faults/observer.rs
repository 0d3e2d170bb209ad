//! Looks at the sales every few milliseconds while they are sold: what must hold at every moment.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use flash_wire::SkuStatus;

use crate::eyes::{Eyes, Sku};
use crate::load::{Sale, sku};

/// Between two looks at Redis.
const LOOK: Duration = Duration::from_millis(8);
/// A look at PostgreSQL comes with so many at Redis.
const VAULT_EVERY: u64 = 8;

/// A thread that looks.
pub(crate) struct Observer {
    stop: Arc<AtomicBool>,
    looks: Arc<AtomicU64>,
    thread: JoinHandle<Vec<String>>,
}

impl Observer {
    pub(crate) fn start(eyes: Eyes, sales: Vec<Sale>) -> Self {
        let (stop, looks) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let (until, count) = (stop.clone(), looks.clone());
        let thread = thread::spawn(move || observe(eyes, &sales, &until, &count));
        Self { stop, looks, thread }
    }

    /// How often it has seen a sale, and what it saw that must never be.
    pub(crate) fn stop(self) -> (u64, Vec<String>) {
        self.stop.store(true, Ordering::Relaxed);
        let wrong = self.thread.join().unwrap_or_else(|_| vec!["the observer panicked".to_owned()]);
        (self.looks.load(Ordering::Relaxed), wrong)
    }
}

/// A server that does not answer shows nothing, and that is no fault of its.
fn observe(mut eyes: Eyes, sales: &[Sale], stop: &AtomicBool, looks: &AtomicU64) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut round = 0;
    while !stop.load(Ordering::Relaxed) && wrong.is_empty() {
        for sale in sales {
            if let Ok(status) = eyes.status(&sale.name) {
                looks.fetch_add(1, Ordering::Relaxed);
                wrong.extend(status.skus.iter().enumerate().filter_map(|(at, sku)| in_redis(sale, at, sku)));
            }
            if round % VAULT_EVERY == 0 {
                let skus = eyes.skus(&sale.name).unwrap_or_default();
                wrong.extend(skus.iter().filter_map(|sku| in_postgres(sale, sku)));
            }
        }
        round += 1;
        thread::park_timeout(LOOK);
    }
    wrong
}

/// total = available + held + confirmed. (Each is unsigned, so that none is below zero.)
pub(crate) fn in_redis(sale: &Sale, at: usize, seen: &SkuStatus) -> Option<String> {
    let total = seen.available.checked_add(seen.held)?.checked_add(seen.confirmed);
    let right = total == Some(seen.total) && sale.totals.get(at) == Some(&seen.total);
    (!right)
        .then(|| format!("in Redis, {} of {} is {seen:?}; its total is {:?}", sku(at), sale.name, sale.totals.get(at)))
}

/// 0 <= sold <= total.
pub(crate) fn in_postgres(sale: &Sale, seen: &Sku) -> Option<String> {
    let right = (0..=seen.total).contains(&seen.sold);
    (!right).then(|| format!("in PostgreSQL, {} is {seen:?}", sale.name))
}
