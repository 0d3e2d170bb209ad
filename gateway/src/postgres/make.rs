//! What operators make in PostgreSQL, once for the key of their request. It is one transaction, so it takes a
//! connection of its own: those of the look-ups are shared.

use std::time::Duration;

use flash_client::Deadline;
use flash_vault::{KeyedRequest, Made, Once, Transaction, make_once};
use tokio::time::timeout;

use super::{CHANGE_TIMEOUT_MS, Postgres, PostgresError};

impl Postgres {
    /// Makes something. Those who come at the same time take turns.
    pub(crate) async fn make<T>(
        &self,
        request: Option<KeyedRequest<'_>>,
        make: impl AsyncFnOnce(&Transaction<'_>) -> Result<Made<T>, flash_vault::Error>,
    ) -> Result<Once<T>, PostgresError> {
        let limit = Deadline::within(Duration::from_millis(CHANGE_TIMEOUT_MS)).ok_or(PostgresError::Busy)?;
        let _place = self.places.try_acquire().map_err(|_| PostgresError::Busy)?;
        let mut was_asked = false;
        let making = async {
            let mut kept = self.making.lock().await;
            // Whatever becomes of this transaction, no one gets a connection in the middle of one.
            let mut client = match kept.take().filter(|client| !client.is_closed()) {
                Some(client) => client,
                None => flash_vault::connect(&self.url).await?,
            };
            was_asked = true;
            let made = make_once(&mut client, request, make).await?;
            *kept = Some(client);
            Ok(made)
        };
        let result = timeout(limit, making).await;
        self.judge(result, was_asked, limit).await
    }
}
