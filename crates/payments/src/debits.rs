//! Payments' way to PostgreSQL: few connections for all threads of a gateway, each for one payment at a time.
//!
//! A debit waits for its buyer's row. On a connection that others share it would hold them up; and it must not be made
//! after its caller gave up, because the buyer may have paid otherwise by then. So each statement has a limit that is
//! below the caller's.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flash_client::Deadline;
use flash_vault::{Client, Debit, Over, Payment, PaymentReport, Reserved};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;

use crate::limits::{DEBIT_STATEMENT_MS_MAX, DEBIT_TIMEOUT_MS, DEBITS_AT_ONCE_MAX};

/// Why there is no answer about a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DebitError {
    /// As many as may be are under way, or no time is left. Nothing was asked.
    #[error("no connection for payments is free in time")]
    Busy,
    /// There is no connection. Nothing was changed.
    #[error("PostgreSQL is away")]
    Away,
    /// PostgreSQL takes no writes. Nothing was changed.
    #[error("PostgreSQL takes no writes")]
    ReadOnly,
    /// The payment was asked for, and no answer came.
    #[error("whether the payment was made is unknown")]
    Unknown,
}

/// The connections of one gateway.
#[derive(Debug)]
pub struct Debits {
    url: String,
    idle: Mutex<Vec<Client>>,
    /// Taken also by a connection that is being opened: there are never more of them.
    places: Arc<Semaphore>,
}

/// A connection, and the place that it has.
type Placed = (Client, OwnedSemaphorePermit);

impl Debits {
    /// To PostgreSQL at `url`; not connected yet.
    #[must_use]
    pub fn new(url: String) -> Self {
        Self { url, idle: Mutex::default(), places: Arc::new(Semaphore::new(DEBITS_AT_ONCE_MAX)) }
    }

    /// Opens one more connection, so that the first payment does not wait for it.
    pub async fn connect(&self) {
        let Ok(_place) = self.places.try_acquire() else { return };
        match self.open().await {
            Ok(client) => self.put_back(client),
            Err(error) => drop(away(error)),
        }
    }

    /// Pays for a buyer's reservation from the balance, once.
    ///
    /// # Errors
    /// See [`DebitError`], as in all that follow.
    pub async fn debit(self: &Arc<Self>, sale: &str, id: u64, buyer: &str, units: u64) -> Result<Debit, DebitError> {
        self.ask(async |client: &_| flash_vault::debit(client, sale, id, buyer, units).await).await
    }

    /// Records what a payment service reports.
    ///
    /// # Errors
    /// See [`DebitError`].
    pub async fn report(
        self: &Arc<Self>,
        report: &PaymentReport<'_>,
        reserved: &Reserved<'_>,
    ) -> Result<Payment, DebitError> {
        self.ask(async |client: &_| flash_vault::report_payment(client, report, reserved).await).await
    }

    /// A payment is to be paid back: its hold has ended.
    ///
    /// # Errors
    /// See [`DebitError`].
    pub async fn owe(self: &Arc<Self>, payment: u64) -> Result<Option<Payment>, DebitError> {
        self.ask(async |client: &_| flash_vault::owe_payment(client, payment, Over::Late).await).await
    }

    /// A payment needs all of its time: where less is left of its request's, none is begun, for it might be made after
    /// the answer.
    async fn ask<T>(
        self: &Arc<Self>,
        question: impl AsyncFnOnce(&Client) -> Result<T, flash_vault::Error>,
    ) -> Result<T, DebitError> {
        const LIMIT: Duration = Duration::from_millis(DEBIT_TIMEOUT_MS);
        if Deadline::within(LIMIT) != Some(LIMIT) {
            return Err(DebitError::Busy);
        }
        let mut was_asked = false;
        let asking = async {
            let (client, _place) = self.client().await?;
            was_asked = true;
            let answer = question(&client).await;
            if matches!(answer, Err(flash_vault::Error::ReadOnly)) {
                // The session may stay so when PostgreSQL takes writes again.
                return Err(away(flash_vault::Error::ReadOnly));
            }
            self.put_back(client);
            answer.map_err(|error| {
                tracing::warn!(%error, "a payment was not made, or that is not known");
                DebitError::Unknown
            })
        };
        match timeout(LIMIT, asking).await {
            Ok(answer) => answer,
            Err(_) if was_asked => Err(DebitError::Unknown),
            Err(_) => Err(DebitError::Busy),
        }
    }

    /// A new connection is opened in a task: if its caller gives up before it is there, the next one finds it.
    async fn client(self: &Arc<Self>) -> Result<Placed, DebitError> {
        // The semaphore is never closed.
        let place = self.places.clone().acquire_owned().await.map_err(|_| DebitError::Busy)?;
        while let Some(client) = self.take_idle() {
            if !client.is_closed() {
                return Ok((client, place));
            }
        }
        let (give, given) = oneshot::channel();
        let debits = self.clone();
        tokio::spawn(async move {
            let opened = debits.open().await.map(|client| (client, place));
            if let Err(Ok((client, _place))) = give.send(opened) {
                debits.put_back(client);
            }
        });
        match given.await {
            Ok(opened) => opened.map_err(away),
            // The runtime has ended.
            Err(_) => Err(DebitError::Away),
        }
    }

    async fn open(&self) -> Result<Client, flash_vault::Error> {
        let client = flash_vault::connect_to_write(&self.url).await?;
        flash_vault::limit_statements(&client, DEBIT_STATEMENT_MS_MAX).await?;
        Ok(client)
    }

    fn take_idle(&self) -> Option<Client> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// One whose caller gave up is not put back: its connection ends.
    fn put_back(&self, client: Client) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !client.is_closed() && idle.len() < DEBITS_AT_ONCE_MAX {
            idle.push(client);
        }
    }
}

fn away(error: flash_vault::Error) -> DebitError {
    tracing::warn!(%error, "PostgreSQL gives no connection for payments");
    if matches!(error, flash_vault::Error::ReadOnly) { DebitError::ReadOnly } else { DebitError::Away }
}
