//! Every bound of the relay, in one place, each with its unit in its name.

use std::time::Duration;

use flash_transport::{BODY_BYTES_GOAL, CONFIRM_TIMEOUT_MS};
use flash_wire::message::MESSAGE_EVENTS_MAX;
use flash_wire::{COUNT_MAX, LEASE_MS_MAX};

/// How long the relay rests when nothing wakes it. It bounds how late it sees what other gateways, and people with
/// redis-cli, have reserved, and how late an untouched hold expires.
pub(crate) const IDLE_MS: u64 = 25;
/// How long the relay waits after a reservation woke it, so that a stampede makes few messages of many events.
pub(crate) const LINGER_MS: u64 = 3;
/// Sales that one look at READY answers.
pub(crate) const READY_SALES: u64 = COUNT_MAX;
/// Holds of one sale that one round expires.
pub(crate) const REAP_HOLDS: u64 = 256;
/// Events that one PULL answers, and one message carries at most.
pub const RUN_EVENTS_MAX: u64 = 256;
/// Bytes of encoded events after which a message takes no more. JSON takes up to three times what the journal takes,
/// and where that matters, for data, hardly more.
pub(crate) const MESSAGE_BYTES: usize = BODY_BYTES_GOAL / 2;
/// Barriers that wait to be published. Few are ever asked for: one for each sale that is recovered.
pub(crate) const BARRIERS_MAX: usize = 64;
/// How long a barrier may take until its confirm: to wait for room, and to be confirmed.
pub(crate) const BARRIER_TIMEOUT_MS: u64 = 2 * CONFIRM_TIMEOUT_MS;
/// A sale is this relay's for so long after each PULL; a dead relay holds it up no longer.
pub(crate) const LEASE_MS: u64 = 1_000;
/// The rest after a sale whose journal could not be read.
pub(crate) const UNREADABLE_MS: u64 = 10_000;
/// Traces of events that wait to be published; beyond it the oldest is forgotten.
pub(crate) const TRACES_MAX: usize = 4_096;
/// The first wait before Redis or the transport is tried again.
pub(crate) const RETRY_MS: u64 = 50;
/// That wait doubles up to this.
pub(crate) const RETRY_MS_MAX: u64 = 5_000;
/// How long a relay that is to stop may take to send what is left and see it confirmed.
pub(crate) const FLUSH_TIMEOUT_MS: u64 = 5_000;
/// How long it may then take to say good-bye to the transport.
pub(crate) const CLOSE_TIMEOUT_MS: u64 = 1_000;
/// How long a relay may take to stop.
pub const STOP_TIMEOUT: Duration = Duration::from_millis(FLUSH_TIMEOUT_MS + CLOSE_TIMEOUT_MS);
/// How long to wait before a relay that ended by a bug begins again.
pub(crate) const RESTART_WAIT: Duration = Duration::from_millis(RETRY_MS_MAX);

const _: () = assert!(RUN_EVENTS_MAX <= COUNT_MAX && RUN_EVENTS_MAX <= MESSAGE_EVENTS_MAX as u64);
const _: () = assert!(LEASE_MS <= LEASE_MS_MAX && REAP_HOLDS <= COUNT_MAX);
const _: () = assert!(IDLE_MS < LEASE_MS && RETRY_MS < RETRY_MS_MAX);
const _: () = assert!(flash_plan::SALES_MAX as u64 > COUNT_MAX);
