//! The state of a sale, and how its next life begins.

use super::reserved::reserved;

/// Writes down what an epoch lost.
pub(crate) const ADD_GAP: &str = "
    INSERT INTO gaps (sale, epoch, first, last) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";

/// Locks a sale, and gives its epoch.
pub(crate) const LOCK_SALE: &str = "SELECT epoch FROM sales WHERE sale = $1 FOR NO KEY UPDATE";

/// Locks the sale's recovery, where `$2` is still its term: no other process takes it over until the transaction ends.
/// That may be left alone for `$3` from then on, as PostgreSQL writes it.
pub(crate) const LOCK_TERM: &str = "
    SELECT set_config('idle_in_transaction_session_timeout', $3, true)
    FROM recoveries WHERE sale = $1 AND term = $2 FOR SHARE";

/// Locks the epochs of a sale, in order: how far each is written, and where it was sealed.
pub(crate) const LOCK_EPOCHS_OF_SALE: &str = "
    SELECT epoch, head, sealed_at FROM epochs WHERE sale = $1 ORDER BY epoch FOR NO KEY UPDATE";

/// The highest seq of an epoch that waits in early, and the highest in the quarantine.
pub(crate) const HIGHEST_KNOWN: &str = "
    SELECT (SELECT max(seq) FROM early WHERE sale = $1 AND epoch = $2),
        (SELECT max(seq) FROM quarantine WHERE sale = $1 AND epoch = $2)";

/// Ends an epoch where it is written to.
pub(crate) const SEAL_EPOCH: &str = "UPDATE epochs SET sealed_at = head WHERE sale = $1 AND epoch = $2";

/// Begins an epoch after an event.
pub(crate) const BEGIN_EPOCH: &str = "
    INSERT INTO epochs (sale, epoch, head) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

/// The state of a sale: its newest epoch, how far that is written, where the epoch of number `$2` was sealed, whether
/// it is closed, its age (of a sale from the time before the clock stepped back: by how much it did), its term, its
/// early events and unsettled rejections in the newest epoch, what its epochs changed in its content, and its SKUs.
pub(crate) const STANDING: &str = "
    SELECT sales.epoch, newest.head, other.sealed_at, sales.closed, abs(extract(epoch FROM now() - sales.created_at))::bigint,
        coalesce((SELECT term FROM recoveries WHERE recoveries.sale = sales.sale), 0),
        (
            SELECT count(*) FROM early
            WHERE early.sale = sales.sale AND early.epoch = sales.epoch AND early.seq > coalesce(newest.head, 0)
        ),
        (
            SELECT count(*) FROM rejections
            WHERE rejections.sale = sales.sale AND rejections.epoch = sales.epoch AND settled_at IS NULL
        ),
        lives.digests, lives.reservations, counters.skus, counters.totals, counters.sold, EXISTS (
            SELECT FROM quarantine WHERE quarantine.sale = sales.sale AND quarantine.epoch = sales.epoch
            AND replayed_at IS NULL AND discarded_at IS NULL
        )
    FROM sales
    LEFT JOIN epochs newest ON newest.sale = sales.sale AND newest.epoch = sales.epoch
    LEFT JOIN epochs other ON other.sale = sales.sale AND other.epoch = $2
    CROSS JOIN LATERAL (
        SELECT array_agg(digest) AS digests, array_agg(reservations) AS reservations
        FROM epochs WHERE epochs.sale = sales.sale
    ) AS lives
    CROSS JOIN LATERAL (
        SELECT array_agg(sku ORDER BY position) AS skus, array_agg(total ORDER BY position) AS totals,
            array_agg(sold ORDER BY position) AS sold
        FROM skus WHERE skus.sale = sales.sale
    ) AS counters
    WHERE sales.sale = $1";

/// What the epochs of a sale changed in its content.
pub(crate) const CONTENT: &str = "SELECT digest, reservations FROM epochs WHERE sale = $1";

/// The active orders of a sale after the id `$2`, by id, at most `$3`: what its content is made of.
pub(crate) const ACTIVE_ELEMENTS: &str = "
    SELECT id, buyer, items, state FROM orders
    WHERE sale = $1 AND id > $2 AND state IN ('held', 'confirmed') ORDER BY id LIMIT $3";

/// Sets a sale's content: it counts as changed in the epoch `$2`, and in no other.
pub(crate) const SET_CONTENT: &str = "
    UPDATE epochs SET digest = CASE WHEN epoch = $2 THEN $3::bigint ELSE 0 END,
        reservations = CASE WHEN epoch = $2 THEN $4::bigint ELSE 0 END
    WHERE sale = $1";

/// Sales after `$1`, by name, that are not over for long: of which the window, and the last hold of it, ended less than
/// `$2` milliseconds ago. At most `$3`, each with its newest epoch and its term.
pub(crate) const LIVING: &str = "
    SELECT sales.sale, sales.epoch, coalesce(recoveries.term, 0)
    FROM sales LEFT JOIN recoveries USING (sale)
    WHERE sales.sale > $1 AND coalesce(
        closes_at_ms + coalesce(hold_ms, 0) + $2 > extract(epoch FROM now()) * 1000, true
    )
    ORDER BY sales.sale LIMIT $3";

