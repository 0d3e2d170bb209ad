//! Payments beside the sale: made at once, on connections that no one else waits for, and settled or given back as
//! their orders end.

#![forbid(unsafe_code)]

mod debits;
mod follow;
mod limits;
mod unmade;

pub use debits::{DebitError, Debits};
pub use follow::Payments;
pub use limits::{DEBIT_STATEMENT_MS_MAX, DEBIT_TIMEOUT_MS, DEBITS_AT_ONCE_MAX};
