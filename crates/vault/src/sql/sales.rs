//! Sales: their terms and their SKUs.

/// Creates a sale and its SKUs, unless the sale is there. Gives the number of SKUs created.
pub(crate) const CREATE_SALE: &str = "
    WITH created AS (
        INSERT INTO sales (
            sale, epoch, buyer_limit, hold_ms, opens_at_ms, closes_at_ms, journal_events_max, product, form
        )
        VALUES ($1, $2, $3, $4, $5, $6, $7, $10, $11)
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

/// What a sale has besides its terms, and whether it is over for long, in the sense of
/// [`LIVING`](super::recovery::LIVING).
pub(crate) const FACTS: &str = "
    SELECT product, form::text, price, currency,
        coalesce(closes_at_ms + coalesce(hold_ms, 0) + $2 <= extract(epoch FROM now()) * 1000, false)
    FROM sales LEFT JOIN products USING (product) WHERE sale = $1";
