//! Payments.

/// What a payment is, in the order in which it is read; its state is what is given.
macro_rules! columns {
    () => {
        columns!("state")
    };
    ($($state:expr),*) => {
        concat!(
            "payment, sale, id, buyer, means, amount, currency, reference, ",
            $($state,)*
            ", reason, refund_reference, refunded_by,
            to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')"
        )
    };
}

/// What `$4` units of the sale `$1` cost. No row: the sale has no product.
macro_rules! due {
    () => {
        "due AS (
            SELECT products.price * $4::bigint AS amount, products.currency
            FROM sales JOIN products USING (product) WHERE sales.sale = $1
        )"
    };
}

/// Whether PostgreSQL knows that the reservation `$2` of the buyer `$3` is no hold and no sale.
macro_rules! has_ended {
    () => {
        "(
            EXISTS (
                SELECT FROM orders WHERE orders.sale = $1 AND orders.id = $2 AND orders.buyer = $3
                AND orders.state IN ('released', 'expired')
            )
            OR EXISTS (
                SELECT FROM rejections WHERE rejections.sale = $1 AND rejections.id = $2 AND rejections.buyer = $3
            ) AND NOT EXISTS (
                SELECT FROM orders WHERE orders.sale = $1 AND orders.id = $2 AND orders.buyer = $3
            )
        )"
    };
}

/// Whether PostgreSQL has the reservation `$2` of the buyer `$3` as a sale. That is the last word, whatever Redis says.
macro_rules! is_confirmed {
    () => {
        "EXISTS (
            SELECT FROM orders WHERE orders.sale = $1 AND orders.id = $2 AND orders.buyer = $3
            AND orders.state = 'confirmed'
        )"
    };
}

/// Debits a buyer for `$4` units, unless a payment is there for the reservation, its order has ended or was refused, or
/// the balance is too low or of another currency. Two that do it at once wait for each other at the buyer's row, and
/// the second breaks a key of the payments: then it has changed nothing.
pub(crate) const DEBIT: &str = concat!(
    "WITH ",
    due!(),
    ", debited AS (
        UPDATE buyers SET balance = balance - due.amount FROM due
        WHERE buyers.buyer = $3 AND buyers.currency = due.currency AND buyers.balance >= due.amount
        AND NOT EXISTS (
            SELECT FROM payments WHERE payments.sale = $1 AND payments.id = $2 AND payments.buyer = $3
            AND (means = 'balance' OR payments.state IN ('pending', 'settled'))
        )
        AND NOT EXISTS (
            SELECT FROM orders
            WHERE orders.sale = $1 AND orders.id = $2 AND orders.buyer = $3 AND orders.state <> 'held'
        )
        AND NOT ",
    has_ended!(),
    "
        RETURNING buyers.buyer, due.amount, due.currency
    )
    INSERT INTO payments (sale, id, buyer, means, amount, currency)
    SELECT $1::text, $2::bigint, buyer, 'balance', amount, currency FROM debited"
);

/// Why nothing was debited: whether the reservation has ended, what it costs, and what the buyer has.
pub(crate) const NOT_DEBITED: &str = concat!(
    "WITH ",
    due!(),
    "
    SELECT ",
    has_ended!(),
    " OR EXISTS (SELECT FROM orders WHERE orders.sale = $1 AND orders.id = $2 AND orders.buyer = $3 AND state <> 'held'),
        due.amount, due.currency, buyers.balance, buyers.currency
    FROM (VALUES (1)) AS one LEFT JOIN due ON true LEFT JOIN buyers ON buyers.buyer = $3"
);

/// The payment that pays for a reservation, or the debit that did and was given back. Where the reservation was
/// refused, and is no order, it is about to be given back.
pub(crate) const PAYING: &str = concat!(
    "SELECT ",
    columns!("CASE WHEN state = 'pending' AND ", has_ended!(), " THEN 'refund_due' ELSE state END"),
    " FROM payments
    WHERE sale = $1 AND id = $2 AND buyer = $3 AND (means = 'balance' OR state IN ('pending', 'settled'))
    ORDER BY state IN ('pending', 'settled') DESC LIMIT 1"
);

