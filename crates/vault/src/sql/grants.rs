//! Who may do what. `{role}` is the role's name.

/// A gateway.
pub(crate) const GATEWAY: &str = include_str!("roles/gateway.sql");

/// A syncer.
pub(crate) const SYNCER: &str = include_str!("roles/syncer.sql");

/// The tables in which this user may not do what a gateway does.
pub(crate) const CLOSED_TABLES: &str = "
    SELECT tablename::text FROM pg_tables
    WHERE schemaname = current_schema() AND tablename <> 'refinery_schema_history' AND EXISTS (
        SELECT FROM unnest(CASE
            WHEN tablename = 'audit_log' THEN '{SELECT,INSERT}'::text[]
            WHEN tablename = 'audit_head' THEN '{SELECT}'
            WHEN tablename IN ('early', 'barriers', 'webhooks', 'deliveries', 'syncers', 'request_keys')
                THEN '{SELECT,INSERT,UPDATE,DELETE}'
            ELSE '{SELECT,INSERT,UPDATE}'
        END) AS needed (privilege)
        WHERE NOT has_table_privilege(format('%I.%I', schemaname, tablename), privilege)
    )
    ORDER BY tablename";

/// Whether this user may change or delete rows of the audit log. (Its owner may, and a superuser.)
pub(crate) const MAY_REWRITE_LOG: &str = "
    SELECT to_regclass('audit_log') IS NOT NULL AND (
        has_table_privilege('audit_log', 'UPDATE') OR has_table_privilege('audit_log', 'DELETE')
        OR has_table_privilege('audit_log', 'TRUNCATE')
    )";
