//! Keys of operators.

/// Makes a key known.
pub(crate) const CREATE_KEY: &str = "
    INSERT INTO api_keys (id, hash, role, holder, expires_at_ms) VALUES ($1, $2, $3, $4, $5)";

/// What a key is good for.
pub(crate) const API_KEY: &str = "
    SELECT hash, role, holder, expires_at_ms, revoked_at IS NOT NULL FROM api_keys WHERE id = $1";

/// The keys after the id `$1`, by id, at most `$2`.
pub(crate) const KEYS: &str = "
    SELECT id, role, holder, created_at::text, expires_at_ms, revoked_at::text
    FROM api_keys WHERE id > $1 ORDER BY id LIMIT $2";

/// Ends a key. It stays ended since when it first was.
pub(crate) const REVOKE_KEY: &str = "
    UPDATE api_keys SET revoked_at = coalesce(revoked_at, now()) WHERE id = $1";
