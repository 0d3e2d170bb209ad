-- What a syncer may do: it writes orders, and sees no key.
-- `flash migrate --syncer-role ROLE` carries this out for a role, as the owner of the tables.
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role};
GRANT USAGE ON SCHEMA public TO {role};
GRANT SELECT, INSERT, UPDATE ON sales, skus, epochs, orders, rejections TO {role};
GRANT SELECT, INSERT ON quarantine, gaps, deliveries TO {role};
GRANT SELECT, INSERT, DELETE ON early, barriers TO {role};
GRANT SELECT, INSERT, UPDATE, DELETE ON syncers TO {role};
GRANT SELECT, UPDATE ON syncer_control TO {role};
GRANT SELECT ON recoveries, webhooks, restored, order_items, refinery_schema_history TO {role};
