//! Whether anything depends on what a queue holds.

/// Whether a gateway recovers a sale. No lease is longer than `$1` seconds: one that seems so is from before the clock
/// stepped back.
pub(crate) const IS_RECOVERING: &str = "
    SELECT EXISTS (SELECT FROM recoveries WHERE until > now() AND until <= now() + make_interval(secs => $1))";

/// The sales after `$1`, by name, that are not over for longer than `$2` milliseconds, each with its newest epoch and
/// how far that is written; at most `$3`.
pub(crate) const LIVES: &str = "
    SELECT sales.sale, sales.epoch, coalesce(epochs.head, 0)
    FROM sales LEFT JOIN epochs ON epochs.sale = sales.sale AND epochs.epoch = sales.epoch
    WHERE sales.sale > $1 AND coalesce(
        closes_at_ms + coalesce(hold_ms, 0) + $2 > extract(epoch FROM now()) * 1000, true
    )
    ORDER BY sales.sale LIMIT $3";
