-- Payments form a ledger: each one that is reported has a row, whatever became of its reservation. And roles of operators.

ALTER TABLE payments DROP CONSTRAINT payments_pkey, DROP CONSTRAINT payments_means_known;
ALTER TABLE payments
    ADD COLUMN payment bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    -- Why it does not pay for its reservation, where that is known: late, unknown, duplicate, other_buyer, other_currency,
    -- other_amount; same_reference: an older release took the reference for two reservations.
    ADD COLUMN reason text,
    -- What the payment service calls the refund, who reported it, and when. Null: the balance has it back, or it is no refund.
    ADD COLUMN refund_reference text,
    ADD COLUMN refunded_by text,
    ADD COLUMN refunded_at timestamptz,
    -- Null: nobody knows whose reservation it is for.
    ALTER COLUMN buyer DROP NOT NULL;

-- An older release settled two reservations by one reference. The first one keeps it.
UPDATE payments SET reference = later.reference || ' (again, payment ' || payments.payment || ')', reason = 'same_reference'
FROM (
    SELECT payment, reference, row_number() OVER (PARTITION BY means, reference ORDER BY at, payment) AS place
    FROM payments WHERE reference IS NOT NULL
) AS later
WHERE later.payment = payments.payment AND later.place > 1;

ALTER TABLE payments
    ADD CONSTRAINT payments_means_known CHECK (
        means = 'balance' AND buyer IS NOT NULL AND amount >= 0 AND currency IS NOT NULL AND reference IS NULL
        OR means = 'external' AND reference IS NOT NULL AND coalesce(amount, 0) >= 0
    ),
    ADD CONSTRAINT payments_refund_named CHECK (state = 'refunded' OR refund_reference IS NULL);

-- What was paid is reported once. A balance has no reference: it pays for a reservation once.
CREATE UNIQUE INDEX payments_one_per_reference ON payments (means, reference);
CREATE UNIQUE INDEX payments_one_debit ON payments (sale, id, buyer) WHERE means = 'balance';
-- One payment pays for a reservation. Every other one is to be paid back.
CREATE UNIQUE INDEX payments_one_per_reservation ON payments (sale, id, buyer) WHERE state IN ('pending', 'settled');
CREATE UNIQUE INDEX payments_one_per_refund ON payments (refund_reference) WHERE refund_reference IS NOT NULL;
CREATE INDEX payments_of_reservation ON payments (sale, id);
DROP INDEX payments_pending;
CREATE INDEX payments_pending ON payments (payment) WHERE state = 'pending';
DROP INDEX payments_refund_due;
CREATE INDEX payments_refund_due ON payments (payment) WHERE state = 'refund_due';

-- read: looks. sell: restocks, opens, closes, reserves and releases for buyers. pay: confirms, and reports refunds. admin:
-- everything. operate is what older keys say, and means admin.
ALTER TABLE api_keys DROP CONSTRAINT api_keys_role_known;
ALTER TABLE api_keys ADD CONSTRAINT api_keys_role_known CHECK (role IN ('buyer', 'read', 'sell', 'pay', 'admin', 'operate'));

-- When PostgreSQL wrote the end of an order's hold. Null: it is held, was confirmed at once, or ended before this column was there.
ALTER TABLE orders ADD COLUMN end_written_at timestamptz;
