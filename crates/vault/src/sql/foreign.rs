//! Events of epochs that never began.

/// Sales with events that wait of a later epoch than the newest that was begun, and the lowest such epoch; at most
/// `$1`. Of a sale that is not known the first epoch may come.
pub(crate) const MAYBE_FOREIGN: &str = "
    SELECT early.sale, min(early.epoch) FROM early LEFT JOIN sales USING (sale)
    WHERE early.epoch > coalesce(sales.epoch, 1)
    GROUP BY early.sale ORDER BY early.sale LIMIT $1";

/// Moves the events of a sale that wait of epochs later than `$2` into the quarantine: as messages, for they have no
/// place in the sale's numbers.
pub(crate) const PUT_ASIDE: &str = "
    WITH foreign_events AS (
        DELETE FROM early WHERE sale = $1 AND epoch > $2 RETURNING epoch, event
    )
    INSERT INTO quarantine (sale, epoch, seq, reason, body)
    SELECT $1, NULL, NULL, format('nobody has begun epoch %s of this sale', epoch), convert_to(event, 'UTF8')
    FROM foreign_events
    ON CONFLICT DO NOTHING";
