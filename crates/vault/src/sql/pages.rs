//! Pages of what there is.

use super::reserved::{reserved, reserved_of_rejection};

/// The sales after the id `$1`, by id, at most `$2`.
pub(crate) const SALES: &str = "SELECT sale FROM sales WHERE sale > $1 ORDER BY sale LIMIT $2";

/// The ids of the sales that were created last, at most `$1`.
pub(crate) const NEWEST_SALES: &str = "SELECT sale FROM sales ORDER BY created_at DESC, sale LIMIT $1";

/// The reservations of the sale `$1` before the id `$2`, in the state `$3`, of the buyer `$4`, the newest first, at
/// most `$5`. One of which the id was taken is there twice: as what took it, and as what was refused.
pub(crate) const RESERVATIONS: &str = concat!(
    "SELECT * FROM (
        (
            SELECT id, epoch, state, reserved_at_ms, ended_at_ms, published_at_ms,
                (extract(epoch FROM written_at) * 1000)::bigint AS written_at_ms,
                (extract(epoch FROM end_written_at) * 1000)::bigint AS end_written_at_ms, NULL::text AS reason, ",
    reserved!("orders"),
    "
            FROM orders
            WHERE sale = $1 AND id < $2 AND ($3::text IS NULL OR state = $3) AND ($4::text IS NULL OR buyer = $4)
            ORDER BY id DESC LIMIT $5
        )
        UNION ALL
        (
            SELECT id, epoch, 'rejected', NULL, (extract(epoch FROM at) * 1000)::bigint, NULL, NULL, NULL, reason, ",
    reserved_of_rejection!(),
    "
            FROM rejections
            WHERE sale = $1 AND id < $2 AND ($3::text IS NULL OR $3 = 'rejected') AND ($4::text IS NULL OR buyer = $4)
            ORDER BY id DESC LIMIT $5
        )
    ) AS reservations
    ORDER BY id DESC LIMIT $5"
);
