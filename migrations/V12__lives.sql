-- What a recovery has to know of a sale: which attempt is the newest, and what the sale holds.

-- The number of the newest recovery of the sale, whichever gateway made it: it grows by one with each, so rows stay.
ALTER TABLE recoveries ADD COLUMN term bigint NOT NULL DEFAULT 0;

-- What the events of this epoch changed in the sale's content: its active orders, as their number and the XOR of one
-- element for each. The content of a sale is the sum and the XOR over its epochs. Null: the epoch was begun before
-- these columns were there, and the content is counted when it is first needed. (A default for new rows only: no row is
-- rewritten.)
ALTER TABLE epochs
    ADD COLUMN digest bigint,
    ADD COLUMN reservations bigint;
ALTER TABLE epochs
    ALTER COLUMN digest SET DEFAULT 0,
    ALTER COLUMN reservations SET DEFAULT 0;

-- Up to which event the epoch was restored from Redis: what comes of these events later is settled. Null: it was not.
ALTER TABLE epochs ADD COLUMN restored_to bigint;

-- Orders that were written again from Redis, because PostgreSQL had lost what was acknowledged. (What the constraints
-- refuse of it is in rejections, with the reason not_restored.)
CREATE TABLE restored (
    sale text NOT NULL,
    -- The epoch that Redis was in.
    epoch bigint NOT NULL,
    -- The reservation's id.
    id bigint NOT NULL,
    -- made, held, confirmed or released: what the order became.
    what text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (sale, epoch, id)
);

COMMENT ON COLUMN rejections.settled_at IS
    'When Redis was known not to count the reservation any more. Null: it may count it, or may be in an earlier epoch.';
