//! Orders as a stream. `COPY` takes no parameters, so the export's are settings of its transaction.

/// Says for this transaction which sale (`$1`) is exported, since when (`$2`), and how long that may take (`$3`). No
/// row: PostgreSQL knows no such sale.
pub(crate) const CHOOSE: &str = "
    SELECT set_config('flash.export_sale', $1, true), set_config('flash.export_since_ms', $2, true),
        set_config('statement_timeout', $3, true)
    FROM sales WHERE sale = $1";

/// A time as people and spreadsheets read it: RFC 3339 in UTC.
macro_rules! time {
    ($ms:literal) => {
        concat!("to_char(to_timestamp(", $ms, " / 1000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')")
    };
}

/// The chosen orders with what pays for them, by id.
macro_rules! chosen_orders {
    () => {
        concat!(
            "SELECT orders.sale, orders.id, orders.state, orders.buyer, orders.items,
                (SELECT sum(item.quantity) FROM jsonb_to_recordset(orders.items) AS item (quantity bigint)) AS units,
                orders.request, orders.data, ",
            time!("orders.reserved_at_ms"),
            " AS reserved_at, ",
            time!("orders.expires_at_ms"),
            " AS expires_at, ",
            time!("orders.ended_at_ms"),
            " AS ended_at, payments.payment, payments.means, payments.reference, payments.amount, payments.currency,
                payments.state AS payment_state
            FROM orders LEFT JOIN payments ON payments.sale = orders.sale AND payments.id = orders.id
                AND payments.buyer = orders.buyer AND payments.state IN ('pending', 'settled')
            WHERE orders.sale = current_setting('flash.export_sale')
                AND greatest(orders.reserved_at_ms, orders.ended_at_ms)
                    >= current_setting('flash.export_since_ms')::bigint
            ORDER BY orders.id"
        )
    };
}

/// A cell that a spreadsheet would take for a formula begins with an apostrophe instead: the spreadsheet then shows it
/// as text.
macro_rules! cell {
    ($name:literal) => {
        concat!("CASE WHEN ", $name, "::text ~ '^[-=+@\\t\\r]' THEN '''' ELSE '' END || ", $name, " AS ", $name)
    };
}

/// The chosen orders as CSV. Only text that clients send needs the care of [`cell!`].
pub(crate) const AS_CSV: &str = concat!(
    "COPY (SELECT ",
    cell!("sale"),
    ", id, state, ",
    cell!("buyer"),
    ", items, units, ",
    cell!("request"),
    ", ",
    cell!("data"),
    ", reserved_at, expires_at, ended_at, payment, means, ",
    cell!("reference"),
    ", amount, ",
    cell!("currency"),
    ", payment_state FROM (",
    chosen_orders!(),
    ") AS orders) TO STDOUT WITH (FORMAT csv, HEADER)"
);

/// The chosen orders as lines of JSON. In `data` a line break can only be whitespace between two tokens. CSV with a
/// quote and a delimiter that JSON cannot contain leaves each line as it is.
pub(crate) const AS_JSON_LINES: &str = concat!(
    "COPY (SELECT row_to_json(line) FROM (
        SELECT sale, id, state, buyer, items, units, request, translate(data::text, E'\\n\\r', '  ')::json AS data,
            reserved_at, expires_at, ended_at, payment, means, reference, amount, currency, payment_state
        FROM (",
    chosen_orders!(),
    ") AS orders) AS line) TO STDOUT WITH (FORMAT csv, QUOTE E'\\x01', DELIMITER E'\\x02')"
);
