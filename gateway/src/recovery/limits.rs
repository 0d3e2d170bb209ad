//! Every bound of the recovery, in one place, each with its unit in its name.

use std::time::Duration;

/// How often Redis is asked whether sales are gone or fenced. It bounds how late a recovery begins.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How often a sale that waits for PostgreSQL is looked at again.
pub(crate) const WAIT_STEP: Duration = Duration::from_millis(20);
/// How often PostgreSQL is asked for rejections.
pub(crate) const REJECTIONS_EVERY: Duration = Duration::from_millis(1_000);
/// A sale that was rebuilt because of rejections is not rebuilt for that reason again before this: where it does not help,
/// the sale is not to be fenced all the time.
pub(crate) const REJECTIONS_REST: Duration = Duration::from_millis(30_000);
/// How long a barrier may take from its confirm to PostgreSQL. Then another one is sent: a broker may have lost it.
pub(crate) const BARRIER_WAIT_MS_MAX: u64 = 10_000;
/// The first wait after trouble.
pub(crate) const RETRY_MS: u64 = 50;
/// That wait doubles up to this.
pub(crate) const RETRY_MS_MAX: u64 = 2_000;
/// How long a sale is left alone at first that cannot be recovered, while the others go on.
pub(crate) const SALE_REST_MS: u64 = 2_000;
/// That rest doubles up to this.
pub(crate) const SALE_REST_MS_MAX: u64 = 5 * 60_000;
/// Sales that are being recovered at once. What is beyond is found again when there is room.
pub(crate) const SALES_MAX: usize = 10_000;
/// Sales that one question to PostgreSQL or Redis is about.
pub(crate) const SALES_PER_PAGE: u32 = 1_000;
/// Sales that buyers asked for and Redis does not have, waiting to be looked at.
pub(crate) const ASKED_MAX: usize = 1_024;
/// Orders that are read at once, and given back in one round trip to Redis.
pub(crate) const ORDERS_PER_PAGE: u32 = 5_120;
/// How long after its creation a sale that never had an event is left to the request that creates it: longer than that
/// request can take.
pub(crate) const CREATION_GRACE_S: u64 = 10;
/// How long a recovery that is to stop may take to end its step.
pub(crate) const STOP_TIMEOUT: Duration = Duration::from_millis(1_000);

const _: () = assert!(CREATION_GRACE_S * 1_000 > crate::limits::CREATE_TIMEOUT_MS + flash_client::RELAY_TIMEOUT_MS);
