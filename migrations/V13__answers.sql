-- Answers that stay true: payments of their own buyers, keys as old as their sales, deliveries that are told once.

-- A payment belongs to one buyer's reservation. Another buyer's order of the same number is not its order.
ALTER TABLE payments DROP CONSTRAINT payments_pkey, ADD PRIMARY KEY (sale, id, buyer);
DROP INDEX payments_pending;
CREATE INDEX payments_pending ON payments (sale, id, buyer) WHERE state = 'pending';
-- Operators look for what is still to be paid back by others.
CREATE INDEX payments_refund_due ON payments (sale, id, buyer) WHERE state = 'refund_due';

-- Redis forgets the keys of ended reservations. An active order is found by its buyer's slots.
CREATE INDEX orders_ended_requests ON orders (sale, buyer, request)
    WHERE request IS NOT NULL AND state IN ('released', 'expired');
CREATE INDEX rejections_by_buyer ON rejections (sale, buyer);

-- What a webhook has taken stays as a mark, so that the same end is not announced again. Null: it is due, or given up.
ALTER TABLE deliveries ADD COLUMN delivered_at timestamptz;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (webhook, due_at) WHERE dead_at IS NULL AND delivered_at IS NULL;
CREATE INDEX deliveries_dead ON deliveries (webhook) WHERE dead_at IS NOT NULL;

-- What was written instead of the event, when the row was replayed: the reason of a rejection. Null: the event itself.
ALTER TABLE quarantine ADD COLUMN rejected text;
