//! Events, as they become orders: the epochs that they belong to, what waits for its turn, and what is refused.

use super::reserved::{reserved_arrays, reserved_names};

/// Begins a transaction that writes orders. Its commit is on disk before it is acknowledged, whatever the settings say
/// or come to say meanwhile (any but `off` is the operator's choice of more). The command that pauses the syncers waits
/// for the lock, and so for the end of every such transaction. Gives whether they are paused.
pub(crate) const BEGIN_WRITING: &str = "
    SELECT (SELECT paused FROM syncer_control FOR SHARE), set_config(
        'synchronous_commit',
        CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END,
        true
    )";

/// Makes sure that every epoch has its row to lock. In order, so that two who do it do not wait for each other. One
/// that is unknown, though a seal has begun a later one, is over: PostgreSQL has forgotten it.
pub(crate) const BEGIN_EPOCHS: &str = "
    INSERT INTO epochs (sale, epoch, head, sealed_at)
    SELECT sale, epoch, 0, CASE WHEN EXISTS (
        SELECT FROM epochs ended JOIN sales USING (sale)
        WHERE ended.sale = touched.sale AND ended.sealed_at IS NOT NULL AND sales.epoch > touched.epoch
    ) THEN 0 END
    FROM unnest($1::text[], $2::bigint[]) AS touched (sale, epoch)
    ORDER BY sale, epoch
    ON CONFLICT DO NOTHING";

/// Locks epochs, in order.
pub(crate) const LOCK_EPOCHS: &str = "
    SELECT FROM epochs JOIN unnest($1::text[], $2::bigint[]) AS touched (sale, epoch) USING (sale, epoch)
    ORDER BY sale, epoch
    FOR NO KEY UPDATE OF epochs";

/// The heads of locked epochs, the first event that is kept beyond each, where each was sealed, and whether each was
/// ever begun: a seal gives every later epoch its head. A statement of its own: the one that waits for the lock does
/// not see what the lock's last holder has kept.
pub(crate) const READ_EPOCHS: &str = "
    SELECT sale, epoch, head, (
        SELECT min(early.seq) FROM early
        WHERE early.sale = epochs.sale AND early.epoch = epochs.epoch AND early.seq > epochs.head
    ), sealed_at, NOT (head = 0 AND EXISTS (
        SELECT FROM sales WHERE sales.sale = epochs.sale AND sales.epoch < epochs.epoch
    ))
    FROM epochs JOIN unnest($1::text[], $2::bigint[]) AS touched (sale, epoch) USING (sale, epoch)";

/// Moves heads forward, and adds what that changed in the content.
pub(crate) const ADVANCE_EPOCHS: &str = "
    UPDATE epochs SET head = greatest(epochs.head, written.head), digest = digest # written.changed,
        reservations = reservations + written.added
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS written (sale, epoch, head, changed, added)
    WHERE epochs.sale = written.sale AND epochs.epoch = written.epoch";

/// Keeps events that came before their turn. Gives the seqs of those that were not kept already.
pub(crate) const KEEP_EARLY: &str = "
    INSERT INTO early (sale, epoch, seq, event)
    SELECT $1, $2, kept.seq, kept.event FROM unnest($3::bigint[], $4::text[]) AS kept (seq, event)
    ON CONFLICT DO NOTHING
    RETURNING seq";

/// Kept events, by their seqs.
pub(crate) const KEPT_EVENTS: &str = "SELECT event FROM early WHERE sale = $1 AND epoch = $2 AND seq = ANY($3)";

/// Which of some events that were written before ($1 to $3) are not what made the order of their number, by their
/// places from 1, and whether that order is another buyer's. A reservation has a buyer, a slot and items ($4 to $6);
/// anything else has none of them. Orders that came back from Redis are compared by their buyer alone.
pub(crate) const UNLIKE_ORDERS: &str = "
    SELECT again.place, coalesce(orders.buyer <> again.buyer, false)
    FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::smallint[], $6::jsonb[])
        WITH ORDINALITY AS again (sale, epoch, id, buyer, slot, items, place)
    JOIN orders ON orders.sale = again.sale AND orders.id = again.id
    WHERE orders.epoch = again.epoch AND (
        orders.buyer <> again.buyer
        OR (again.buyer IS NULL OR orders.slot <> again.slot OR orders.items <> again.items)
            AND NOT EXISTS (SELECT FROM restored WHERE restored.sale = orders.sale AND restored.id = orders.id)
    )";

