//! Decides that what went to the quarantine is not to be written: for `POST /v1/quarantine/{id}/discard`, and for
//! `flash quarantine discard`.

use flash_client::{Call, Client};
use flash_vault::{Error, Vault};

/// Discards a row, as [`Vault::discard`] does. Redis still counts a reservation that is rejected by that, and would
/// confirm it: so its sale is fenced, and a recovery takes the reservation out. Where Redis is away, the recovery finds
/// the rejection by itself.
///
/// # Errors
/// When PostgreSQL is in trouble: whether the row is discarded is unknown then, and the call may be repeated.
pub async fn discard_quarantined(vault: &mut Vault, redis: Option<&Client>, id: u64, by: &str) -> Result<bool, Error> {
    let Some(sales) = vault.discard(id, by).await? else { return Ok(false) };
    let Some(redis) = redis else { return Ok(true) };
    for sale in &sales {
        match redis.call(Call::fence(sale)).await {
            Ok(Ok(_)) => {}
            Ok(Err(refusal)) => tracing::warn!(sale, code = refusal.code(), "a sale with a rejection was not fenced"),
            Err(error) => tracing::warn!(sale, %error, "a sale with a rejection was not fenced"),
        }
    }
    Ok(true)
}
