//! The keys of requests that change something here, or in Redis: the same key again is the same request again.

use tokio_postgres::Client;

use crate::error::Error;
use crate::sql;

/// For how long a key is kept.
pub const KEY_KEPT_S: u32 = 7 * 24 * 60 * 60;

/// A key that is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakenKey {
    /// The id of what is created under it, or the answer to what was done.
    pub target: String,
    /// This request took it: no other one has.
    pub is_new: bool,
    /// The request that took it had the same body.
    pub is_same: bool,
}

/// Takes `key` for a request to `route`, which is to create `target`; where it is taken, says what for. What is created
/// may then be created any number of times, for it has one id.
///
/// # Errors
/// When PostgreSQL is in trouble. The call may be repeated.
pub async fn take_key(client: &Client, route: &str, key: &str, body: &[u8], target: &str) -> Result<TakenKey, Error> {
    client.execute(sql::request_keys::FORGET, &[&f64::from(KEY_KEPT_S)]).await?;
    let taken = client.execute(sql::request_keys::TAKE, &[&route, &key, &body, &target]).await?;
    let row = client.query_one(sql::request_keys::TAKEN_FOR, &[&route, &key, &body]).await?;
    Ok(TakenKey { target: row.get(0), is_new: taken > 0, is_same: row.get(1) })
}

/// Writes down the answer to the request that took a key.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn keep_answer(client: &Client, route: &str, key: &str, answer: &str) -> Result<(), Error> {
    client.execute(sql::request_keys::KEEP_ANSWER, &[&route, &key, &answer]).await?;
    Ok(())
}

/// Lets go of a key whose request changed nothing.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn let_key_go(client: &Client, route: &str, key: &str) -> Result<(), Error> {
    client.execute(sql::request_keys::LET_GO, &[&route, &key]).await?;
    Ok(())
}
