//! The audit log.

/// Writes down what an operator is about to do.
pub(crate) const LOG_CHANGE: &str = "
    INSERT INTO audit_log (who, key, action, sale, detail) VALUES ($1, $2, $3, $4, $5) RETURNING id";

/// Writes down what became of it.
pub(crate) const END_LOGGED: &str = "
    INSERT INTO audit_log (who, key, action, sale, detail, outcome, ends)
    SELECT who, key, action, sale, detail, $2, id FROM audit_log WHERE id = $1";

/// The rows before the number `$1`, the newest first, at most `$2`, each with what became of it.
pub(crate) const LOGGED: &str = "
    SELECT id, at::text, who, key, action, sale, detail, coalesce(
        outcome, (SELECT outcome FROM audit_log ended WHERE ended.ends = audit_log.id ORDER BY place LIMIT 1)
    )
    FROM audit_log WHERE id < $1 AND ends IS NULL ORDER BY id DESC LIMIT $2";

/// Where the log's chain ends.
pub(crate) const AUDIT_HEAD: &str = "SELECT place, hash FROM audit_head";

/// The rows of the log after the place `$1` up to `$2`, at most `$3`; what is hashed of each comes last, as text.
pub(crate) const AUDIT_CHAIN: &str = "
    SELECT entry.place, hash, entry.place::text, id::text, (extract(epoch FROM at) * 1000000)::bigint::text, who, key,
        action, sale, detail, outcome, ends::text
    FROM audit_log entry WHERE entry.place > $1 AND entry.place <= $2 ORDER BY entry.place LIMIT $3";
