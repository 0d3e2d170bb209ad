-- The audit log grows only: rows are neither changed nor deleted, and each has a hash of the one before it.

-- Where the chain ends. One row, which whoever adds to the log locks: so the chain has one order.
CREATE TABLE audit_head (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    place bigint NOT NULL,
    hash bytea NOT NULL
);
INSERT INTO audit_head (place, hash) VALUES (0, '');

-- Its place in the chain, from 1.
ALTER TABLE audit_log ADD COLUMN place bigint;
ALTER TABLE audit_log ADD COLUMN hash bytea;
-- The row of which this one says what became of it.
ALTER TABLE audit_log ADD COLUMN ends bigint;

-- A field, so that no two rows are the same text: its length, and itself.
CREATE FUNCTION audit_field(field text) RETURNS text LANGUAGE sql IMMUTABLE AS
    $$ SELECT coalesce(octet_length(field) || ':' || field, '-') $$;

-- The hash of a row behind another one. `flash audit log --verify` reckons the same.
CREATE FUNCTION audit_hash(before bytea, entry audit_log) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(before || convert_to(
        audit_field(entry.place::text) || audit_field(entry.id::text)
        || audit_field((extract(epoch FROM entry.at) * 1000000)::bigint::text)
        || audit_field(entry.who) || audit_field(entry.key) || audit_field(entry.action) || audit_field(entry.sale)
        || audit_field(entry.detail) || audit_field(entry.outcome) || audit_field(entry.ends::text), 'UTF8'))
$$;

-- Adds a row to the chain. With its owner's rights: who adds rows changes neither the head nor what is hashed.
CREATE FUNCTION audit_chain() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    head record;
BEGIN
    EXECUTE format('SELECT * FROM %I.audit_head FOR UPDATE', TG_TABLE_SCHEMA) INTO head;
    NEW.at := clock_timestamp();
    NEW.place := head.place + 1;
    NEW.hash := audit_hash(head.hash, NEW);
    EXECUTE format('UPDATE %I.audit_head SET place = $1, hash = $2', TG_TABLE_SCHEMA) USING NEW.place, NEW.hash;
    RETURN NEW;
END $$;

CREATE FUNCTION audit_keeps() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the audit log grows only' USING ERRCODE = 'insufficient_privilege';
END $$;

-- What was logged before is chained as it is.
DO $$
DECLARE
    entry audit_log;
    head record;
BEGIN
    FOR entry IN SELECT * FROM audit_log ORDER BY id LOOP
        SELECT * INTO head FROM audit_head;
        entry.place := head.place + 1;
        entry.hash := audit_hash(head.hash, entry);
        UPDATE audit_log SET place = entry.place, hash = entry.hash WHERE id = entry.id;
        UPDATE audit_head SET place = entry.place, hash = entry.hash;
    END LOOP;
END $$;

ALTER TABLE audit_log ALTER COLUMN place SET NOT NULL, ALTER COLUMN hash SET NOT NULL;
CREATE UNIQUE INDEX audit_log_by_place ON audit_log (place);
CREATE INDEX audit_log_by_end ON audit_log (ends) WHERE ends IS NOT NULL;

CREATE TRIGGER audit_chain BEFORE INSERT ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_chain();
CREATE TRIGGER audit_keeps BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_keeps();
