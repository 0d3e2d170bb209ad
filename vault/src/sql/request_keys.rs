//! Keys of requests that change something.

/// Takes a key for a request, unless it is taken.
pub(crate) const TAKE: &str = "
    INSERT INTO request_keys (route, key, body, target) VALUES ($1, $2, sha256($3), $4) ON CONFLICT DO NOTHING";

/// What a key was taken for, and whether by the same body.
pub(crate) const TAKEN_FOR: &str = "SELECT target, body = sha256($3) FROM request_keys WHERE route = $1 AND key = $2";

/// Forgets the keys that are older than `$1` seconds.
pub(crate) const FORGET: &str = "DELETE FROM request_keys WHERE at < now() - make_interval(secs => $1)";

/// Writes down what a request was answered.
pub(crate) const KEEP_ANSWER: &str =
    "UPDATE request_keys SET target = $3 WHERE route = $1 AND key = $2 AND target = ''";

/// Forgets a key under which nothing was done.
pub(crate) const LET_GO: &str = "DELETE FROM request_keys WHERE route = $1 AND key = $2 AND target = ''";
