-- Who may call, and what operators did.

-- Keys that buyers and operators show. A key is known here by its hash alone: it was printed once, to whoever made it.
CREATE TABLE api_keys (
    -- The readable part that every key begins with.
    id text PRIMARY KEY,
    -- SHA-256 of the whole key. It is random enough that a slower hash would protect nothing.
    hash bytea NOT NULL,
    -- buyer: acts as its holder. read, operate: of an operator.
    role text NOT NULL,
    -- The buyer; or who the operator is, for the audit log.
    holder text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Unix milliseconds; null: never.
    expires_at_ms bigint,
    -- Nothing is deleted: what was revoked is still named in the audit log.
    revoked_at timestamptz,
    CONSTRAINT api_keys_role_known CHECK (role IN ('buyer', 'read', 'operate'))
);

-- What operators asked for, over HTTP and by the program. A row is there before the change is made.
CREATE TABLE audit_log (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    -- The key's holder, or the system's user.
    who text NOT NULL,
    -- The key's id; null: none was needed.
    key text,
    -- The route, or the command.
    action text NOT NULL,
    -- Null: it is about no sale.
    sale text,
    detail text NOT NULL,
    -- done, or why not; null: nobody knows, for whoever did it did not live to say.
    outcome text
);
