//! Where a sale stands, and how its next life begins.

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

/// The active orders of a sale behind the id `$2`, by id, at most `$3`. What came with them is asked for only where a
/// request's fingerprint is made of it.
pub(crate) const ACTIVE_PAGE: &str = "
    SELECT id, buyer, slot, state, items, expires_at_ms, request, CASE WHEN request IS NOT NULL THEN data::text END
    FROM orders WHERE sale = $1 AND id > $2 AND state IN ('held', 'confirmed') ORDER BY id LIMIT $3";

/// Keeps others from recovering the sale for `$3` seconds, unless one of them does.
pub(crate) const LEASE_RECOVERY: &str = "
    INSERT INTO recoveries (sale, gateway, until) VALUES ($1, $2, now() + make_interval(secs => $3))
    ON CONFLICT (sale) DO UPDATE SET gateway = excluded.gateway, until = excluded.until
    WHERE recoveries.gateway = excluded.gateway OR recoveries.until < now()";

/// Lets others recover the sale.
pub(crate) const END_RECOVERY: &str = "DELETE FROM recoveries WHERE sale = $1 AND gateway = $2";

/// Sales with rejections that Redis may still count as sold, at most `$1`.
pub(crate) const UNSETTLED_SALES: &str = "
    SELECT DISTINCT sale FROM rejections WHERE settled_at IS NULL LIMIT $1";

/// Redis counts the rejections of earlier epochs no more.
pub(crate) const SETTLE_REJECTIONS: &str = "
    UPDATE rejections SET settled_at = now() WHERE sale = $1 AND epoch < $2 AND settled_at IS NULL";
