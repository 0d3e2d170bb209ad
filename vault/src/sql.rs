//! All SQL of Flash, but for the migrations. Lists go in as arrays of equal length, one for each column.

pub(crate) mod identity;

/// Settings of every session. A commit that is not on disk is none: what is acknowledged after it would be lost. (Any
/// setting but `off` is the operator's choice of more.)
pub(crate) const SESSION: &str = "
    SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off';
    SET statement_timeout = '30s';
    SET idle_in_transaction_session_timeout = '60s'";

/// More settings of a session that writes. Its statements look rows up by their keys, each of a list in turn. The planner
/// knows neither how long the lists are nor how fast the tables grow; left alone it prefers to scan whole ones, and to
/// confirm an order among 100,000 then costs six times as much.
pub(crate) const WRITER: &str = "
    SET plan_cache_mode = force_generic_plan;
    SET enable_seqscan = off;
    SET enable_hashjoin = off;
    SET enable_mergejoin = off";

/// Held by whoever migrates; the number is any that no one else uses. To wait for another migration, or to carry out a
/// long one, may take longer than a statement otherwise may.
pub(crate) const LOCK_MIGRATIONS: &str = "SET statement_timeout = 0; SELECT pg_advisory_lock(7310579530163)";

/// Ends what [`LOCK_MIGRATIONS`] began.
pub(crate) const UNLOCK_MIGRATIONS: &str = "SELECT pg_advisory_unlock(7310579530163); SET statement_timeout = '30s'";

/// Creates a sale and its SKUs, unless the sale is there. Gives the number of SKUs created.
pub(crate) const CREATE_SALE: &str = "
    WITH created AS (
        INSERT INTO sales (sale, epoch, buyer_limit, hold_ms, opens_at_ms, closes_at_ms, journal_events_max)
        VALUES ($1, $2, $3, $4, $5, $6, $7)
        ON CONFLICT DO NOTHING
        RETURNING sale
    )
    INSERT INTO skus (sale, sku, position, warmed_total, total)
    SELECT created.sale, term.sku, term.position - 1, term.total, term.total
    FROM created, unnest($8::text[], $9::bigint[]) WITH ORDINALITY AS term (sku, total, position)";

/// A sale lives in a newer epoch now.
pub(crate) const RAISE_EPOCH: &str = "UPDATE sales SET epoch = $2 WHERE sale = $1 AND epoch < $2";

/// The terms of a sale but for its SKUs.
pub(crate) const TERMS: &str = "
    SELECT buyer_limit, hold_ms, opens_at_ms, closes_at_ms, journal_events_max FROM sales WHERE sale = $1";

/// The SKUs of a sale's terms, in their order.
pub(crate) const TERMS_SKUS: &str = "SELECT sku, warmed_total FROM skus WHERE sale = $1 ORDER BY position";

/// An operator closed a sale, or opened it again.
pub(crate) const CLOSE_SALE: &str = "UPDATE sales SET closed = $2 WHERE sale = $1";

/// The units of a sale's SKUs, in the order of its terms.
pub(crate) const SKUS: &str = "SELECT sku, total, sold FROM skus WHERE sale = $1 ORDER BY position";

/// Makes sure that every epoch has its row to lock. In order, so that two who do it do not wait for each other.
pub(crate) const BEGIN_EPOCHS: &str = "
    INSERT INTO epochs (sale, epoch, head)
    SELECT sale, epoch, 0 FROM unnest($1::text[], $2::bigint[]) AS touched (sale, epoch)
    ORDER BY sale, epoch
    ON CONFLICT DO NOTHING";

/// Locks epochs, in order.
pub(crate) const LOCK_EPOCHS: &str = "
    SELECT FROM epochs JOIN unnest($1::text[], $2::bigint[]) AS touched (sale, epoch) USING (sale, epoch)
    ORDER BY sale, epoch
    FOR NO KEY UPDATE OF epochs";

/// The heads of locked epochs, the first event that is kept beyond each, and where each was sealed. A statement of its own: the one that waits
/// for the lock does not see what the lock's last holder has kept.
pub(crate) const READ_EPOCHS: &str = "
    SELECT sale, epoch, head, (
        SELECT min(early.seq) FROM early
        WHERE early.sale = epochs.sale AND early.epoch = epochs.epoch AND early.seq > epochs.head
    ), sealed_at
    FROM epochs JOIN unnest($1::text[], $2::bigint[]) AS touched (sale, epoch) USING (sale, epoch)";

