//! Webhooks, and what is to be delivered to them.

use super::reserved::{reserved, reserved_of_rejection};

/// Whether anybody wants to hear of orders.
pub(crate) const IS_ANYONE_TO_HEAR: &str = "SELECT EXISTS (SELECT FROM webhooks WHERE disabled_at IS NULL)";

/// Notes for each webhook what became of reservations that something has happened to. What was noted before, whether it
/// was delivered or not, is not noted again.
pub(crate) const ANNOUNCE: &str = "
    INSERT INTO deliveries (webhook, sale, reservation, type)
    SELECT webhooks.id, became.sale, became.id, became.type
    FROM (
        SELECT sale, id, 'order.' || orders.state AS type
        FROM unnest($1::text[], $2::bigint[]) AS touched (sale, id) JOIN orders USING (sale, id)
        WHERE orders.state <> 'held'
        UNION
        SELECT sale, id, 'order.rejected'
        FROM unnest($1::text[], $2::bigint[]) AS touched (sale, id) JOIN rejections USING (sale, id)
    ) AS became, webhooks
    WHERE webhooks.disabled_at IS NULL
    ON CONFLICT DO NOTHING";

/// Adds a webhook, unless there are `$3`.
pub(crate) const ADD: &str = "
    INSERT INTO webhooks (url, secret) SELECT $1, $2 WHERE (SELECT count(*) FROM webhooks) < $3 RETURNING id";

/// All webhooks, with how much waits for each, how much was given up, and the last error of either.
pub(crate) const LIST: &str = "
    SELECT id, url, disabled_because,
        (SELECT count(*) FROM deliveries WHERE webhook = webhooks.id AND dead_at IS NULL AND delivered_at IS NULL),
        (SELECT count(*) FROM deliveries WHERE webhook = webhooks.id AND dead_at IS NOT NULL),
        (
            SELECT last_error FROM deliveries
            WHERE webhook = webhooks.id AND delivered_at IS NULL AND last_error IS NOT NULL
            ORDER BY coalesce(dead_at, due_at) DESC LIMIT 1
        )
    FROM webhooks ORDER BY id";

/// The secret `$2` is a webhook's, and the one before it signs as well.
pub(crate) const RENEW_SECRET: &str = "UPDATE webhooks SET old_secret = secret, secret = $2 WHERE id = $1";

/// A webhook has no other secret than its newest.
pub(crate) const FORGET_OLD_SECRET: &str = "UPDATE webhooks SET old_secret = NULL WHERE id = $1";

/// Removes a webhook, and what waits for it.
pub(crate) const REMOVE: &str = "DELETE FROM webhooks WHERE id = $1";

/// Stops delivering to a webhook, and forgets what waits for it.
pub(crate) const DISABLE: &str = "
    WITH forgotten AS (DELETE FROM deliveries WHERE webhook = $1 AND delivered_at IS NULL)
    UPDATE webhooks SET disabled_at = now(), disabled_because = $2 WHERE id = $1 AND disabled_at IS NULL";

/// No delivery waits longer than `$1` seconds: what seems to was to be tried before the clock stepped back, and is due.
pub(crate) const MAKE_DUE: &str = "
    UPDATE deliveries SET due_at = now() FROM webhooks
    WHERE webhook = webhooks.id AND dead_at IS NULL AND delivered_at IS NULL
    AND due_at > now() + make_interval(secs => $1)";

/// Takes at most `$1` deliveries for each webhook that are due, for `$2` seconds, with what is to be said; none for the
/// webhooks `$3`.
pub(crate) const TAKE_DUE: &str = concat!(
    "WITH due AS MATERIALIZED (
        SELECT next.id
        FROM webhooks, LATERAL (
            SELECT id FROM deliveries
            WHERE webhook = webhooks.id AND dead_at IS NULL AND delivered_at IS NULL AND due_at <= now()
            ORDER BY due_at LIMIT $1
            FOR UPDATE SKIP LOCKED
        ) AS next
        WHERE webhooks.disabled_at IS NULL AND webhooks.id <> ALL ($3::bigint[])
    ), taken AS (
        UPDATE deliveries SET attempts = attempts + 1, due_at = now() + make_interval(secs => $2)
        FROM due WHERE deliveries.id = due.id
        RETURNING deliveries.id, webhook, sale, reservation, type, attempts
    )
    SELECT taken.id, taken.webhook, webhooks.url, webhooks.secret, taken.type, taken.attempts, taken.sale,
        taken.reservation, to_char(became.at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), webhooks.old_secret,
        became.*
    FROM taken
    JOIN webhooks ON webhooks.id = taken.webhook
    LEFT JOIN LATERAL (
        (
            SELECT to_timestamp(coalesce(ended_at_ms, reserved_at_ms) / 1000.0) AS at, NULL::text AS reason,
                data::text AS data, ",
    reserved!("orders"),
    "
            FROM orders
            WHERE taken.type <> 'order.rejected' AND orders.sale = taken.sale AND orders.id = taken.reservation
        )
        UNION ALL
        (
            SELECT at, reason, NULL, ",
    reserved_of_rejection!(),
    "
            FROM rejections
            WHERE taken.type = 'order.rejected' AND rejections.sale = taken.sale
            AND rejections.id = taken.reservation ORDER BY epoch LIMIT 1
        )
    ) AS became ON true"
);

/// A delivery was taken. Its row stays, so that the same end is not announced again.
pub(crate) const DELIVERED: &str = "UPDATE deliveries SET delivered_at = now(), last_error = NULL WHERE id = $1";

/// Forgets those of the `$1` oldest deliveries that were taken or given up more than `$2` seconds ago. A delivery waits
/// for days at most: those that wait keep no place among the oldest for long.
pub(crate) const FORGET: &str = "
    WITH oldest AS MATERIALIZED (SELECT id FROM deliveries ORDER BY id LIMIT $1)
    DELETE FROM deliveries USING oldest
    WHERE deliveries.id = oldest.id AND coalesce(delivered_at, dead_at) < now() - make_interval(secs => $2)";

/// A delivery was not taken: it is tried again in `$2` seconds.
pub(crate) const RETRY: &str = "
    UPDATE deliveries SET due_at = now() + make_interval(secs => $2), last_error = $3 WHERE id = $1";

/// A delivery was not taken, and is not tried again.
pub(crate) const BURY: &str = "UPDATE deliveries SET dead_at = now(), last_error = $2 WHERE id = $1";
