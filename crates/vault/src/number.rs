//! Numbers across the border: PostgreSQL's bigint is signed.

/// Ids, times and units have limits far below 2^63, and epochs end there.
pub(crate) fn to_sql(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// Nothing that is written here is negative.
pub(crate) fn from_sql(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}
