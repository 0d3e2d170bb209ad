//! Keys of requests that make or change something.

use super::quarantine::may_hold_reservation;
use super::reserved::reserved;

/// Takes a key for a request, unless it is taken. Where another transaction is about to take it, this waits for its
/// end.
pub(crate) const TAKE: &str = "
    INSERT INTO request_keys (holder, route, key, body) VALUES ($1, $2, $3, sha256($4)) ON CONFLICT DO NOTHING";

/// What the request of a key was answered, and whether it had the same body.
pub(crate) const TAKEN_FOR: &str = "
    SELECT answer, body = sha256($4) FROM request_keys WHERE holder = $1 AND route = $2 AND key = $3";

/// Forgets at most `$2` of the keys that are older than `$1` seconds, and leaves those to others that others forget.
pub(crate) const FORGET: &str = "
    DELETE FROM request_keys WHERE (holder, route, key) IN (
        SELECT holder, route, key FROM request_keys WHERE at < now() - make_interval(secs => $1)
        ORDER BY at LIMIT $2 FOR UPDATE SKIP LOCKED
    )";

/// Writes down what a request was answered.
pub(crate) const KEEP_ANSWER: &str = "
    UPDATE request_keys SET answer = $4 WHERE holder = $1 AND route = $2 AND key = $3 AND answer IS NULL";

/// Forgets a key under which nothing was done.
pub(crate) const LET_GO: &str = "
    DELETE FROM request_keys WHERE holder = $1 AND route = $2 AND key = $3 AND answer IS NULL";

/// Whether the reservations of a sale up to the event `$2` are all in the tables: the sale's newest life is written so
/// far, and nothing that waits in the quarantine may hold one.
pub(crate) const IS_WRITTEN: &str = concat!(
    "SELECT EXISTS (SELECT FROM sales JOIN epochs USING (sale, epoch) WHERE sales.sale = $1 AND head >= $2)
        AND NOT ",
    may_hold_reservation!()
);

/// The newest order that a buyer's request made. Active orders are found by the buyer's slots, ended ones by the
/// request: each half has an index.
pub(crate) const ORDER_OF_REQUEST: &str = concat!(
    "SELECT * FROM (
        SELECT id, state, data::text, ",
    reserved!("orders"),
    " FROM orders
        WHERE sale = $1 AND buyer = $2 AND request = $3 AND state IN ('held', 'confirmed')
        UNION ALL
        SELECT id, state, data::text, ",
    reserved!("orders"),
    " FROM orders
        WHERE sale = $1 AND buyer = $2 AND request = $3 AND state IN ('released', 'expired')
    ) AS made
    ORDER BY id DESC LIMIT 1"
);

/// What was refused of a buyer, the newest first, at most `$3`.
pub(crate) const REJECTIONS_OF_BUYER: &str = "
    SELECT id, reason, event FROM rejections WHERE sale = $1 AND buyer = $2 ORDER BY id DESC LIMIT $3";
