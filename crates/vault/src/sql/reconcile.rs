//! What an audit looks at, and what a repair changes.

/// The sales that are known, at most `$1`.
pub(crate) const SALES: &str = "SELECT sale FROM sales UNION SELECT sale FROM epochs ORDER BY sale LIMIT $1";

/// The lives of a sale, but for those that never began, with what waits beyond each head, and what was refused in
/// it.
pub(crate) const EPOCHS_OF_SALE: &str = "
    SELECT epoch, head, sealed_at, (
            SELECT coalesce(sum(last - first + 1), 0)::bigint FROM gaps
            WHERE gaps.sale = epochs.sale AND gaps.epoch = epochs.epoch
        ),
        (SELECT count(*) FROM early WHERE early.sale = epochs.sale AND early.epoch = epochs.epoch AND early.seq > head),
        (SELECT count(*) FROM rejections WHERE rejections.sale = epochs.sale AND rejections.epoch = epochs.epoch)
    FROM epochs WHERE sale = $1 AND (head > 0 OR epoch <= coalesce((SELECT epoch FROM sales WHERE sale = $1), epoch))
    ORDER BY epoch";

/// The counters of a sale's SKUs beside the units of its active orders. A SKU that only orders know is there too.
pub(crate) const TAKEN_UNITS: &str = "
    WITH taken AS (
        SELECT sku, sum(quantity) FILTER (WHERE state = 'held') AS held,
            sum(quantity) FILTER (WHERE state = 'confirmed') AS confirmed
        FROM order_items WHERE sale = $1 AND state IN ('held', 'confirmed') GROUP BY sku
    )
    SELECT sku, counter.total, counter.sold, coalesce(held, 0)::bigint, coalesce(confirmed, 0)::bigint
    FROM (SELECT sku, position, total, sold FROM skus WHERE sale = $1) AS counter FULL JOIN taken USING (sku)
    ORDER BY counter.position, sku";

/// Counts what should not be: slots with two active orders, buyers beyond the limit, orders beyond their epoch's head,
/// events in the quarantine.
pub(crate) const STRAY_ROWS: &str = "
    SELECT
        (SELECT count(*) FROM (
            SELECT FROM orders WHERE sale = $1 AND state IN ('held', 'confirmed')
            GROUP BY buyer, slot HAVING count(*) > 1
        ) AS shared),
        (SELECT count(*) FROM (
            SELECT FROM order_items WHERE sale = $1 AND state IN ('held', 'confirmed')
            GROUP BY buyer HAVING sum(quantity) > (SELECT buyer_limit FROM sales WHERE sale = $1)
        ) AS beyond),
        (SELECT count(*) FROM orders WHERE sale = $1 AND NOT EXISTS (
            SELECT FROM epochs
            WHERE epochs.sale = orders.sale AND epochs.epoch = orders.epoch AND epochs.head >= orders.id
        )),
        (SELECT count(*) FROM quarantine WHERE sale = $1 AND replayed_at IS NULL AND discarded_at IS NULL AND NOT (
            reason = 'late' AND position('\"change\":{\"warmed\":'::bytea IN body) > 0
        ))";

/// Which of some orders are held, with their items.
pub(crate) const HELD_ORDERS: &str = "
    SELECT id, items FROM orders WHERE sale = $1 AND id = ANY($2) AND state = 'held'";

/// As [`HELD_ORDERS`], with their buyers.
pub(crate) const HELD_RESERVATIONS: &str = "
    SELECT id, buyer, items FROM orders WHERE sale = $1 AND id = ANY($2) AND state = 'held'";

/// Counts what contradicts the protocol of lives: events that wait in an epoch that is over, ids that two buyers were
/// given, payments of others than the order's buyer (but for those that were refused for it), and orders that were
/// written again from Redis.
pub(crate) const FAULTS: &str = "
    SELECT
        (
            SELECT count(*) FROM early JOIN epochs USING (sale, epoch)
            WHERE sale = $1 AND sealed_at IS NOT NULL
        ),
        (
            SELECT count(*) FROM rejections JOIN orders USING (sale, id)
            WHERE sale = $1 AND rejections.buyer <> orders.buyer
        ),
        (
            SELECT count(*) FROM payments JOIN orders USING (sale, id)
            WHERE sale = $1 AND payments.buyer <> orders.buyer
            AND coalesce(payments.reason, '') NOT IN ('other_buyer', 'unknown')
        ),
        (SELECT count(*) FROM restored WHERE sale = $1)";