/// How far some epochs are written, in the order in which they are asked for; 0: nothing of it is.
pub(crate) const HEADS: &str = "
    SELECT sale, epoch, coalesce(head, 0)
    FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS asked (sale, epoch, place)
    LEFT JOIN epochs USING (sale, epoch)
    ORDER BY place";

/// How far some epochs are written, in the order in which they are asked for; what the epochs of their sales changed in
/// the content; whether events of them wait in the quarantine; and the closed flag, totals and sold units of the sales.
pub(crate) const HEADS_AND_STATES: &str = "
    SELECT coalesce(head, 0), lives.digests, lives.reservations, EXISTS (
        SELECT FROM quarantine WHERE quarantine.sale = asked.sale AND quarantine.epoch = asked.epoch
        AND replayed_at IS NULL AND discarded_at IS NULL
    ), sales.closed, counters.skus, counters.totals, counters.sold
    FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS asked (sale, epoch, place)
    LEFT JOIN epochs USING (sale, epoch)
    LEFT JOIN sales USING (sale)
    CROSS JOIN LATERAL (
        SELECT array_agg(lives.digest) AS digests, array_agg(lives.reservations) AS reservations
        FROM epochs lives WHERE lives.sale = asked.sale
    ) AS lives
    CROSS JOIN LATERAL (
        SELECT array_agg(sku) AS skus, array_agg(total) AS totals, array_agg(sold) AS sold
        FROM skus WHERE skus.sale = asked.sale
    ) AS counters
    ORDER BY place";

/// The active orders of a sale after the id `$2`, by id, at most `$3`. Their data is asked for only where a request's
/// fingerprint is made of it.
pub(crate) const ACTIVE_PAGE: &str = concat!(
    "SELECT id, state, CASE WHEN request IS NOT NULL THEN data::text END AS data, ",
    reserved!("orders"),
    "
    FROM orders WHERE sale = $1 AND id > $2 AND state IN ('held', 'confirmed') ORDER BY id LIMIT $3"
);

/// Takes a sale's first recovery, for `$3` seconds, with a term above `$4`. The low 20 bits of a term are drawn, those
/// above them count: see [`TAKE_RECOVERY`].
pub(crate) const FIRST_RECOVERY: &str = "
    INSERT INTO recoveries (sale, gateway, until, term)
    VALUES ($1, $2, now() + make_interval(secs => $3), (($4::bigint >> 20) + 1 << 20) + floor(random() * 1048576)::bigint)
    ON CONFLICT DO NOTHING RETURNING term";

/// Takes a sale's recovery for `$3` seconds, with a term above the last one and above `$5`, if `$4` is still the last
/// one, unless another gateway has it, or holds its row locked. (An end further away than any lease shows that the
/// clock has stepped back: then it is unknown how much is left, and a term keeps the older gateway out in either case.)
/// Two that are taken after the same one, since PostgreSQL went back in between, differ in the bits that are drawn.
pub(crate) const TAKE_RECOVERY: &str = "
    UPDATE recoveries SET gateway = $2, until = now() + make_interval(secs => $3), 
        term = ((greatest(term, $5) >> 20) + 1 << 20) + floor(random() * 1048576)::bigint
    WHERE sale IN (
        SELECT sale FROM recoveries WHERE sale = $1 AND term = $4 AND (
            gateway = $2 OR until < now() OR until > now() + make_interval(secs => $3)
        )
        FOR NO KEY UPDATE SKIP LOCKED
    )
    RETURNING term";

/// Keeps a recovery for `$4` seconds more, unless another was begun.
pub(crate) const RENEW_RECOVERY: &str = "
    UPDATE recoveries SET until = now() + make_interval(secs => $4) WHERE sale = $1 AND gateway = $2 AND term = $3";

/// Lets others recover the sale. The term stays.
pub(crate) const END_RECOVERY: &str = "
    UPDATE recoveries SET until = '-infinity' WHERE sale = $1 AND gateway = $2 AND term = $3";

/// Sales with rejections that are not settled, at most `$1`: the newest epoch of such rejections, and whether all of
/// them came late.
pub(crate) const UNSETTLED_SALES: &str = "
    SELECT sale, max(epoch), bool_and(reason = 'late') FROM rejections
    WHERE settled_at IS NULL GROUP BY sale ORDER BY sale LIMIT $1";

/// Redis counts the rejections of earlier epochs no more.
pub(crate) const SETTLE_REJECTIONS: &str = "
    UPDATE rejections SET settled_at = now() WHERE sale = $1 AND epoch < $2 AND settled_at IS NULL";

/// Redis is in the epoch `$2`: what came late of earlier ones it does not count.
pub(crate) const SETTLE_LATE: &str = "
    UPDATE rejections SET settled_at = now()
    WHERE sale = $1 AND epoch < $2 AND settled_at IS NULL AND reason = 'late'";
