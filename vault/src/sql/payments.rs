//! Payments.

/// Debits a buyer for a reservation, unless a payment is there for it, its order has ended or was refused, or the
/// balance is too low. Two that do it at once wait for each other at the buyer's row, and the second breaks the
/// payment's key: then it has changed nothing.
pub(crate) const DEBIT: &str = "
    WITH debited AS (
        UPDATE buyers SET balance = balance - $4
        WHERE buyer = $3 AND currency = $5 AND balance >= $4
        AND NOT EXISTS (SELECT FROM payments WHERE payments.sale = $1 AND payments.id = $2 AND payments.buyer = $3)
        AND NOT EXISTS (
            SELECT FROM orders
            WHERE orders.sale = $1 AND orders.id = $2 AND orders.buyer = $3 AND orders.state <> 'held'
        )
        AND NOT EXISTS (
            SELECT FROM rejections WHERE rejections.sale = $1 AND rejections.id = $2 AND rejections.buyer = $3
        )
        RETURNING buyer
    )
    INSERT INTO payments (sale, id, buyer, means, amount, currency)
    SELECT $1::text, $2::bigint, buyer, 'balance', $4::bigint, $5::text FROM debited";

/// Writes down what somebody else calls the payment for a reservation, unless a payment is there for it, or it was
/// refused.
pub(crate) const REFER: &str = "
    INSERT INTO payments (sale, id, buyer, means, reference)
    SELECT $1::text, $2::bigint, $3::text, 'external', $4::text
    WHERE NOT EXISTS (
        SELECT FROM rejections WHERE rejections.sale = $1 AND rejections.id = $2 AND rejections.buyer = $3
    )
    ON CONFLICT DO NOTHING";

/// The payment for a reservation. Where that was refused, and is no order, it is about to be given back.
pub(crate) const PAYMENT: &str = "
    SELECT means, amount, currency, reference, CASE
        WHEN state = 'pending' AND EXISTS (SELECT FROM rejections WHERE sale = $1 AND id = $2 AND buyer = $3)
            AND NOT EXISTS (SELECT FROM orders WHERE sale = $1 AND id = $2 AND buyer = $3)
        THEN 'refund_due' ELSE state
    END
    FROM payments WHERE sale = $1 AND id = $2 AND buyer = $3";

/// Payments in the state `$1` after the reservation `$3` of the sale `$2`, by sale and reservation, at most `$4`.
pub(crate) const PAGE: &str = r#"
    SELECT sale, id, buyer, amount, currency, reference, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    FROM payments WHERE state = $1 AND (sale, id) > ($2, $3) ORDER BY sale, id, buyer LIMIT $4"#;

/// Lets at most `$1` payments follow their orders: a confirmed order settles its payment, and whatever else became of
/// the reservation gives it back. That is also where no order was ever made: it was refused, or Redis had lost it
/// before PostgreSQL had it, which is known once the sale's head is beyond it. (What waits in the quarantine may still
/// become an order.) Another buyer's order of the same number is not the payment's. Gives how many were settled,
/// refunded, and are due to be refunded by others.
///
/// Buyers are locked in order, for a join alone updates them in any.
pub(crate) const FOLLOW_ORDERS: &str = "
    WITH ended AS (
        SELECT payments.sale, payments.id, payments.buyer,
            CASE WHEN orders.state = 'confirmed' THEN 'settled'
                WHEN payments.means = 'balance' THEN 'refunded'
                ELSE 'refund_due' END AS state
        FROM payments LEFT JOIN orders USING (sale, id, buyer)
        WHERE payments.state = 'pending' AND (
            orders.state <> 'held'
            OR orders.state IS NULL AND (
                EXISTS (
                    SELECT FROM rejections
                    WHERE rejections.sale = payments.sale AND rejections.id = payments.id
                    AND rejections.buyer = payments.buyer
                )
                OR payments.id <= (SELECT max(head) FROM epochs WHERE epochs.sale = payments.sale) AND NOT EXISTS (
                    SELECT FROM quarantine
                    WHERE quarantine.sale = payments.sale AND quarantine.seq = payments.id
                    AND replayed_at IS NULL AND discarded_at IS NULL
                )
            )
        )
        ORDER BY payments.sale, payments.id, payments.buyer LIMIT $1 FOR NO KEY UPDATE OF payments SKIP LOCKED
    ), moved AS (
        UPDATE payments SET state = ended.state, ended_at = now() FROM ended
        WHERE payments.sale = ended.sale AND payments.id = ended.id AND payments.buyer = ended.buyer
        RETURNING payments.buyer, payments.amount, payments.state
    ), owed AS (
        SELECT buyer, sum(amount)::bigint AS amount FROM moved WHERE state = 'refunded' GROUP BY buyer
    ), locked AS (
        SELECT buyer, owed.amount FROM buyers JOIN owed USING (buyer) ORDER BY buyer FOR NO KEY UPDATE OF buyers
    ), given_back AS (
        UPDATE buyers SET balance = balance + locked.amount FROM locked WHERE buyers.buyer = locked.buyer
    )
    SELECT count(*) FILTER (WHERE state = 'settled'), count(*) FILTER (WHERE state = 'refunded'),
        count(*) FILTER (WHERE state = 'refund_due')
    FROM moved";
