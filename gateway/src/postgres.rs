//! The gateway's way to PostgreSQL: sales, products and accounts are created there, payments are made, and what Redis
//! does not have is looked up.
//!
//! No reservation waits for it, but for the first one of a sale, so it is kept short: few queries at once, and none for
//! long.

mod make;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flash_client::Deadline;
use flash_vault::{Client, Vault};
use tokio::sync::{Mutex, MutexGuard, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

/// How long a look-up may take, connecting included, if its request's deadline is not earlier.
const LOOK_UP_TIMEOUT_MS: u64 = 800;
/// The same for what operators change.
const CHANGE_TIMEOUT_MS: u64 = 4_000;
/// How long a session that began read-only is kept: what it reads is good, but a session that began so may stay so when
/// PostgreSQL takes writes again.
const READ_ONLY_KEPT_MS: u64 = 2_000;
/// Questions that one thread has under way at once: a PostgreSQL that does not answer must not take all the places that
/// reservations need.
const QUERIES_MAX: usize = 64;

/// PostgreSQL as one thread sees it.
#[derive(Debug)]
pub(crate) struct Postgres {
    url: String,
    client: Mutex<Option<Open>>,
    /// What is made is made on a connection of its own. None: nothing was made yet, or the last one is lost.
    making: Mutex<Option<Client>>,
    /// Writers of events, which are rare, have a connection of their own.
    writing: Mutex<()>,
    places: Semaphore,
    /// Whether the trouble was logged already: it is said once, not at every request.
    said: AtomicBool,
}

/// A connection.
#[derive(Debug)]
struct Open {
    client: Arc<Client>,
    /// Until then a session that began read-only is kept.
    until: Option<Instant>,
}

impl Open {
    fn is_good(&self) -> bool {
        !self.client.is_closed() && self.until.is_none_or(|until| Instant::now() < until)
    }
}

/// How PostgreSQL is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Up,
    /// It is read, and takes no writes.
    ReadOnly,
    Away,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PostgresError {
    /// As many as may be are under way, or no time is left. Nothing was asked.
    Busy,
    /// There is no connection, or no tables. Nothing was changed.
    Away,
    /// PostgreSQL takes no writes. Nothing was changed.
    ReadOnly,
    /// The question was asked, and no answer came.
    Unknown,
}

impl Postgres {
    /// Not connected yet.
    pub(crate) fn new(url: String) -> Self {
        Self::with(url, QUERIES_MAX)
    }

    /// With so many questions at once.
    pub(crate) fn with(url: String, queries_max: usize) -> Self {
        let places = Semaphore::new(queries_max);
        Self {
            url,
            client: Mutex::default(),
            making: Mutex::default(),
            writing: Mutex::default(),
            places,
            said: AtomicBool::default(),
        }
    }

    /// Connects, so that the first caller does not wait for it.
    pub(crate) async fn connect(&self) {
        // Without a connection it was logged, and the next caller tries again.
        let _ = self.change(async |_: &_| Ok(())).await;
    }

    /// Asks PostgreSQL something, or has it do something small, on a connection that all share.
    ///
    /// # Errors
    /// When there is no answer within the limit, or within the deadline of the request that this is for.
    pub(crate) async fn look<T>(
        &self,
        question: impl AsyncFnOnce(&Client) -> Result<T, flash_vault::Error>,
    ) -> Result<T, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, question).await
    }

    /// The same for what must not be given up soon: a change, or an answer that many wait for.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub(crate) async fn change<T>(
        &self,
        question: impl AsyncFnOnce(&Client) -> Result<T, flash_vault::Error>,
    ) -> Result<T, PostgresError> {
        self.ask(CHANGE_TIMEOUT_MS, question).await
    }

    /// A connection that writes events, for a caller that has waited for its turn, until it drops both.
    pub(crate) async fn writer(&self) -> Result<(MutexGuard<'_, ()>, Vault), PostgresError> {
        let opening = async {
            let turn = self.writing.lock().await;
            Ok::<_, flash_vault::Error>((turn, Vault::open(&self.url).await?))
        };
        let limit = Deadline::within(Duration::from_millis(CHANGE_TIMEOUT_MS)).ok_or(PostgresError::Busy)?;
        match timeout(limit, opening).await {
            Ok(Ok(writer)) => Ok(writer),
            Ok(Err(error)) => {
                tracing::warn!(%error, "cannot get a writable PostgreSQL connection");
                let is_read_only = matches!(error, flash_vault::Error::ReadOnly);
                Err(if is_read_only { PostgresError::ReadOnly } else { PostgresError::Away })
            }
            Err(_) => Err(PostgresError::Busy),
        }
    }

    /// Whether PostgreSQL answers, and takes writes.
    pub(crate) async fn health(&self) -> Health {
        match self.look(async |client: &_| flash_vault::is_read_only(client).await).await {
            Ok(false) => Health::Up,
            Ok(true) => Health::ReadOnly,
            Err(_) => Health::Away,
        }
    }

    /// The same within a limit of its own.
    ///
    /// # Errors
    /// As [`Self::look`].
    pub(crate) async fn ask<T>(
        &self,
        limit_ms: u64,
        question: impl AsyncFnOnce(&Client) -> Result<T, flash_vault::Error>,
    ) -> Result<T, PostgresError> {
        let limit = Deadline::within(Duration::from_millis(limit_ms)).ok_or(PostgresError::Busy)?;
        let _place = self.places.try_acquire().map_err(|_| PostgresError::Busy)?;
        let mut was_asked = false;
        let asking = async {
            let client = self.client().await?;
            was_asked = true;
            question(&client).await
        };
        let result = timeout(limit, asking).await;
        self.judge(result, was_asked, limit).await
    }

    /// What a question has come to, that was asked or not within `limit`.
    async fn judge<T>(
        &self,
        result: Result<Result<T, flash_vault::Error>, Elapsed>,
        was_asked: bool,
        limit: Duration,
    ) -> Result<T, PostgresError> {
        let (error, trouble) = match result {
            Ok(Ok(answer)) => {
                self.said.store(false, Ordering::Relaxed);
                return Ok(answer);
            }
            Ok(Err(error @ flash_vault::Error::ReadOnly)) => {
                self.replace_soon().await;
                (error.to_string(), PostgresError::ReadOnly)
            }
            // PostgreSQL answered, and did nothing.
            Ok(Err(error @ flash_vault::Error::Database(_))) => (error.to_string(), PostgresError::Away),
            Ok(Err(error)) if was_asked => (error.to_string(), PostgresError::Unknown),
            Err(_) if was_asked => (format!("no answer within {limit:?}"), PostgresError::Unknown),
            Ok(Err(error)) => (error.to_string(), PostgresError::Away),
            Err(_) => (format!("no connection within {limit:?}"), PostgresError::Away),
        };
        if !self.said.swap(true, Ordering::Relaxed) {
            tracing::warn!(error, "PostgreSQL does not answer; sales that this gateway knows continue");
        }
        Err(trouble)
    }

    /// A new session sees whether PostgreSQL takes writes again; this one may not.
    async fn replace_soon(&self) {
        if let Some(open) = self.client.lock().await.as_mut() {
            open.until.get_or_insert_with(|| Instant::now() + Duration::from_millis(READ_ONLY_KEPT_MS));
        }
    }

    async fn client(&self) -> Result<Arc<Client>, flash_vault::Error> {
        let mut client = self.client.lock().await;
        if let Some(open) = client.as_ref().filter(|open| open.is_good()) {
            return Ok(open.client.clone());
        }
        let new = Arc::new(flash_vault::connect(&self.url).await?);
        let is_read_only = flash_vault::is_read_only(&new).await?;
        let until = is_read_only.then(|| Instant::now() + Duration::from_millis(READ_ONLY_KEPT_MS));
        *client = Some(Open { client: new.clone(), until });
        Ok(new)
    }
}
