-- What operators have done: nothing of it is deleted, so that it can be looked up.

-- A row waits for an operator until one of these is set.
ALTER TABLE quarantine
    ADD COLUMN replayed_at timestamptz,
    ADD COLUMN discarded_at timestamptz,
    ADD COLUMN discarded_by text,
    ADD CONSTRAINT quarantine_ends_once CHECK (replayed_at IS NULL OR discarded_at IS NULL);

-- Every repair, as `flash repair` made it.
CREATE TABLE repairs (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    sale text NOT NULL,
    -- counter or fence.
    kind text NOT NULL,
    -- What was found and what was done, for people.
    detail text NOT NULL,
    -- Who did it: the system's user.
    by text NOT NULL
);
CREATE INDEX repairs_by_sale ON repairs (sale, id);
