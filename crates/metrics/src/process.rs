//! Everything that a process counts: one static each, and one line in [`write`].

use std::sync::OnceLock;
use std::time::Duration;

use crate::count::{Counter, Gauge, Histogram, LATENCY_SECONDS, SIZES, Stopwatch};
use crate::host;
use crate::page::Page;

/// When nothing was confirmed for so long, though something is in flight, the transport counts as blocked. A confirm
/// takes milliseconds.
pub const BLOCKED_MS: u64 = 2_000;
const _: () = assert!(BLOCKED_MS == 2_000, "the help of flash_transport_blocked says two seconds");

/// The version of the program and the commit that it was built from. The program sets it when it starts.
pub static BUILD: OnceLock<(&str, &str)> = OnceLock::new();
/// Requests that were refused at once, for the gateway had enough in hand.
pub static REQUESTS_SHED: Counter = Counter::new();
/// Requests whose callers did not prove who they are (401).
pub static REQUESTS_UNAUTHENTICATED: Counter = Counter::new();
/// Requests whose callers may not do that (403).
pub static REQUESTS_FORBIDDEN: Counter = Counter::new();
/// From a publish to its confirm.
pub static CONFIRM_SECONDS: Histogram = Histogram::new(&LATENCY_SECONDS);
/// How often the relay's connection was given up: a message was refused or returned, its fate is unknown, or no process
/// was there. Whatever was in flight is sent again.
pub static PUBLISH_FAILURES: Counter = Counter::new();
/// Messages that were not taken.
pub static PUBLISHES_REJECTED: Counter = Counter::new();
/// Messages with an unknown outcome. They are sent again.
pub static PUBLISHES_UNKNOWN: Counter = Counter::new();
/// Runs while something is in flight; anew from each confirm.
pub static UNCONFIRMED: Stopwatch = Stopwatch::new();
/// Messages that wait for a syncer, those aside that one has fetched ahead; as this syncer saw it last.
pub static QUEUE_MESSAGES: Gauge = Gauge::new();
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
/// Unsigned messages that found no place in the quarantine.
pub static UNSIGNED_DROPPED: Counter = Counter::new();

/// How often PostgreSQL was asked what it has of a sale: of one that this gateway meets for the first time, or of an id
/// that Redis does not have.
pub static SALE_LOOKUPS: Counter = Counter::new();

/// Writes all of it that this process knows.
pub fn write(page: &mut Page) {
    if let Some((version, commit)) = BUILD.get() {
        let help = "The version of the program and its commit; always 1.";
        page.gauge_by_two("flash_build_info", help, ["version", "commit"], [([*version, *commit], 1)].into_iter());
    }
    host::write(page);
    let help = "Requests refused at once, for the gateway had enough in hand.";
    page.counter("flash_requests_shed_total", help, REQUESTS_SHED.get());
    let help = "Requests whose callers did not prove who they are (401).";
    page.counter("flash_requests_unauthenticated_total", help, REQUESTS_UNAUTHENTICATED.get());
    let help = "Requests whose callers may not do that (403).";
    page.counter("flash_requests_forbidden_total", help, REQUESTS_FORBIDDEN.get());
    page.histogram("flash_confirm_seconds", "From a publish to its confirm.", &CONFIRM_SECONDS);
    page.counter(
        "flash_publish_failures_total",
        "Connections given up with all that was in flight, which is sent again.",
        PUBLISH_FAILURES.get(),
    );
    page.counter("flash_publishes_rejected_total", "Messages that were not taken.", PUBLISHES_REJECTED.get());
    page.counter("flash_publishes_unknown_total", "Messages whose fate is unknown.", PUBLISHES_UNKNOWN.get());
    let help = "Whether the relay reaches what carries its messages.";
    page.gauge_if_known("flash_transport_up", help, TRANSPORT_UP.get());
    let blocked = UNCONFIRMED.elapsed().is_some_and(|elapsed| elapsed >= Duration::from_millis(BLOCKED_MS));
    let help = "Whether nothing is confirmed though something has been in flight for two seconds.";
    page.gauge("flash_transport_blocked", help, f64::from(u8::from(blocked)));
    let help = "Messages that wait, but for those that a syncer has in hand.";
    page.gauge_if_known("flash_queue_messages", help, QUEUE_MESSAGES.get());
    page.histogram("flash_syncer_batch_events", "Events of a batch.", &BATCH_EVENTS);
    page.histogram("flash_syncer_batch_seconds", "What writing a batch took.", &BATCH_SECONDS);
    page.histogram("flash_syncer_lag_seconds", "From an event's decision to its commit.", &SYNC_LAG_SECONDS);
    page.counter("flash_syncer_retries_total", "New connections after trouble.", SYNCER_RETRIES.get());
    page.counter("flash_duplicates_total", "Events that PostgreSQL had already.", DUPLICATES.get());
    page.counter("flash_rejections_total", "Reservations that PostgreSQL refused.", REJECTIONS.get());
    page.counter("flash_quarantined_total", "Events and messages put aside.", QUARANTINED.get());
    let help = "Unsigned messages that the quarantine has no place for.";
    page.counter("flash_unsigned_dropped_total", help, UNSIGNED_DROPPED.get());
    page.counter(
        "flash_sale_lookups_total",
        "Questions to PostgreSQL about a sale that is new to this gateway, or that Redis does not have.",
        SALE_LOOKUPS.get(),
    );
}
