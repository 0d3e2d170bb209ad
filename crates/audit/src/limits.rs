//! Every bound of an audit, each with its unit in its name.

/// Events that Redis is ahead of PostgreSQL. Beyond it the two are not compared: to read so many would be felt by
/// Redis.
pub const IN_FLIGHT_EVENTS_MAX: u64 = 50_000;
/// Active orders of a sale that are read one by one. Of more, what its epochs say is compared.
pub(crate) const COUNTED_RESERVATIONS_MAX: u64 = 100_000;
/// How often a sale is looked at anew because it moved on while it was looked at.
pub const ATTEMPTS_MAX: usize = 10;
/// Sales of one audit.
pub const SALES_MAX: usize = 10_000;
/// The first wait before another attempt.
pub(crate) const RETRY_WAIT_MS: u64 = 20;
/// That wait doubles up to this.
pub(crate) const RETRY_WAIT_MS_MAX: u64 = 500;
/// Pulls of one look: twice what its events need, for they may be dropped from the journal meanwhile, or come to be.
pub(crate) const PULLS_MAX: u64 = 2 * IN_FLIGHT_EVENTS_MAX / flash_wire::COUNT_MAX;
