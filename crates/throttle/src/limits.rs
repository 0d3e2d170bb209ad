//! Every bound that a rate limit keeps, in one place, each with its unit in its name.

/// Units that a rate, a burst or a limit may name.
pub const UNITS_MAX: u64 = 1_000_000_000;
/// The longest window or period: 30 days. With [`UNITS_MAX`] it keeps the bucket's products within 64 bits.
pub const PERIOD_MS_MAX: u64 = 30 * DAY_MS;
/// Any point in time: the end of the year 9999.
pub const TIME_MS_MAX: u64 = flash_sale::limits::TIME_MS_MAX;
/// How far a rate limit's clock may lead its caller's: as far as a sale's.
pub const CLOCK_LEAD_MS_MAX: u64 = flash_sale::limits::CLOCK_LEAD_MS_MAX;
/// Milliseconds in which a sliding window remembers that something was taken, each 16 bytes. A window has no more of
/// them than it has milliseconds, and no more than units.
pub const SLIDING_MOMENTS_MAX: u64 = 65_536;
/// How long a rate limit is kept once it means nothing any more, at least; at most it is twice as long. Its time to
/// live is moved no more often than this, and a clock that steps back by less finds the state that it left.
pub const EXPIRY_SLACK_MS: u64 = 10_000;
/// The westernmost time zone: UTC-12:00.
pub const OFFSET_MINUTES_MIN: i32 = -12 * 60;
/// The easternmost time zone: UTC+14:00.
pub const OFFSET_MINUTES_MAX: i32 = 14 * 60;

/// A day as a time zone of a fixed offset has it: always 24 hours.
pub const DAY_MS: u64 = 24 * 60 * 60 * 1000;

const _: () = assert!(UNITS_MAX * 2 < u64::MAX / PERIOD_MS_MAX);