/// What a payment elsewhere is, that somebody reports: for the reservation `$2` of the buyer `$3`, with `$4` units. It
/// is said to be `$6` of the currency `$7`, from the buyer `$8`; nulls are not known or not said. `$9` is why it cannot
/// pay for the reservation, where Redis says so. The price is PostgreSQL's.
macro_rules! told {
    () => {
        concat!(
            "WITH ",
            due!(),
            ", told AS (
                SELECT $1::text AS sale, $2::bigint AS id, coalesce($8::text, $3::text) AS buyer, $5::text AS reference,
                    coalesce(
                        $6::bigint, CASE WHEN coalesce($7, due.currency) = due.currency THEN due.amount END
                    ) AS amount,
                    coalesce($7::text, due.currency) AS currency,
                    CASE
                        WHEN $9::text IS NOT NULL AND NOT ",
            is_confirmed!(),
            " THEN $9
                        WHEN $8 <> $3 THEN 'other_buyer'
                        WHEN ",
            has_ended!(),
            " THEN 'late'
                        WHEN EXISTS (
                            SELECT FROM payments AS other
                            WHERE other.sale = $1 AND other.id = $2 AND other.buyer = $3
                            AND other.state IN ('pending', 'settled') AND other.reference IS DISTINCT FROM $5
                        ) THEN 'duplicate'
                        WHEN $7 <> due.currency THEN 'other_currency'
                        WHEN $6 <> due.amount THEN 'other_amount'
                    END AS reason
                FROM (VALUES (1)) AS one LEFT JOIN due ON true
            )"
        )
    };
}

/// Writes down a payment elsewhere that is reported for the first time.
pub(crate) const REPORT: &str = concat!(
    told!(),
    "
    INSERT INTO payments (sale, id, buyer, means, amount, currency, reference, state, reason, ended_at)
    SELECT sale, id, buyer, 'external', amount, currency, reference,
        CASE WHEN reason IS NULL THEN 'pending' ELSE 'refund_due' END, reason,
        CASE WHEN reason IS NOT NULL THEN now() END
    FROM told
    ON CONFLICT DO NOTHING"
);

/// The same for one that was reported while it was unknown what it is for: it still waits.
pub(crate) const REPORT_AGAIN: &str = concat!(
    told!(),
    "
    UPDATE payments SET buyer = coalesce(payments.buyer, told.buyer), amount = coalesce(payments.amount, told.amount),
        currency = coalesce(payments.currency, told.currency), reason = told.reason,
        state = CASE WHEN told.reason IS NULL THEN 'pending' ELSE 'refund_due' END,
        ended_at = CASE WHEN told.reason IS NOT NULL THEN now() END
    FROM told
    WHERE payments.means = 'external' AND payments.reference = told.reference AND payments.state = 'pending'
    AND payments.sale = told.sale AND payments.id = told.id"
);

/// What earlier reports of a payment elsewhere left open, of one that does not wait any more.
pub(crate) const FILL_IN: &str = "
    UPDATE payments SET amount = coalesce(amount, $2), currency = coalesce(currency, $3), buyer = coalesce(buyer, $4)
    WHERE means = 'external' AND reference = $1 AND state <> 'pending'";

/// A payment elsewhere, by what it is called there.
pub(crate) const OF_REFERENCE: &str =
    concat!("SELECT ", columns!(), " FROM payments WHERE means = 'external' AND reference = $1");

/// One payment.
pub(crate) const OF_NUMBER: &str = concat!("SELECT ", columns!(), " FROM payments WHERE payment = $1");

/// Payments elsewhere that wait for reservations after the last written event of their sales, reported at least `$1`
/// seconds ago: at most `$2` of them, in random order, so that those that stay do not hide the others.
pub(crate) const AHEAD: &str = "
    SELECT payment, sale, id FROM payments
    WHERE state = 'pending' AND means = 'external' AND at <= now() - make_interval(secs => $1)
    AND NOT EXISTS (SELECT FROM epochs WHERE epochs.sale = payments.sale AND epochs.head >= payments.id)
    ORDER BY random() LIMIT $2";

/// A payment elsewhere is to be paid back for the reason `$2`, unless PostgreSQL has its reservation confirmed.
pub(crate) const OWE: &str = "
    UPDATE payments SET state = 'refund_due', reason = $2, ended_at = now()
    WHERE payment = $1 AND state = 'pending' AND means = 'external' AND NOT EXISTS (
        SELECT FROM orders WHERE orders.sale = payments.sale AND orders.id = payments.id
        AND orders.buyer = payments.buyer AND orders.state = 'confirmed'
    )";