/// Moves heads forward.
pub(crate) const ADVANCE_EPOCHS: &str = "
    UPDATE epochs SET head = written.head
    FROM unnest($1::text[], $2::bigint[], $3::bigint[]) AS written (sale, epoch, head)
    WHERE epochs.sale = written.sale AND epochs.epoch = written.epoch";

/// Keeps events that came before their turn.
pub(crate) const KEEP_EARLY: &str = "
    INSERT INTO early (sale, epoch, seq, event)
    SELECT $1, $2, kept.seq, kept.event FROM unnest($3::bigint[], $4::text[]) AS kept (seq, event)
    ON CONFLICT DO NOTHING";

/// The first `$4` events of an epoch that are kept beyond the head `$3`.
pub(crate) const READ_EARLY: &str = "
    SELECT event FROM early WHERE sale = $1 AND epoch = $2 AND seq > $3 ORDER BY seq LIMIT $4";

/// Forgets the kept events of an epoch up to the head `$3`.
pub(crate) const FORGET_EARLY: &str = "DELETE FROM early WHERE sale = $1 AND epoch = $2 AND seq <= $3";

/// Ends orders that are still held ($1 to $5; said so that no scan of the index of active orders suggests itself), and
/// counts units: those of new orders ($6 to $8) in, those of ended ones out. A SKU's new total ($9), where there is one, is
/// set in the same step, for the two are checked against each other. A rejected reservation has nothing to end, even where
/// another epoch's order has its id. Gives the SKUs that the sale does not have.
///
/// It must come before [`MAKE_ORDERS`]: an order that ends makes room for the buyer's next one. Counters are locked in
/// order, for a join alone updates them in any.
pub(crate) const END_ORDERS_AND_COUNT: &str = "
    WITH ended AS (
        UPDATE orders SET state = ending.state, ended_at_ms = ending.at_ms
        FROM unnest($1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[])
            AS ending (sale, epoch, id, state, at_ms)
        WHERE orders.sale = ending.sale AND orders.id = ending.id AND orders.state NOT IN ('confirmed', 'released', 'expired')
        AND NOT EXISTS (
            SELECT FROM rejections
            WHERE rejections.sale = ending.sale AND rejections.epoch = ending.epoch AND rejections.id = ending.id
        )
        RETURNING orders.sale, orders.state, orders.items
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
    SELECT sale, sku FROM change
    WHERE NOT EXISTS (SELECT FROM skus WHERE skus.sale = change.sale AND skus.sku = change.sku)";

/// Makes orders. No `ON CONFLICT`: every event comes here once, so that a conflict is a second sale of something.
pub(crate) const MAKE_ORDERS: &str = "
    INSERT INTO orders (
        sale, epoch, id, buyer, slot, state, items, request, data, reserved_at_ms, expires_at_ms, ended_at_ms
    )
    SELECT * FROM unnest(
        $1::text[], $2::bigint[], $3::bigint[], $4::text[], $5::smallint[], $6::text[], $7::jsonb[], $8::text[],
        $9::json[], $10::bigint[], $11::bigint[], $12::bigint[]
    )";

/// Writes down a reservation that was refused. Of one that came late, Redis knows nothing: there is nothing to settle.
pub(crate) const REJECT: &str = "
    INSERT INTO rejections (sale, epoch, id, buyer, reason, event, settled_at)
    VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $5 = 'late' THEN now() END)
    ON CONFLICT DO NOTHING";

/// Puts what nobody can read or write aside.
pub(crate) const QUARANTINE: &str = "
    INSERT INTO quarantine (sale, epoch, seq, reason, body) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING";

/// What a sealed epoch lost: the first and the last event of each gap.
pub(crate) const GAPS: &str = "SELECT first, last FROM gaps WHERE sale = $1 AND epoch = $2";

/// Writes down what an epoch lost.
pub(crate) const ADD_GAP: &str = "
    INSERT INTO gaps (sale, epoch, first, last) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

/// Locks a sale, and gives its epoch.
pub(crate) const LOCK_SALE: &str = "SELECT epoch FROM sales WHERE sale = $1 FOR NO KEY UPDATE";

/// Ends an epoch where it is written to.
pub(crate) const SEAL_EPOCH: &str = "UPDATE epochs SET sealed_at = head WHERE sale = $1 AND epoch = $2";

/// Begins an epoch behind an event.
pub(crate) const BEGIN_EPOCH: &str = "
    INSERT INTO epochs (sale, epoch, head) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

