-- Where a life of a sale ended, and what it may have lost.

-- The last event of an epoch that is over: PostgreSQL had everything up to here, or knows which it had not (gaps), when the
-- sale went on in the next epoch. What still comes from beyond is late, and is refused. Null: the epoch goes on.
ALTER TABLE epochs ADD COLUMN sealed_at bigint;

-- Events of a sealed epoch that nobody had any more: Redis and the broker had lost them both.
CREATE TABLE gaps (
    sale text NOT NULL,
    epoch bigint NOT NULL,
    first bigint NOT NULL,
    last bigint NOT NULL,
    PRIMARY KEY (sale, epoch, first)
);

-- A reservation may also be refused because it came late. When Redis was rebuilt without it; null: Redis may still count
-- its units.
ALTER TABLE rejections ADD COLUMN settled_at timestamptz;
CREATE INDEX rejections_unsettled ON rejections (sale) WHERE settled_at IS NULL;

-- An event that cannot be written is kept once, however often it comes.
CREATE UNIQUE INDEX quarantine_event_once ON quarantine (sale, epoch, seq) WHERE seq IS NOT NULL;

-- Which gateway brings a sale back, and until when the others leave it to that one. A lease rather than a lock: a gateway
-- that sleeps would hold a lock for as long.
CREATE TABLE recoveries (
    sale text PRIMARY KEY,
    gateway text NOT NULL,
    until timestamptz NOT NULL
);
