//! What cannot be read or written.

/// Puts aside what cannot be read or written.
pub(crate) const QUARANTINE: &str = "
    INSERT INTO quarantine (sale, epoch, seq, reason, body) VALUES ($1, $2, $3, $4, $5)
    ON CONFLICT DO NOTHING";

/// Puts a message aside that is unreadable, or (`$3`) that no authorised process published.
pub(crate) const QUARANTINE_BODY: &str = "
    INSERT INTO quarantine (reason, body, is_authentic) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";

/// Unsigned messages that wait in the quarantine, counted to `$1`.
pub(crate) const UNSIGNED_WAITING: &str = "
    SELECT count(*) FROM (
        SELECT FROM quarantine WHERE NOT is_authentic AND replayed_at IS NULL AND discarded_at IS NULL LIMIT $1
    ) AS waiting";

/// Rows of the quarantine: of the sale `$1`, of the last `$2` seconds, with `$3` in their reason, with one of the
/// numbers `$4`, ended ones only if `$5`, after the number `$7`; at most `$6`.
pub(crate) const QUARANTINED: &str = r#"
    SELECT id, sale, epoch, seq, reason, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        octet_length(body)::bigint, to_char(replayed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        to_char(discarded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'), discarded_by, rejected
    FROM quarantine
    WHERE ($1::text IS NULL OR sale = $1) AND ($2::bigint IS NULL OR at >= now() - $2 * interval '1 second')
    AND ($3::text IS NULL OR strpos(reason, $3) > 0) AND ($4::bigint[] IS NULL OR id = ANY($4))
    AND ($5 OR (replayed_at IS NULL AND discarded_at IS NULL)) AND id > $7
    ORDER BY id LIMIT $6"#;

/// Whether a reservation of the sale `$1` may be among what waits in the quarantine. One that is discarded or came late
/// is a rejection, so a late one is none. What is not authentic is none either: it was never acknowledged, so the event
/// that it claims to be is still in the journal, if there is one.
macro_rules! may_hold_reservation {
    () => {
        "EXISTS (
            SELECT FROM quarantine
            WHERE replayed_at IS NULL AND discarded_at IS NULL AND is_authentic AND (sale IS NULL OR sale = $1)
            AND NOT (seq IS NOT NULL AND reason = 'late')
        )"
    };
}
pub(super) use may_hold_reservation;

/// Whether a reservation of the sale may be among what was never written.
pub(crate) const MAY_HOLD_SALE: &str = concat!("SELECT ", may_hold_reservation!());

/// What a row of the quarantine holds: its first `$2` bytes.
pub(crate) const QUARANTINED_BODY: &str = "SELECT substring(body FROM 1 FOR $2) FROM quarantine WHERE id = $1";

/// A row of the quarantine that waits, locked.
pub(crate) const LOCK_QUARANTINED: &str = "
    SELECT body, seq, is_authentic FROM quarantine
    WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL FOR UPDATE";

/// A row of the quarantine was written after all: the event itself, or (`$2`) a rejection for this reason.
pub(crate) const REPLAYED: &str = "
    UPDATE quarantine SET replayed_at = now(), rejected = $2
    WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL";

/// A row of the quarantine could not be written again.
pub(crate) const STAYS_QUARANTINED: &str = "
    UPDATE quarantine SET reason = $2 WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL";

/// A row of the quarantine is not to be written.
pub(crate) const DISCARD: &str = "
    UPDATE quarantine SET discarded_at = now(), discarded_by = $2
    WHERE id = $1 AND replayed_at IS NULL AND discarded_at IS NULL";

/// The sale's newest epoch.
pub(crate) const NEWEST_EPOCH: &str = "SELECT epoch FROM sales WHERE sale = $1";

/// Where orders are, by their numbers, each with its buyer.
pub(crate) const ORDER_STATES: &str = "SELECT id, buyer, state FROM orders WHERE sale = $1 AND id = ANY($2)";

/// Why events `$3` of an epoch are not in the tables as they were sent: the first reason. None: they are.
pub(crate) const WHY_NOT_WRITTEN: &str = "
    SELECT coalesce(
        (SELECT reason FROM rejections WHERE sale = $1 AND epoch = $2 AND id = ANY($3) ORDER BY id LIMIT 1),
        (
            SELECT reason FROM quarantine
            WHERE sale = $1 AND epoch = $2 AND seq = ANY($3) AND replayed_at IS NULL AND discarded_at IS NULL
            ORDER BY seq LIMIT 1
        )
    )";

/// Redis does not count a rejected reservation whose epoch is over: the sale went on without it.
pub(crate) const SETTLE_IF_SEALED: &str = "
    UPDATE rejections SET settled_at = now()
    WHERE sale = $1 AND epoch = $2 AND id = $3 AND settled_at IS NULL AND EXISTS (
        SELECT FROM epochs WHERE epochs.sale = $1 AND epochs.epoch = $2 AND sealed_at IS NOT NULL
    )";