/// Somebody has paid it back.
pub(crate) const REFUND: &str = "
    UPDATE payments SET state = 'refunded', refund_reference = $2, refunded_by = $3, refunded_at = now()
    WHERE payment = $1 AND state = 'refund_due'";

/// Which payment was paid back under this reference.
pub(crate) const OF_REFUND: &str = "SELECT payment FROM payments WHERE refund_reference = $1";

/// Payments after the number `$3`, in the state `$1`, of the sale `$2`, by number, at most `$4`.
pub(crate) const PAGE: &str = concat!(
    "SELECT ",
    columns!(),
    " FROM payments
    WHERE ($1::text IS NULL OR state = $1) AND ($2::text IS NULL OR sale = $2) AND payment > $3
    ORDER BY payment LIMIT $4"
);

/// How many payments are to be paid back, and how much that is, by currency; at most `$1` of these. The sum ends where
/// a number of 64 bits does.
pub(crate) const DUE: &str = "
    SELECT coalesce(currency, 'unknown'), count(*), least(coalesce(sum(amount), 0), 9223372036854775807)::bigint
    FROM payments WHERE state = 'refund_due' GROUP BY 1 ORDER BY 1 LIMIT $1";

/// How many payments the sale `$1` has in each state and currency, and how much that is, at most `$2` rows. The sum
/// ends where a number of 64 bits does.
pub(crate) const TOTALS: &str = "
    SELECT state, coalesce(currency, 'unknown'), count(*),
        least(coalesce(sum(amount), 0), 9223372036854775807)::bigint
    FROM payments WHERE sale = $1 GROUP BY 1, 2 ORDER BY 1, 2 LIMIT $2";

/// Lets at most `$1` payments follow their orders: a confirmed order settles its payment, and whatever else became of
/// the reservation gives it back. That is also where no order was ever made: it was refused, or Redis had lost it
/// before PostgreSQL had it, which is known once the sale's head is beyond it. (What waits in the quarantine may still
/// become an order.) Another buyer's order of the same number is not the payment's; where it is unknown whose the
/// payment is, it settles nothing. Gives how many were settled, refunded, and are due to be refunded by others.
///
/// Buyers are locked in order, for a join alone updates them in any.
pub(crate) const FOLLOW_ORDERS: &str = "
    WITH ended AS (
        SELECT payments.payment,
            CASE WHEN orders.state = 'confirmed' AND payments.buyer IS NOT NULL THEN 'settled'
                WHEN payments.means = 'balance' THEN 'refunded'
                ELSE 'refund_due' END AS state
        FROM payments LEFT JOIN orders ON orders.sale = payments.sale AND orders.id = payments.id
            AND orders.buyer = coalesce(payments.buyer, orders.buyer)
        WHERE payments.state = 'pending' AND (
            orders.state <> 'held'
            OR orders.state IS NULL AND (
                EXISTS (
                    SELECT FROM rejections
                    WHERE rejections.sale = payments.sale AND rejections.id = payments.id
                    AND rejections.buyer = coalesce(payments.buyer, rejections.buyer)
                )
                OR payments.id <= (SELECT max(head) FROM epochs WHERE epochs.sale = payments.sale) AND NOT EXISTS (
                    SELECT FROM quarantine
                    WHERE quarantine.sale = payments.sale AND quarantine.seq = payments.id
                    AND replayed_at IS NULL AND discarded_at IS NULL
                )
            )
        )
        ORDER BY payments.payment LIMIT $1 FOR NO KEY UPDATE OF payments SKIP LOCKED
    ), moved AS (
        UPDATE payments SET state = ended.state, ended_at = now(),
            reason = CASE WHEN ended.state = 'settled' THEN payments.reason ELSE 'late' END
        FROM ended WHERE payments.payment = ended.payment
        RETURNING payments.buyer, payments.amount, payments.state
    ), owed AS (
        SELECT buyer, sum(amount)::bigint AS amount FROM moved WHERE state = 'refunded' GROUP BY buyer
    ), locked AS (
        SELECT buyer, owed.amount FROM buyers JOIN owed USING (buyer) ORDER BY buyer FOR NO KEY UPDATE OF buyers
    ), given_back AS (
        UPDATE buyers SET balance = balance + locked.amount FROM locked WHERE buyers.buyer = locked.buyer
    )
    SELECT count(*) FILTER (WHERE state = 'settled'), count(*) FILTER (WHERE state = 'refunded'),
        count(*) FILTER (WHERE state = 'refund_due')
    FROM moved";
