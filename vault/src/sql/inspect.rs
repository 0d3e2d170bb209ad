//! What PostgreSQL says about itself.

/// Settings as a new session of this user finds them.
pub(crate) const SETTINGS: &str = "SELECT name, reset_val FROM pg_settings WHERE name = ANY($1)";

/// The clock, in Unix milliseconds.
pub(crate) const CLOCK: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint";

/// Whether it takes no writes, for it follows another server.
pub(crate) const IS_STANDBY: &str = "SELECT pg_is_in_recovery()";

/// Whether there is a list of migrations at all.
pub(crate) const HAS_MIGRATIONS: &str = "SELECT to_regclass('refinery_schema_history') IS NOT NULL";

/// The migrations that were applied.
pub(crate) const MIGRATIONS: &str = "SELECT version, name, checksum FROM refinery_schema_history ORDER BY version";

/// The tables in which this user may not do what gateways and syncers do.
pub(crate) const CLOSED_TABLES: &str = "
    SELECT tablename::text FROM pg_tables
    WHERE schemaname = current_schema() AND tablename <> 'refinery_schema_history' AND NOT (
        has_table_privilege(format('%I.%I', schemaname, tablename), 'SELECT')
        AND has_table_privilege(format('%I.%I', schemaname, tablename), 'INSERT')
        AND has_table_privilege(format('%I.%I', schemaname, tablename), 'UPDATE')
        AND has_table_privilege(format('%I.%I', schemaname, tablename), 'DELETE')
    )
    ORDER BY tablename";