/// Where a sale stands: its epoch, how far that is written, and where the epoch of number `$2` was sealed.
pub(crate) const LIFE: &str = "
    SELECT sales.epoch, newest.head, other.sealed_at, sales.closed, extract(epoch FROM now() - sales.created_at)::bigint
    FROM sales
    LEFT JOIN epochs newest ON newest.sale = sales.sale AND newest.epoch = sales.epoch
    LEFT JOIN epochs other ON other.sale = sales.sale AND other.epoch = $2
    WHERE sales.sale = $1";

/// The sales behind `$1`, by name, that are not over for long: whose window, and the last hold of it, ended less than `$2`
/// milliseconds ago. At most `$3`.
pub(crate) const SALES_ON_SALE: &str = "
    SELECT sale FROM sales
    WHERE sale > $1 AND coalesce(
        closes_at_ms + coalesce(hold_ms, 0) + $2 > extract(epoch FROM now()) * 1000, true
    )
    ORDER BY sale LIMIT $3";

/// The active orders of a sale behind the id `$2`, by id, at most `$3`.
pub(crate) const ACTIVE_PAGE: &str = "
    SELECT id, buyer, slot, state, items, expires_at_ms, request
    FROM orders WHERE sale = $1 AND id > $2 AND state IN ('held', 'confirmed') ORDER BY id LIMIT $3";

/// Keeps others from recovering the sale for `$3` seconds, unless one of them does.
pub(crate) const LEASE_RECOVERY: &str = "
    INSERT INTO recoveries (sale, gateway, until) VALUES ($1, $2, now() + make_interval(secs => $3))
    ON CONFLICT (sale) DO UPDATE SET gateway = excluded.gateway, until = excluded.until
    WHERE recoveries.gateway = excluded.gateway OR recoveries.until < now()";

/// Lets others recover the sale.
pub(crate) const END_RECOVERY: &str = "DELETE FROM recoveries WHERE sale = $1 AND gateway = $2";

/// Whether a sale is over for long, in the sense of [`SALES_ON_SALE`].
pub(crate) const IS_OVER: &str = "
    SELECT coalesce(closes_at_ms + coalesce(hold_ms, 0) + $2 <= extract(epoch FROM now()) * 1000, false)
    FROM sales WHERE sale = $1";

/// Sales with rejections that Redis may still count as sold, at most `$1`.
pub(crate) const UNSETTLED_SALES: &str = "
    SELECT DISTINCT sale FROM rejections WHERE settled_at IS NULL LIMIT $1";

/// Redis counts the rejections of earlier epochs no more.
pub(crate) const SETTLE_REJECTIONS: &str = "
    UPDATE rejections SET settled_at = now() WHERE sale = $1 AND epoch < $2 AND settled_at IS NULL";

/// Why a reservation was refused.
pub(crate) const REJECTION: &str = "
    SELECT buyer, reason FROM rejections WHERE sale = $1 AND id = $2 ORDER BY epoch LIMIT 1";

/// Writes a barrier down.
pub(crate) const ADD_BARRIER: &str = "INSERT INTO barriers (id) VALUES ($1) ON CONFLICT DO NOTHING";

/// Forgets the barriers that are older than `$1` seconds.
pub(crate) const FORGET_BARRIERS: &str = "DELETE FROM barriers WHERE at < now() - make_interval(secs => $1)";

/// Whether a barrier has come.
pub(crate) const HAS_BARRIER: &str = "SELECT EXISTS (SELECT FROM barriers WHERE id = $1)";

/// Writes down what a syncer says, forgets those that said nothing for `$4` seconds, and gives what the operator wants.
pub(crate) const REPORT_SYNCER: &str = "
    WITH forgotten AS (
        DELETE FROM syncers WHERE at < now() - make_interval(secs => $4) AND name <> $1
    ), reported AS (
        INSERT INTO syncers (name, paused, queued) VALUES ($1, $2, $3)
        ON CONFLICT (name) DO UPDATE SET paused = excluded.paused, queued = excluded.queued, at = now()
    )
    SELECT paused FROM syncer_control";

/// What the operator wants of the syncers.
pub(crate) const ARE_SYNCERS_PAUSED: &str = "SELECT paused FROM syncer_control";

/// Tells the syncers what the operator wants.
pub(crate) const PAUSE_SYNCERS: &str = "UPDATE syncer_control SET paused = $1, at = now()";

/// The syncers that said something within `$1` seconds.
pub(crate) const SYNCERS: &str = "
    SELECT name, paused, queued, greatest(0, extract(epoch FROM now() - at) * 1000)::bigint
    FROM syncers WHERE at >= now() - make_interval(secs => $1) ORDER BY name";

