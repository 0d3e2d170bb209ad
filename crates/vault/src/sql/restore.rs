//! Orders that are written again from Redis.

/// The epoch `$2` is restored up to the event `$3`.
pub(crate) const SET_RESTORED_TO: &str = "UPDATE epochs SET restored_to = $3 WHERE sale = $1 AND epoch = $2";

/// Up to which event an epoch was restored from Redis.
pub(crate) const RESTORED_TO: &str = "SELECT restored_to FROM epochs WHERE sale = $1 AND epoch = $2";

/// The active orders of a sale, and those of the ids `$2`.
pub(crate) const KNOWN_ORDERS: &str = "
    SELECT id, buyer, slot, state, items FROM orders WHERE sale = $1 AND state IN ('held', 'confirmed')
    UNION ALL
    SELECT id, buyer, slot, state, items FROM orders
    WHERE sale = $1 AND id = ANY($2) AND state NOT IN ('held', 'confirmed')";

/// The ids after `$2` of the held orders of a sale, and the numbers of its events that wait; at most `$3`.
pub(crate) const POSSIBLE_HOLDS: &str = "
    SELECT id FROM orders WHERE sale = $1 AND state = 'held' AND id > $2
    UNION
    SELECT seq FROM early WHERE sale = $1 AND seq > $2
    ORDER BY 1 LIMIT $3";

/// Sets the states `$4` of the orders `$3`, and writes it down. The original time is unknown: it is now.
pub(crate) const SET_STATES: &str = "
    WITH changed AS (
        UPDATE orders SET state = given.state, ended_at_ms = (extract(epoch FROM now()) * 1000)::bigint,
            end_written_at = now()
        FROM unnest($3::bigint[], $4::text[]) AS given (id, state)
        WHERE orders.sale = $1 AND orders.id = given.id
        RETURNING orders.id, orders.state
    )
    INSERT INTO restored (sale, epoch, id, what) SELECT $1, $2, id, state FROM changed
    ON CONFLICT DO NOTHING";

/// Writes down that the orders `$3` were made. (Their time is that of the transaction: [`NOW`].)
pub(crate) const MARK_MADE: &str = "
    INSERT INTO restored (sale, epoch, id, what) SELECT $1, $2, id, 'made' FROM unnest($3::bigint[]) AS made (id)
    ON CONFLICT DO NOTHING";

/// The time of the transaction, Unix milliseconds.
pub(crate) const NOW: &str = "SELECT (extract(epoch FROM now()) * 1000)::bigint";

/// Sets the totals of SKUs, and the units of their active orders. A total is not below these.
pub(crate) const SET_SKUS: &str = "
    WITH taken AS (
        SELECT item.sku, sum(item.quantity)::bigint AS units
        FROM orders, jsonb_to_recordset(orders.items) AS item (sku text, quantity bigint)
        WHERE orders.sale = $1 AND state IN ('held', 'confirmed')
        GROUP BY item.sku
    ), locked AS (
        SELECT sku, given.total, coalesce(taken.units, 0) AS units
        FROM skus JOIN unnest($2::text[], $3::bigint[]) AS given (sku, total) USING (sku)
        LEFT JOIN taken USING (sku)
        WHERE sale = $1 ORDER BY sku FOR NO KEY UPDATE OF skus
    )
    UPDATE skus SET total = greatest(locked.total, locked.units), sold = locked.units FROM locked
    WHERE skus.sale = $1 AND skus.sku = locked.sku";

/// Gives the orders `$2` of the buyers `$3` what came with them ($4 to $6), and gives their ids, and those of the
/// reservations that are rejections.
pub(crate) const FILL_IN: &str = "
    WITH given AS (
        SELECT * FROM unnest($2::bigint[], $3::text[], $4::json[], $5::text[], $6::bigint[])
            AS given (id, buyer, data, request, at_ms)
    ), filled AS (
        UPDATE orders SET data = coalesce(orders.data, given.data), request = coalesce(orders.request, given.request),
            reserved_at_ms = given.at_ms
        FROM given WHERE orders.sale = $1 AND orders.id = given.id AND orders.buyer = given.buyer
        RETURNING orders.id
    )
    SELECT id FROM filled
    UNION ALL
    SELECT id FROM rejections JOIN given USING (id, buyer) WHERE sale = $1";

/// Writes down that the orders `$3` were made.
pub(crate) const MARK_RESTORED: &str = "
    INSERT INTO restored (sale, epoch, id, what)
    SELECT sale, epoch, id, state FROM orders WHERE sale = $1 AND epoch = $2 AND id = ANY($3)
    ON CONFLICT DO NOTHING";
