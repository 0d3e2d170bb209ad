-- What a gateway may do, and the commands of operators. To lock a row takes the right to update it.
-- `flash migrate --gateway-role ROLE` carries this out for a role, as the owner of the tables.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role};
REVOKE DELETE ON sales, skus, epochs, orders, rejections, quarantine, gaps, restored, recoveries, repairs, payments,
    products, buyers, api_keys, syncer_control FROM {role};
REVOKE ALL ON audit_log, audit_head, refinery_schema_history FROM {role};
GRANT SELECT, INSERT ON audit_log TO {role};
GRANT SELECT ON audit_head, refinery_schema_history TO {role};
