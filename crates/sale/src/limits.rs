//! Every bound that the core keeps, in one place, each with its unit in its name.

/// SKUs in one sale. A sale's counters are scanned for its totals, so they stay few.
pub const SKUS_MAX: usize = 64;
/// Units of one SKU that a sale may put on sale.
pub const TOTAL_UNITS_MAX: u64 = 1_000_000_000;
/// Units of one SKU in one reservation, and the highest limit per buyer.
pub const QUANTITY_UNITS_MAX: u32 = 1_000_000_000;
/// A buyer id.
pub const BUYER_BYTES_MAX: usize = 128;
/// A SKU's name.
pub const SKU_BYTES_MAX: usize = 64;
/// A request id (an Idempotency-Key).
pub const REQUEST_BYTES_MAX: usize = 128;
/// What a buyer sends along with a reservation (a form, as JSON).
pub const DATA_BYTES_MAX: usize = 16 * 1024;
/// A pay window: 30 days.
pub const HOLD_MS_MAX: u64 = 30 * 24 * 60 * 60 * 1000;
/// Any point in time: the end of the year 9999, which PostgreSQL and every JSON reader still represent exactly.
pub const TIME_MS_MAX: u64 = 253_402_300_799_999;
/// How far a sale's time may lead the server's clock. A clock that is corrected by less is waited for; beyond it the
/// sale steps back.
pub const CLOCK_LEAD_MS_MAX: u64 = 1_000;
/// A sale's age: its time, and all that it has stepped back. A clock may step back from the end of time several
/// thousand times.
pub const AGE_MS_MAX: u64 = i64::MAX.unsigned_abs() - TIME_MS_MAX;
/// Events that a journal may keep unacknowledged.
pub const JOURNAL_EVENTS_MAX: u64 = 1_000_000_000;
/// The highest seq: the index of reservations keeps five bytes for each. At a million events a second it lasts twelve
/// days.
pub const SEQ_MAX: u64 = (1 << 40) - 1;
/// The highest epoch; it fits PostgreSQL's bigint.
pub const EPOCH_MAX: u64 = i64::MAX.unsigned_abs();
/// Reservations that one buyer may have at once, ended ones that are still remembered included: it bounds the work to
/// look a buyer up.
pub const RESERVATIONS_PER_BUYER_MAX: usize = 32;
/// Ended reservations that a sale remembers, so that a late repeat of a request, a confirm or a release still gets its
/// answer. The oldest is forgotten first.
pub const ENDED_RESERVATIONS_MAX: usize = 65_536;
/// Holds that one command may expire before it decides: enough to outrun arrivals, few enough for microseconds.
pub const EXPIRED_PER_EVENT_MAX: usize = 64;
/// Holds that one command may expire, event by event, as long as their units are all that it lacks: a wish for hundreds
/// of units is not refused for holds that are over, and none stalls the server.
pub const EXPIRED_PER_COMMAND_MAX: usize = 1_024;
/// Reservations that one command may look at in search of due holds.
pub const EXPIRY_SCAN_MAX: usize = 256;

const _: () = assert!(EXPIRED_PER_EVENT_MAX <= EXPIRY_SCAN_MAX);
const _: () = assert!(RESERVATIONS_PER_BUYER_MAX <= u8::MAX as usize);
const _: () = assert!(SKUS_MAX <= u16::MAX as usize);
