-- When the relay gave an order's event to the queue, Unix milliseconds, by the clock of its gateway. Null: it went past the
-- queue, or an older release made it.
ALTER TABLE orders ADD COLUMN published_at_ms bigint;
