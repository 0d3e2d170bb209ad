//! Barriers, and what operators and syncers say to each other.

/// Writes a barrier down.
pub(crate) const ADD_BARRIER: &str = "INSERT INTO barriers (id) VALUES ($1) ON CONFLICT DO NOTHING";

/// Forgets the barriers that are older than `$1` seconds, and those from before the clock stepped back.
pub(crate) const FORGET_BARRIERS: &str = "
    DELETE FROM barriers WHERE at < now() - make_interval(secs => $1) OR at > now() + make_interval(secs => $1)";

/// Whether a barrier has come.
pub(crate) const HAS_BARRIER: &str = "SELECT EXISTS (SELECT FROM barriers WHERE id = $1)";

/// Writes down what a syncer says, forgets those that said nothing for `$6` seconds or seem to
/// have said it in the future, which is before the clock stepped back, and gives what the operator wants.
pub(crate) const REPORT_SYNCER: &str = "
    WITH forgotten AS (
        DELETE FROM syncers
        WHERE name <> $1 AND (at < now() - make_interval(secs => $6) OR at > now() + make_interval(secs => $6))
    ), reported AS (
        INSERT INTO syncers (name, paused, queued, written, rejected) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (name) DO UPDATE SET
            paused = excluded.paused, queued = excluded.queued, written = excluded.written, rejected = excluded.rejected,
            at = now()
    )
    SELECT paused FROM syncer_control";

/// What the operator wants of the syncers.
pub(crate) const ARE_SYNCERS_PAUSED: &str = "SELECT paused FROM syncer_control";

/// Tells the syncers to pause. The transaction that writes holds the row's lock, and so the table's: those that began
/// before are waited for, and those that begin meanwhile wait. (For the row alone, several that write at all times
/// would keep this one out.)
pub(crate) const PAUSE_SYNCERS: &str = "
    LOCK TABLE syncer_control IN EXCLUSIVE MODE;
    UPDATE syncer_control SET paused = true, at = now()";

/// Tells the syncers to go on.
pub(crate) const RESUME_SYNCERS: &str = "UPDATE syncer_control SET paused = false, at = now()";

/// The syncers that said something within `$1` seconds.
pub(crate) const SYNCERS: &str = "
    SELECT name, paused, queued, written, rejected, greatest(0, extract(epoch FROM now() - at) * 1000)::bigint
    FROM syncers
    WHERE at >= now() - make_interval(secs => $1) AND at <= now() + make_interval(secs => $1)
    ORDER BY name";
