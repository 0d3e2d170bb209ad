//! What became of reservations.

use super::reserved::reserved;

/// Why a reservation was refused.
pub(crate) const REJECTION: &str = "
    SELECT buyer, reason FROM rejections WHERE sale = $1 AND id = $2 ORDER BY epoch LIMIT 1";

/// How far the newest epoch of a sale is written.
pub(crate) const NEWEST_HEAD: &str = "SELECT head FROM sales JOIN epochs USING (sale, epoch) WHERE sale = $1";

/// One order.
pub(crate) const ORDER: &str = concat!(
    "SELECT state, reserved_at_ms, ended_at_ms, ",
    reserved!("orders"),
    " FROM orders WHERE sale = $1 AND id = $2"
);

/// How many orders of a sale are held or confirmed.
pub(crate) const ACTIVE_ORDERS: &str = "
    SELECT count(*) FROM orders WHERE sale = $1 AND state IN ('held', 'confirmed')";

/// How many buyers have more than one order that is held or confirmed.
pub(crate) const TWICE_SERVED_BUYERS: &str = "
    SELECT count(*) FROM (
        SELECT FROM orders WHERE sale = $1 AND state IN ('held', 'confirmed') GROUP BY buyer HAVING count(*) > 1
    ) AS twice_served";

/// Everybody who ever had anything of a sale, at most `$2` rows.
pub(crate) const BUYERS: &str = "
    SELECT buyer FROM orders WHERE sale = $1 UNION ALL SELECT buyer FROM rejections WHERE sale = $1 LIMIT $2";
