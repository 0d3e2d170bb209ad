-- What is sold, what a buyer says with an order, and how it was paid.

CREATE TABLE products (
    product text PRIMARY KEY,
    name text NOT NULL,
    -- What one unit costs, in the currency's smallest unit.
    price bigint NOT NULL,
    currency text NOT NULL,
    skus text[] NOT NULL,
    CONSTRAINT products_cost_something_or_nothing CHECK (price >= 0)
);

-- Neither changes once the sale is there: gateways remember both.
ALTER TABLE sales
    ADD COLUMN product text REFERENCES products,
    -- A JSON Schema for the data of the sale's orders. Not jsonb: json keeps the exact text, and \u0000.
    ADD COLUMN form json;

CREATE TABLE buyers (
    buyer text PRIMARY KEY,
    currency text NOT NULL,
    -- With what the account was opened: less what was paid, and not given back, it is the balance.
    opening_balance bigint NOT NULL,
    balance bigint NOT NULL,
    -- Never below zero: the last word on it.
    CONSTRAINT buyers_owe_nothing CHECK (balance >= 0)
);

-- How a reservation was paid, or is to be: once. A payment follows its order. It is made before the hold is confirmed, and
-- what becomes of it is read off the order's end here, whoever made it and however that one ended.
CREATE TABLE payments (
    sale text NOT NULL,
    -- The reservation's id.
    id bigint NOT NULL,
    buyer text NOT NULL,
    means text NOT NULL,
    -- What was debited; null: somebody else takes the money, and the reference is theirs.
    amount bigint,
    currency text,
    reference text,
    -- pending, until the order has ended; then settled, or, of an order that was not confirmed, refunded to the balance, or
    -- due to be refunded by whoever took the money.
    state text NOT NULL DEFAULT 'pending',
    at timestamptz NOT NULL DEFAULT now(),
    ended_at timestamptz,
    PRIMARY KEY (sale, id),
    CONSTRAINT payments_means_known CHECK (
        means = 'balance' AND amount >= 0 AND currency IS NOT NULL AND reference IS NULL
        OR means = 'external' AND reference IS NOT NULL AND amount IS NULL
    ),
    CONSTRAINT payments_state_known CHECK (state IN ('pending', 'settled', 'refunded', 'refund_due'))
);
CREATE INDEX payments_pending ON payments (sale, id) WHERE state = 'pending';
