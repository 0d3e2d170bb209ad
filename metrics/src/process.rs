//! Everything that a process counts: one static each, and one line in [`write`].

use crate::count::{Counter, Gauge, Histogram, LATENCY_SECONDS, SIZES};
use crate::page::Page;

/// From a publish to its confirm.
pub static CONFIRM_SECONDS: Histogram = Histogram::new(&LATENCY_SECONDS);
/// How often the relay's connection was given up: a message was refused or returned, its fate is unknown, or nobody was
/// there. Whatever was in flight is sent again.
pub static PUBLISH_FAILURES: Counter = Counter::new();
/// Whether the relay reaches what carries its messages: 1 or 0.
pub static TRANSPORT_UP: Gauge = Gauge::new();
/// Events of a batch.
pub static BATCH_EVENTS: Histogram = Histogram::new(&SIZES);
/// What writing a batch took, its commit included.
pub static BATCH_SECONDS: Histogram = Histogram::new(&LATENCY_SECONDS);
/// From the decision of a batch's newest event to its commit.
pub static SYNC_LAG_SECONDS: Histogram = Histogram::new(&LATENCY_SECONDS);
/// How often the syncer connected anew because something was away.
pub static SYNCER_RETRIES: Counter = Counter::new();
/// Events that PostgreSQL had already.
pub static DUPLICATES: Counter = Counter::new();
/// Reservations that the constraints refused.
pub static REJECTIONS: Counter = Counter::new();
/// Events and messages that went to the quarantine.
pub static QUARANTINED: Counter = Counter::new();

/// Writes all of it.
pub fn write(page: &mut Page) {
    let as_f64 = |gauge: &Gauge| f64::from(u32::try_from(gauge.get()).unwrap_or(u32::MAX));
    page.histogram("flash_confirm_seconds", "From a publish to its confirm.", &CONFIRM_SECONDS);
    page.counter(
        "flash_publish_failures_total",
        "Connections given up with all that was in flight, which is sent again.",
        PUBLISH_FAILURES.get(),
    );
    page.gauge("flash_transport_up", "Whether the relay reaches RabbitMQ.", as_f64(&TRANSPORT_UP));
    page.histogram("flash_syncer_batch_events", "Events of a batch.", &BATCH_EVENTS);
    page.histogram("flash_syncer_batch_seconds", "What writing a batch took.", &BATCH_SECONDS);
    page.histogram("flash_syncer_lag_seconds", "From an event's decision to its commit.", &SYNC_LAG_SECONDS);
    page.counter("flash_syncer_retries_total", "New connections after trouble.", SYNCER_RETRIES.get());
    page.counter("flash_duplicates_total", "Events that PostgreSQL had already.", DUPLICATES.get());
    page.counter("flash_rejections_total", "Reservations that PostgreSQL refused.", REJECTIONS.get());
    page.counter("flash_quarantined_total", "Events and messages put aside.", QUARANTINED.get());
}
