-- Barriers that have come: each is committed with or after everything that was queued before it.
CREATE TABLE barriers (
    id text PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now()
);

-- What the operator has told the syncers: one row.
CREATE TABLE syncer_control (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    paused boolean NOT NULL DEFAULT false,
    at timestamptz NOT NULL DEFAULT now()
);
INSERT INTO syncer_control DEFAULT VALUES;

-- What each syncer says of itself, now and then. One that has not done so for long is gone, and its row goes too.
CREATE TABLE syncers (
    name text PRIMARY KEY,
    -- Whether it takes messages.
    paused boolean NOT NULL,
    -- Messages that wait for a syncer; null: it does not know.
    queued bigint,
    at timestamptz NOT NULL DEFAULT now()
)
WITH (fillfactor = 50);
