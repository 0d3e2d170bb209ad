//! What PostgreSQL says about itself.

/// Settings as a new session of this user finds them.
pub(crate) const SETTINGS: &str = "SELECT name, reset_val FROM pg_settings WHERE name = ANY($1)";

/// The clock, in Unix milliseconds.
pub(crate) const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Whether it takes no writes, for it follows another server.
pub(crate) const IS_STANDBY: &str = "SELECT pg_is_in_recovery()";

/// Whether this session takes no writes. (True in a standby as well.)
pub(crate) const IS_READ_ONLY: &str = "SELECT current_setting('transaction_read_only')::boolean";

/// In which encoding the database keeps texts.
pub(crate) const ENCODING: &str = "SELECT current_setting('server_encoding')";

/// Whether there is a list of migrations at all.
pub(crate) const HAS_MIGRATIONS: &str = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";

/// The migrations that were applied.
pub(crate) const MIGRATIONS: &str = "SELECT version, name, checksum FROM refinery_schema_history ORDER BY version";

/// Where the setting `$1` is given for this database or this user, or both.
pub(crate) const SETTING_LEVELS: &str = "
    SELECT CASE WHEN setrole = 0 THEN 'database' WHEN setdatabase = 0 THEN 'role' ELSE 'role in this database' END,
        split_part(option, '=', 2)
    FROM pg_db_role_setting, unnest(setconfig) AS option
    WHERE split_part(option, '=', 1) = $1
    AND setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    AND setrole IN (0, (SELECT oid FROM pg_roles WHERE rolname = current_user))
    ORDER BY 1";

/// Which process serves this statement, and whether it has what every session of Flash begins with.
pub(crate) const SERVED_BY: &str = "SELECT pg_backend_pid(), current_setting('statement_timeout') = '30s'";
