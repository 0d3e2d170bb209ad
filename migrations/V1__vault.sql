-- The vault: what was sold, guarded by constraints that hold whatever Redis, the relay or the syncer did.
--
-- Sales, SKUs, buyers and states are text, for people read these tables; beside text, an enum or a number for the state
-- made writing no faster (measured: 200,000 orders, within the noise). Times are Unix milliseconds, the very numbers
-- that events and answers hold. There are no foreign keys: every order would pay for them, while the syncer writes an
-- order only together with its SKU's counter.

CREATE TABLE sales (
    sale text PRIMARY KEY,
    -- Which life of the sale in Redis is the newest one known here.
    epoch bigint NOT NULL,
    -- Units per buyer. ("limit" is a word of SQL.)
    buyer_limit bigint NOT NULL,
    hold_ms bigint,
    opens_at_ms bigint,
    closes_at_ms bigint,
    journal_events_max bigint,
    -- An operator has stopped it.
    closed boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE skus (
    sale text NOT NULL,
    sku text NOT NULL,
    -- Its place in the sale's terms, from 0.
    position smallint NOT NULL,
    -- Units put on sale at first: part of the sale's terms.
    warmed_total bigint NOT NULL,
    -- Units on sale now: an operator may restock.
    total bigint NOT NULL,
    -- Units of held and confirmed orders.
    sold bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (sale, sku),
    -- Never oversell: the last word on it.
    CONSTRAINT skus_sold_within_total CHECK (sold BETWEEN 0 AND total)
)
-- Few rows, each written once a batch: with room in its page the new version needs no new index entry.
WITH (fillfactor = 50);

-- How far each life of a sale has been written: every event up to head is in these tables, exactly once.
CREATE TABLE epochs (
    sale text NOT NULL,
    epoch bigint NOT NULL,
    head bigint NOT NULL,
    PRIMARY KEY (sale, epoch)
)
WITH (fillfactor = 50);

CREATE TABLE orders (
    sale text NOT NULL,
    -- The reservation's id: the seq of the event that made it, unique in its sale over all epochs.
    id bigint NOT NULL,
    epoch bigint NOT NULL,
    buyer text NOT NULL,
    -- The lowest number that none of the buyer's other active orders had: two active orders of a buyer differ in it.
    slot smallint NOT NULL,
    state text NOT NULL,
    -- [{"sku": "…", "quantity": n}, …]
    items jsonb NOT NULL,
    -- The id of the request that made it.
    request text,
    -- What the buyer sent along. Not jsonb: json keeps the exact text, and \u0000.
    data json,
    reserved_at_ms bigint NOT NULL,
    -- When the hold ends or would have ended; null: it never was one.
    expires_at_ms bigint,
    -- When it was confirmed, released or expired; null: it is held, or was confirmed at once.
    ended_at_ms bigint,
    PRIMARY KEY (sale, id),
    CONSTRAINT orders_state_known CHECK (state IN ('held', 'confirmed', 'released', 'expired'))
);

-- Never twice for one buyer: the last word on it.
CREATE UNIQUE INDEX orders_one_active_per_slot ON orders (sale, buyer, slot) WHERE state IN ('held', 'confirmed');

-- One row for each SKU of an order, for people and reports.
CREATE VIEW order_items AS
SELECT orders.sale, orders.id, orders.buyer, orders.state, item.sku, item.quantity
FROM orders, jsonb_to_recordset(orders.items) AS item (sku text, quantity bigint);

-- Events that came before their turn: a seq beyond a gap. They are applied when the gap closes.
CREATE TABLE early (
    sale text NOT NULL,
    epoch bigint NOT NULL,
    seq bigint NOT NULL,
    -- The message that carries this one event, as JSON. Text, so that nothing in it can be refused here.
    event text NOT NULL,
    PRIMARY KEY (sale, epoch, seq)
);

-- Reservations that the constraints above refused. Each reservation that Redis accepted is an order or stands here (or
-- in the quarantine, where what came with it cannot be written at all).
CREATE TABLE rejections (
    sale text NOT NULL,
    epoch bigint NOT NULL,
    -- The reservation's id.
    id bigint NOT NULL,
    buyer text NOT NULL,
    -- oversold, second_order, id_taken or unknown_sku.
    reason text NOT NULL,
    -- The message that carries this one event, as JSON.
    event text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sale, epoch, id)
);

-- What nobody can read or write, to look at and to replay.
CREATE TABLE quarantine (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Null where the message could not be read.
    sale text,
    epoch bigint,
    seq bigint,
    reason text NOT NULL,
    body bytea NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

-- A message that nobody can read comes again when a syncer dies before its ack: it is kept once.
CREATE UNIQUE INDEX quarantine_unreadable_once ON quarantine (sha256(body)) WHERE seq IS NULL;
