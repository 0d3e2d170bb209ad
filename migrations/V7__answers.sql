-- What answers need: the keys of requests, and who is to hear of orders.

-- The Idempotency-Key of each request that created something here. (A reservation's key lies in Redis, beside it.)
CREATE TABLE request_keys (
    route text NOT NULL,
    key text NOT NULL,
    -- The SHA-256 of the request's body: the same key with another one is no repeat.
    body bytea NOT NULL,
    -- The id of what was created.
    target text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (route, key)
);
CREATE INDEX request_keys_by_age ON request_keys (at);

-- Where an operator wants to hear of orders.
CREATE TABLE webhooks (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url text NOT NULL,
    -- Each delivery is signed with it, so it is here as it is.
    secret text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- Nothing is delivered any more, and why. Null: it is on.
    disabled_at timestamptz,
    disabled_because text
);

-- Whoever writes orders asks for those that are on, with every batch.
CREATE INDEX webhooks_on ON webhooks (id) WHERE disabled_at IS NULL;

-- What a webhook has not taken yet. What it has taken is no row any more.
CREATE TABLE deliveries (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook bigint NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    sale text NOT NULL,
    -- The reservation's id.
    reservation bigint NOT NULL,
    -- order.confirmed, order.released, order.expired or order.rejected: each is the end of what can happen to it.
    type text NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    -- When it is tried next. While a gateway tries it, this is when another may.
    due_at timestamptz NOT NULL DEFAULT now(),
    -- It was tried as often as it is; null: it is still tried.
    dead_at timestamptz,
    last_error text,
    UNIQUE (webhook, sale, reservation, type)
);
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE dead_at IS NULL;