/// The books of a sale: what its confirmed orders cost that were held before, what was paid for them and is not to be
/// paid back, how many of them are not paid for, how many payments are of another amount or currency than their order
/// costs, how many are settled without a confirmed order of their buyer, and how many references or reservations more
/// than one has.
pub(crate) const BOOKS: &str = "
    WITH sold AS (
        SELECT orders.id, orders.buyer, products.currency,
            products.price * (SELECT sum(quantity) FROM jsonb_to_recordset(items) AS item (quantity bigint)) AS price
        FROM sales JOIN products USING (product) JOIN orders USING (sale)
        WHERE sales.sale = $1 AND orders.state = 'confirmed' AND orders.expires_at_ms IS NOT NULL
    ), paying AS (
        SELECT id, buyer, amount, currency FROM payments WHERE sale = $1 AND state IN ('pending', 'settled')
    )
    SELECT sum(sold.price)::text, sum(
            CASE WHEN paying.id IS NOT NULL THEN coalesce(paying.amount, sold.price) END
        )::text,
        count(*) FILTER (WHERE paying.id IS NULL AND sold.price > 0),
        count(*) FILTER (WHERE paying.amount <> sold.price OR paying.currency <> sold.currency),
        (
            SELECT count(*) FROM payments WHERE sale = $1 AND state = 'settled' AND NOT EXISTS (
                SELECT FROM orders WHERE orders.sale = $1 AND orders.id = payments.id
                AND orders.buyer = payments.buyer AND orders.state = 'confirmed'
            )
        ),
        (
            SELECT count(*) FROM (
                SELECT FROM payments WHERE sale = $1 AND reference IS NOT NULL
                GROUP BY means, reference HAVING count(*) > 1
                UNION ALL
                SELECT FROM payments WHERE sale = $1 AND state IN ('pending', 'settled') AND buyer IS NOT NULL
                GROUP BY id, buyer HAVING count(*) > 1
            ) AS twice
        )
    FROM sold LEFT JOIN paying USING (id, buyer)";

/// How many balances are not what their account was opened with, less what was debited and not given back; and how many
/// references more than one payment has.
pub(crate) const ACCOUNTS: &str = "
    SELECT count(*), (
        SELECT count(*) FROM (
            SELECT FROM payments WHERE reference IS NOT NULL GROUP BY means, reference HAVING count(*) > 1
        ) AS twice
    )
    FROM buyers LEFT JOIN (
        SELECT buyer, sum(amount) AS amount FROM payments
        WHERE means = 'balance' AND state IN ('pending', 'settled') GROUP BY buyer
    ) AS paid USING (buyer)
    WHERE balance <> opening_balance - coalesce(paid.amount, 0)";

/// How many unreadable messages wait for an operator.
pub(crate) const UNREADABLE_MESSAGES: &str = "
    SELECT count(*) FROM quarantine WHERE sale IS NULL AND replayed_at IS NULL AND discarded_at IS NULL";

/// Locks the counters of a sale, in order.
pub(crate) const LOCK_SKUS: &str = "SELECT FROM skus WHERE sale = $1 ORDER BY sku FOR NO KEY UPDATE";

/// Sets a counter to what the orders have.
pub(crate) const SET_SOLD: &str = "UPDATE skus SET sold = $3 WHERE sale = $1 AND sku = $2";

/// Writes a repair down.
pub(crate) const LOG_REPAIR: &str = "INSERT INTO repairs (sale, kind, detail, by) VALUES ($1, $2, $3, $4)";

/// The newest attempt to recover a sale, and whether it is at work, in the sense of
/// [`IS_RECOVERING`](super::doubts::IS_RECOVERING).
pub(crate) const RECOVERY: &str = "
    SELECT term, until > now() AND until <= now() + make_interval(secs => $2) FROM recoveries WHERE sale = $1";

/// What the epochs of a sale say of its content is wrong: it is counted when it is next needed.
pub(crate) const FORGET_CONTENT: &str = "UPDATE epochs SET digest = NULL, reservations = NULL WHERE sale = $1";
