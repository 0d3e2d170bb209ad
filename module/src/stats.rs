//! What `INFO flash` counts. Commands run on one thread, so that counting is a load and a store; INFO may also be
//! written by a signal handler, so that everything it reads is an atomic or a lock that is only tried.

use std::collections::BTreeMap;
use std::ffi::CStr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use flash_sale::{Change, Refusal, Sale};

/// Counts up since the server was started.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    const fn new() -> Self {
        Self(AtomicU64::new(0))
    }

    pub(crate) fn add(&self, more: u64) {
        self.0.store(self.get() + more, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What happened, by the place of the change, with the keyspace event that tells of it. INFO calls it the same, without
/// the prefix.
pub(crate) static HAPPENED: [(&CStr, Counter); 8] = [
    (c"flash.warmed", Counter::new()),
    (c"flash.reserved", Counter::new()),
    (c"flash.confirmed", Counter::new()),
    (c"flash.released", Counter::new()),
    (c"flash.expired", Counter::new()),
    (c"flash.restocked", Counter::new()),
    (c"flash.opened", Counter::new()),
    (c"flash.closed", Counter::new()),
];
/// By the place of the refusal's code.
pub(crate) static REFUSED: [Counter; Refusal::TABLE.len()] = [const { Counter::new() }; Refusal::TABLE.len()];
/// Calls of FLASH.THROTTLE that took units.
pub(crate) static ALLOWED: Counter = Counter::new();
/// Calls of FLASH.THROTTLE for which too few units were left.
pub(crate) static THROTTLED: Counter = Counter::new();
/// Sales whose time has stepped back with the server's clock, each time.
pub(crate) static STEPPED_BACK: Counter = Counter::new();
/// The same of rate limits.
pub(crate) static THROTTLES_STEPPED_BACK: Counter = Counter::new();
/// Calls that were answered with an error.
pub(crate) static FAULTS: Counter = Counter::new();
/// Commands that panicked.
pub(crate) static PANICS: Counter = Counter::new();

/// Counts an event, wherever it was decided, and gives the keyspace event that tells of it.
pub(crate) fn happened(change: &Change) -> &'static CStr {
    let (place, reservations) = match change {
        Change::Warmed(_) => (0, 1),
        Change::Reserved(_) => (1, 1),
        Change::Confirmed { .. } => (2, 1),
        Change::Released { .. } => (3, 1),
        Change::Expired { ids } => (4, ids.len() as u64),
        Change::Restocked { .. } => (5, 1),
        Change::Opened => (6, 1),
        Change::Closed => (7, 1),
    };
    let (event, counter) = &HAPPENED[place];
    counter.add(reservations);
    event
}

/// Counts a refusal.
pub(crate) fn refused(refusal: Refusal) {
    REFUSED[refusal.place()].add(1);
}

/// Counts a call of FLASH.THROTTLE.
pub(crate) fn asked_for_units(is_allowed: bool) {
    if is_allowed { ALLOWED.add(1) } else { THROTTLED.add(1) }
}

/// Counts an error reply.
pub(crate) fn failed() {
    FAULTS.add(1);
}

/// Counts a panic.
pub(crate) fn panicked() {
    PANICS.add(1);
}

/// One sale's part in INFO, from its first moment in this server to its last.
#[derive(Debug)]
pub(crate) struct Gauges {
    number: u64,
    shown: Arc<Shown>,
}

/// What is shown of one sale.
#[derive(Debug, Default)]
struct Shown {
    acked: AtomicU64,
    journal_events: AtomicU64,
    journal_since_ms: AtomicU64,
    memory_bytes: AtomicU64,
    at_ms: AtomicU64,
}

/// Sums over every sale in this server.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) sales: u64,
    pub(crate) journal_events: u64,
    /// When the oldest unacknowledged event of all was decided.
    pub(crate) journal_since_ms: Option<u64>,
    pub(crate) memory_bytes: u64,
    /// The time of the sale whose time is the latest.
    pub(crate) latest_ms: u64,
}

/// By number. Sales are freed on a background thread too.
static SALES: Mutex<BTreeMap<u64, Arc<Shown>>> = Mutex::new(BTreeMap::new());

impl Gauges {
    /// Of a sale that has come into this server.
    pub(crate) fn new(sale: &Sale) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        let gauges = Self { number: NUMBERS.fetch_add(1, Ordering::Relaxed), shown: Arc::default() };
        SALES.lock().unwrap_or_else(PoisonError::into_inner).insert(gauges.number, Arc::clone(&gauges.shown));
        gauges.show(sale);
        gauges
    }

    /// Shows the sale's state.
    pub(crate) fn show(&self, sale: &Sale) {
        let (acked, events) = (sale.acked(), sale.journal_events());
        self.shown.memory_bytes.store(sale.memory_bytes() as u64, Ordering::Relaxed);
        self.shown.journal_events.store(events, Ordering::Relaxed);
        self.shown.at_ms.store(sale.at_ms(), Ordering::Relaxed);
        // The oldest event is another one only then, and to read it costs more than the rest.
        if events <= 1 || self.shown.acked.load(Ordering::Relaxed) != acked {
            self.shown.acked.store(acked, Ordering::Relaxed);
            self.shown.journal_since_ms.store(sale.journal_since_ms().unwrap_or(0), Ordering::Relaxed);
        }
    }
}

impl Drop for Gauges {
    fn drop(&mut self) {
        SALES.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

/// The sums; none while a sale is just being freed and this is asked for in a signal handler.
pub(crate) fn sums() -> Option<Sums> {
    let sales = SALES.try_lock().ok()?;
    let mut sums = Sums { sales: sales.len() as u64, ..Sums::default() };
    for shown in sales.values() {
        let events = shown.journal_events.load(Ordering::Relaxed);
        sums.memory_bytes += shown.memory_bytes.load(Ordering::Relaxed);
        sums.journal_events += events;
        sums.latest_ms = sums.latest_ms.max(shown.at_ms.load(Ordering::Relaxed));
        if events > 0 {
            let since_ms = shown.journal_since_ms.load(Ordering::Relaxed);
            sums.journal_since_ms = Some(sums.journal_since_ms.map_or(since_ms, |oldest| oldest.min(since_ms)));
        }
    }
    Some(sums)
}
