//! Barriers: whether everything that was queued at a moment is in PostgreSQL.

use std::time::Duration;

use flash_relay::{BarrierError, RelayHandle};
use flash_wire::Attempt;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::limits::BARRIER_WAIT_MS_MAX;

/// A sale that waits for a barrier, as it was fenced.
pub(crate) type Waiting = (String, Attempt);

/// Sends one barrier at a time, for all sales that wait when it is sent. Who comes later waits for the next one.
#[derive(Debug, Default)]
pub(crate) struct Barriers {
    flight: Option<Flight>,
}

#[derive(Debug)]
struct Flight {
    number: u64,
    /// All of them were fenced before it was sent.
    serves: Vec<Waiting>,
    /// The confirm; none: it has come.
    confirm: Option<JoinHandle<Result<(), BarrierError>>>,
    since: Instant,
}

impl Barriers {
    /// Sends a barrier if sales wait and none is under way, and gives those whose barrier has come, with its number.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub(crate) async fn pass(
        &mut self,
        relay: &RelayHandle,
        postgres: &flash_vault::Client,
        waiting: Vec<Waiting>,
    ) -> Result<(u64, Vec<Waiting>), flash_vault::Error> {
        if self.flight.is_none() && !waiting.is_empty() {
            self.flight = Some(Flight::begin(relay.clone(), waiting));
        }
        let Some(flight) = &mut self.flight else { return Ok((0, Vec::new())) };
        if flash_vault::has_barrier(postgres, &barrier_id(flight.number)).await? {
            return Ok(self.flight.take().map(|flight| (flight.number, flight.serves)).unwrap_or_default());
        }
        if let Some(why) = flight.is_lost().await {
            tracing::warn!(why, "a barrier has not come; another one is sent");
            self.flight = None;
        }
        Ok((0, Vec::new()))
    }
}

/// What a barrier is called in messages and in PostgreSQL.
pub(crate) fn barrier_id(number: u64) -> String {
    format!("recovery-{number:016x}")
}

impl Flight {
    fn begin(relay: RelayHandle, serves: Vec<Waiting>) -> Self {
        let number = rand::random();
        let published = barrier_id(number);
        let confirm = tokio::spawn(async move { relay.barrier(&published).await });
        Self { number, serves, confirm: Some(confirm), since: Instant::now() }
    }

    /// Why it is not waited for any more. A broker may have lost it, or no syncer reads.
    async fn is_lost(&mut self) -> Option<String> {
        if let Some(confirm) = self.confirm.take_if(|confirm| confirm.is_finished()) {
            self.since = Instant::now();
            match confirm.await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => return Some(error.to_string()),
                Err(panicked) => return Some(panicked.to_string()),
            }
        }
        let is_late = self.confirm.is_none() && self.since.elapsed() > Duration::from_millis(BARRIER_WAIT_MS_MAX);
        is_late.then(|| format!("not in PostgreSQL within {BARRIER_WAIT_MS_MAX} ms; does a syncer run?"))
    }
}
