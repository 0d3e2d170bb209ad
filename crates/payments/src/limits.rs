//! Every bound of payments, in one place, each with its unit in its name.

use std::time::Duration;

/// Payments that a gateway makes at once, and its connections to PostgreSQL for them.
pub const DEBITS_AT_ONCE_MAX: usize = 8;
/// How long a statement of a payment may take in PostgreSQL, its wait for the buyer's row included.
pub const DEBIT_STATEMENT_MS_MAX: u64 = 500;
/// How long a payment may take in all, its wait for a connection included.
pub const DEBIT_TIMEOUT_MS: u64 = 700;
/// How often payments are looked at that wait for the end of their orders.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(500);
/// Payments that one look moves.
pub(crate) const PAYMENTS_PER_LOOK_MAX: u32 = 1_000;
/// How often Redis is asked about payments for reservations that PostgreSQL has not come to.
pub(crate) const UNMADE_LOOK_EVERY: Duration = Duration::from_secs(10);
/// How old such a payment is at least, so that its reservation is no more on its way.
pub(crate) const UNMADE_AGE_S: u32 = 60;
/// Such payments that one look takes.
pub(crate) const UNMADE_PER_LOOK_MAX: u32 = 100;
/// The first wait after trouble.
pub(crate) const RETRY_MS: u64 = 100;
/// That wait doubles up to this.
pub(crate) const RETRY_MS_MAX: u64 = 5_000;

const _: () = assert!(DEBIT_STATEMENT_MS_MAX < DEBIT_TIMEOUT_MS);
