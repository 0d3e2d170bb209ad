//! A seeded load of buyers over HTTP, and the history of their requests and answers.

mod buyer;
mod history;
mod shape;

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use flash_tests::wait;

pub(crate) use self::buyer::probe;
pub(crate) use self::history::{Answer, Ask, Entry, State};
pub(crate) use self::shape::{Sale, sales, sku};

/// Buyers who ask at once.
const BUYERS: u64 = 8;
/// How long a fault waits for the load to be under way; a load that is over before was under way.
const UNDER_WAY: Duration = Duration::from_secs(30);

/// How much is asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    /// What each buyer wants to do at least. The buyer continues as long as the fault lasts.
    pub(crate) wishes: u64,
    /// The pause between two wishes of one buyer.
    pub(crate) pause: Duration,
}

/// What all buyers of a round share.
pub(crate) struct Load {
    pub(crate) seed: u64,
    pub(crate) sales: Vec<Sale>,
    pub(crate) gateways: [SocketAddr; 2],
    pub(crate) size: Size,
    /// Entries of the history tell their times from here.
    pub(crate) begun: Instant,
    answered: AtomicU64,
    healed: AtomicBool,
}

impl Load {
    pub(crate) fn new(seed: u64, sales: Vec<Sale>, gateways: [SocketAddr; 2], size: Size) -> Self {
        let (answered, healed) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { seed, sales, gateways, size, begun: Instant::now(), answered, healed }
    }

    /// Sends the buyers, runs `fault` when `after` requests have their answer, and waits for the buyers.
    pub(crate) fn run<T>(&self, after: u64, fault: impl FnOnce() -> T) -> (T, Vec<Entry>) {
        thread::scope(|scope| {
            let buyers: Vec<_> = (0..BUYERS).map(|number| scope.spawn(move || buyer::run(self, number))).collect();
            let is_over = || buyers.iter().all(ScopedJoinHandle::is_finished);
            let is_under_way = || (self.answered.load(Ordering::Relaxed) >= after || is_over()).then_some(());
            wait::within(UNDER_WAY, is_under_way);
            let struck = fault();
            self.healed.store(true, Ordering::Relaxed);
            let entries = buyers.into_iter().flat_map(|buyer| buyer.join().expect("a buyer does not panic"));
            (struck, entries.collect())
        })
    }

    /// The least number of requests.
    pub(crate) const fn requests_min(&self) -> u64 {
        BUYERS * self.size.wishes
    }

    fn goes_on(&self, wishes: u64) -> bool {
        wishes < self.size.wishes || !self.healed.load(Ordering::Relaxed)
    }
}
