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

/// What comes with the order `$2` of the buyer `$3`: its data, the sale's product, and the payment that pays for it, or
/// the newest one that was to.
pub(crate) const DETAILS: &str = "
    SELECT orders.data::text AS data, products.product, products.price, products.currency, paid.means, paid.amount,
        paid.currency AS paid_currency, paid.reference, paid.state, paid.reason, paid.refund_reference
    FROM orders LEFT JOIN sales ON sales.sale = orders.sale LEFT JOIN products ON products.product = sales.product
    LEFT JOIN LATERAL (
        SELECT * FROM payments
        WHERE payments.sale = orders.sale AND payments.id = orders.id AND payments.buyer = orders.buyer
        ORDER BY payments.state IN ('pending', 'settled') DESC, payments.payment DESC LIMIT 1
    ) AS paid ON true
    WHERE orders.sale = $1 AND orders.id = $2 AND orders.buyer = $3";

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
