//! Writes after all what went to the quarantine: for `POST /v1/quarantine/{id}/replay`, and for `flash quarantine
//! replay`.

use flash_client::{Call, CallError, Client};
use flash_vault::{LateReservation, Replay, Standing, Vault};
use flash_wire::Refusal;
use flash_worker::now_ms;

/// Why the outcome of a replay is unknown.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Redis could not be asked where the reservation is. Nothing was written.
    #[error(transparent)]
    Redis(#[from] CallError),
    /// Redis did not say it. Nothing was written.
    #[error("Redis does not say where reservation {id} of {sale} is: {code}")]
    Silent {
        /// The sale.
        sale: String,
        /// The reservation's id.
        id: u64,
        /// What Redis said instead.
        code: &'static str,
    },
    /// PostgreSQL is in trouble: whether it was written is unknown, and it may be tried again.
    #[error(transparent)]
    Postgres(#[from] flash_vault::Error),
}

/// Writes a row of the quarantine after all, a reservation as it is by now. Redis is asked while PostgreSQL holds the
/// sale's epochs locked.
///
/// # Errors
/// See [`ReplayError`].
pub async fn replay_quarantined(vault: &mut Vault, redis: &Client, id: u64) -> Result<Replay, ReplayError> {
    vault.replay(id, async |reservation| standing(redis, reservation).await).await
}

/// None: Redis does not know that very reservation any more. It ended long ago, or was lost, and then its units may be
/// somebody else's.
///
/// A fenced sale may be an older state, in which an end is missing that PostgreSQL has passed over already: it says
/// nothing. A recovery opens no sale while this holds the locks.
async fn standing(redis: &Client, reservation: LateReservation) -> Result<Option<Standing>, ReplayError> {
    let LateReservation { sale, id, buyer } = reservation;
    let answer = redis.call(Call::reservation_status(&sale, id)).await?;
    if redis.call(Call::sale_status(&sale)).await?.is_ok_and(|status| status.is_fenced()) {
        return Err(ReplayError::Silent { sale, id, code: Refusal::Fenced.code() });
    }
    match answer {
        Ok(status) if status.made.buyer == buyer => Ok(Some(Standing { state: status.state, at_ms: now_ms() })),
        Ok(_) | Err(Refusal::Unknown | Refusal::NotWarmed) => Ok(None),
        Err(refusal) => Err(ReplayError::Silent { sale, id, code: refusal.code() }),
    }
}
