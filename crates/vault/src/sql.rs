//! All SQL of Flash, but for the migrations: what every session begins with here, the statements by their topic in
//! `sql/`. Lists go in as arrays of equal length, one for each column.

pub(crate) mod audit_log;
pub(crate) mod catalogue;
pub(crate) mod doubts;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod foreign;
pub(crate) mod grants;
pub(crate) mod inspect;
pub(crate) mod orders;
pub(crate) mod pages;
pub(crate) mod payments;
pub(crate) mod quarantine;
pub(crate) mod reconcile;
pub(crate) mod recovery;
pub(crate) mod request_keys;
pub(crate) mod reserved;
pub(crate) mod restore;
pub(crate) mod sales;
pub(crate) mod syncers;
pub(crate) mod webhooks;

pub(crate) mod identity;

/// Settings of every session. A commit that is not on disk is none: what is acknowledged after it would be lost. (Any
/// setting but `off` is the operator's choice of more.) It is set in either case, so that what the server's settings
/// come to say later does not reach the session.
pub(crate) const SESSION: &str = "
    SELECT set_config(
        'synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
        false
    )";

/// How long the session may leave a transaction alone, in milliseconds.
pub(crate) fn idle_timeout(ms: u64) -> String {
    format!("SET idle_in_transaction_session_timeout = {ms}")
}

/// The same for the transaction at hand.
pub(crate) fn idle_timeout_here(ms: u64) -> String {
    format!("SET LOCAL idle_in_transaction_session_timeout = {ms}")
}

/// How long a statement of the session may take, in milliseconds, its wait for locks included.
pub(crate) fn statement_timeout(ms: u128) -> String {
    format!("SET statement_timeout = {ms}")
}

/// More settings of a session that writes. Its statements look rows up by their keys, each of a list in turn. The
/// planner knows neither how long the lists are nor how fast the tables grow; left alone it prefers to scan whole ones,
/// and to confirm an order among 100,000 then costs six times as much. To compile such a statement takes longer than to
/// run it.
pub(crate) const WRITER: &str = "
    SET plan_cache_mode = force_generic_plan;
    SET jit = off;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off";

/// How long each statement of this session may take: `$1`, as PostgreSQL writes it.
pub(crate) const STATEMENT_LIMIT: &str = "SELECT set_config('statement_timeout', $1, false)";

/// Held by the process that migrates; the number is any that no one else uses. To wait for another migration, or to
/// carry out a long one, may take longer than a statement otherwise may.
pub(crate) const LOCK_MIGRATIONS: &str = "SET statement_timeout = 0; SELECT pg_advisory_lock(7310579530163)";

/// Ends what [`LOCK_MIGRATIONS`] began.
pub(crate) const UNLOCK_MIGRATIONS: &str = "SELECT pg_advisory_unlock(7310579530163); SET statement_timeout = '30s'";
