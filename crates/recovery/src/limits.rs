//! Every bound of the work with servers, in one place, each with its unit in its name. Those of one sale's
//! recovery are in `flash_plan`.

use std::time::Duration;

/// How often Redis is asked whether sales are gone or fenced. It bounds how late a recovery begins.
pub(crate) const LOOK_EVERY_MS: u64 = 100;
/// The rest between two rounds while sales are being recovered.
pub(crate) const ROUND_REST: Duration = Duration::from_millis(flash_plan::WAIT_STEP_MS);
/// How often the sales that have events are compared with PostgreSQL, and PostgreSQL is asked for rejections.
pub(crate) const COMPARE_EVERY: Duration = Duration::from_millis(1_000);
/// A sale that was recovered because of rejections is not recovered for that reason again before this: where it does
/// not help, the sale is not to be fenced all the time.
pub(crate) const REJECTIONS_REST: Duration = Duration::from_millis(30_000);
/// How long a barrier may take from its confirm to PostgreSQL. Then another one is sent: a broker may have lost it.
pub(crate) const BARRIER_WAIT_MS_MAX: u64 = 10_000;
/// The first wait after trouble with a connection.
pub(crate) const RETRY_MS: u64 = 50;
/// That wait doubles up to this.
pub(crate) const RETRY_MS_MAX: u64 = 2_000;
/// Sales that are being recovered by a gateway. What is beyond is found again when there is room.
pub(crate) const SALES_MAX: usize = 10_000;
/// Sales whose recoveries take steps at the same time. The rest take theirs right after.
pub(crate) const SALES_AT_ONCE_MAX: usize = 64;
/// Connections to PostgreSQL that seal at the same time.
pub(crate) const SEALS_AT_ONCE_MAX: usize = 4;
/// Sales that one question to PostgreSQL or Redis is about.
pub(crate) const SALES_PER_PAGE: u32 = 1_000;
/// Sales of which STATUS is compared with PostgreSQL at each look that compares: with 1,000 sales, each is once in 10
/// s.
pub(crate) const SALES_COMPARED_AT_ONCE: u32 = 100;
/// Sales that buyers asked for and Redis does not have, waiting to be looked at.
pub(crate) const ASKED_MAX: usize = 1_024;
/// Postgres that are read at once, and given back in one round trip to Redis.
pub(crate) const ORDERS_PER_PAGE: u32 = 5_120;
/// How long a recovery that is to stop may take to end its step.
pub const STOP_TIMEOUT: Duration = Duration::from_millis(1_000);
/// How long a journal may show no progress before it is written to PostgreSQL past the transport, unless another time
/// is set: longer than a restart of a broker or a syncer takes.
pub const SWEEP_AFTER_MS: u64 = 30_000;
/// How often journals are looked at for progress.
pub(crate) const SWEEP_LOOK_EVERY: Duration = Duration::from_millis(1_000);