/// The first `$4` events of an epoch that are kept beyond the head `$3`, with their seqs.
pub(crate) const READ_EARLY: &str = "
    SELECT event, seq FROM early WHERE sale = $1 AND epoch = $2 AND seq > $3 ORDER BY seq LIMIT $4";

/// Forgets the kept events of an epoch up to the head `$3`.
pub(crate) const FORGET_EARLY: &str = "DELETE FROM early WHERE sale = $1 AND epoch = $2 AND seq <= $3";

/// Ends orders that are still held ($1 to $5; said so that no scan of the index of active orders suggests itself), and
/// counts units: those of new orders ($6 to $8) in, those of ended ones out. A SKU's new total ($9), where there is
/// one, is set in the same step, for the two are checked against each other. A rejected reservation has nothing to end,
/// even where another epoch's order has its id. Gives the orders that were held and are ended now, by the places of
/// their ends from 1, and a row of nulls for each SKU that the sale does not have.
///
/// It must come before [`MAKE_ORDERS`]: an order that ends makes room for the buyer's next one. Counters are locked in
/// order, for a join alone updates them in any.
pub(crate) const END_ORDERS_AND_COUNT: &str = "
    WITH ended AS (
        UPDATE orders SET state = ending.state, ended_at_ms = ending.at_ms, end_written_at = now()
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[])
            WITH ORDINALITY AS ending (sale, epoch, id, state, at_ms, place)
        WHERE orders.sale = ending.sale AND orders.id = ending.id AND orders.state NOT IN ('confirmed', 'released', 'expired')
        AND NOT EXISTS (
            SELECT FROM rejections
            WHERE rejections.sale = ending.sale AND rejections.epoch = ending.epoch AND rejections.id = ending.id
        )
        RETURNING ending.place, orders.sale, orders.state, orders.buyer, orders.items
    ), change AS (
        SELECT sale, sku, sum(units)::bigint AS units, max(total) AS total
        FROM (
            SELECT sale, sku, units, total
            FROM unnest($6::text[], $7::text[], $8::bigint[], $9::bigint[]) AS made (sale, sku, units, total)
            UNION ALL
            SELECT ended.sale, item.sku, -item.quantity, NULL
            FROM ended, jsonb_to_recordset(ended.items) AS item (sku text, quantity bigint)
            WHERE ended.state IN ('released', 'expired')
        ) AS single
        GROUP BY sale, sku
    ), locked AS (
        SELECT sale, sku, change.units, change.total
        FROM skus JOIN change USING (sale, sku) ORDER BY sale, sku FOR NO KEY UPDATE OF skus
    ), counted AS (
        UPDATE skus SET sold = sold + locked.units, total = coalesce(locked.total, skus.total) FROM locked
        WHERE skus.sale = locked.sale AND skus.sku = locked.sku
    )
    SELECT place, buyer, items FROM ended
    UNION ALL
    SELECT NULL, NULL, NULL FROM change
    WHERE NOT EXISTS (SELECT FROM skus WHERE skus.sale = change.sale AND skus.sku = change.sku)";

/// Makes orders. No `ON CONFLICT`: every event comes here once, so that a conflict is a second sale of something.
pub(crate) const MAKE_ORDERS: &str = concat!(
    "INSERT INTO orders (sale, epoch, id, state, reserved_at_ms, ended_at_ms, published_at_ms, ",
    reserved_names!(),
    ", end_written_at)
    SELECT *, CASE WHEN ended_at_ms IS NOT NULL THEN now() END FROM unnest(
        $1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], ",
    reserved_arrays!(),
    ") AS made (sale, epoch, id, state, reserved_at_ms, ended_at_ms, published_at_ms, ",
    reserved_names!(),
    ")"
);

/// Writes down a reservation that was refused. It is to be settled: Redis may count it, or, if it came late, may still
/// be in the epoch that is over.
pub(crate) const REJECT: &str = "
    INSERT INTO rejections (sale, epoch, id, buyer, reason, event) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT DO NOTHING";

/// What a sealed epoch lost: the first and the last event of each gap.
pub(crate) const GAPS: &str = "SELECT first, last FROM gaps WHERE sale = $1 AND epoch = $2";