/// One order.
pub(crate) const ORDER: &str = "
    SELECT buyer, state, items, request, reserved_at_ms, expires_at_ms, ended_at_ms
    FROM orders WHERE sale = $1 AND id = $2";

/// How many orders of a sale are held or confirmed.
pub(crate) const ACTIVE_ORDERS: &str = "
    SELECT count(*) FROM orders WHERE sale = $1 AND state IN ('held', 'confirmed')";

/// How many buyers have more than one order that is held or confirmed.
pub(crate) const TWICE_SERVED_BUYERS: &str = "
    SELECT count(*) FROM (
        SELECT FROM orders WHERE sale = $1 AND state IN ('held', 'confirmed') GROUP BY buyer HAVING count(*) > 1
    ) AS twice_served";

/// The sales that are known, at most `$1`.
pub(crate) const SALES: &str = "SELECT sale FROM sales UNION SELECT sale FROM epochs ORDER BY sale LIMIT $1";

/// The lives of a sale, with what waits beyond each head, and what was refused in it.
pub(crate) const EPOCHS_OF_SALE: &str = "
    SELECT epoch, head, sealed_at, (
            SELECT coalesce(sum(last - first + 1), 0)::bigint FROM gaps
            WHERE gaps.sale = epochs.sale AND gaps.epoch = epochs.epoch
        ),
        (SELECT count(*) FROM early WHERE early.sale = epochs.sale AND early.epoch = epochs.epoch AND early.seq > head),
        (SELECT count(*) FROM rejections WHERE rejections.sale = epochs.sale AND rejections.epoch = epochs.epoch)
    FROM epochs WHERE sale = $1 ORDER BY epoch";

/// The counters of a sale's SKUs beside the units of its active orders. A SKU that only orders know stands there too.
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
        (SELECT count(*) FROM quarantine WHERE sale = $1 AND replayed_at IS NULL AND discarded_at IS NULL)";

/// Which of some orders are held, with their items.
pub(crate) const HELD_ORDERS: &str = "
    SELECT id, items FROM orders WHERE sale = $1 AND id = ANY($2) AND state = 'held'";

/// How many messages that nobody can read wait for an operator.
pub(crate) const UNREADABLE_MESSAGES: &str = "
    SELECT count(*) FROM quarantine WHERE seq IS NULL AND replayed_at IS NULL AND discarded_at IS NULL";

/// Rows of the quarantine: of the sale `$1`, of the last `$2` seconds, with `$3` in their reason, with one of the numbers
/// `$4`, ended ones only if `$5`; at most `$6`.
pub(crate) const QUARANTINED: &str = r#"
    SELECT id, sale, epoch, seq, reason, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        octet_length(body)::bigint, to_char(replayed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        to_char(discarded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), discarded_by
    FROM quarantine
    WHERE ($1::text IS NULL OR sale = $1) AND ($2::bigint IS NULL OR at >= now() - $2 * interval '1 second')
    AND ($3::text IS NULL OR strpos(reason, $3) > 0) AND ($4::bigint[] IS NULL OR id = ANY($4))
    AND ($5 OR (replayed_at IS NULL AND discarded_at IS NULL))
    ORDER BY id LIMIT $6"#;

/// What a row of the quarantine holds.
pub(crate) const QUARANTINED_BODY: &str = "SELECT body FROM quarantine WHERE id = $1";

/// A row of the quarantine that waits, locked.
pub(crate) const LOCK_QUARANTINED: &str = "
    SELECT body, seq FROM quarantine
    WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL FOR UPDATE";

/// A row of the quarantine was written after all.
pub(crate) const REPLAYED: &str = "
    UPDATE quarantine SET replayed_at = now() WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL";

/// A row of the quarantine could not be written again.
pub(crate) const STAYS_QUARANTINED: &str = "UPDATE quarantine SET reason = $2 WHERE id = $1";

/// A row of the quarantine is not to be written.
pub(crate) const DISCARD: &str = "
    UPDATE quarantine SET discarded_at = now(), discarded_by = $2
    WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL";

/// Locks the counters of a sale, in order.
pub(crate) const LOCK_SKUS: &str = "SELECT FROM skus WHERE sale = $1 ORDER BY sku FOR NO KEY UPDATE";

/// Sets a counter to what the orders have.
pub(crate) const SET_SOLD: &str = "UPDATE skus SET sold = $3 WHERE sale = $1 AND sku = $2";

/// Writes a repair down.
pub(crate) const LOG_REPAIR: &str = "INSERT INTO repairs (sale, kind, detail, by) VALUES ($1, $2, $3, $4)";
