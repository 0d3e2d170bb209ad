//! The gateway's way to PostgreSQL: sales, products and accounts are created there, payments are made, and what Redis does not
//! have is looked up.
//!
//! No reservation waits for it, but for the first one of a sale, so it is kept short: few queries at once, and none for long.

mod make;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use flash_client::Deadline;
use flash_metrics::process::SALE_LOOKUPS;
use flash_vault::{
    ApiKey, Buyer, Client, Due, KeyRow, KeyedRequest, LoggedChange, LoggedRow, Order, Payment, PaymentFilter, Product,
    QuarantineFilter, QuarantineRow, Refund, Rejection, RequestOutcome, ReservationFilter, ReservationRow, SaleFacts,
    Syncer, TakenKey, Vault, Webhook,
};
use tokio::sync::{Mutex, MutexGuard, Semaphore};
use tokio::time::error::Elapsed;
use tokio::time::{Instant, timeout};

use crate::limits::{DUE_CURRENCIES_MAX, QUARANTINED_BYTES_MAX};

/// How long a look-up may take, connecting included, if its request's deadline is not earlier.
const LOOK_UP_TIMEOUT_MS: u64 = 800;
/// The same for what creates a sale, and for other changes of operators.
const CREATE_SALE_TIMEOUT_MS: u64 = 4_000;
/// The same for a key that Redis has forgotten: it is asked for twice, with a wait between.
const KEY_LOOK_UP_TIMEOUT_MS: u64 = 250;
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
    /// Whoever writes events, which is rare, has a connection of his own.
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

    /// Connects, so that whoever asks first does not wait for it.
    pub(crate) async fn connect(&self) {
        // Without a connection it was logged, and is tried again by whoever asks.
        let _ = self.ask(CREATE_SALE_TIMEOUT_MS, async |_: &_| Ok(())).await;
    }

    /// Takes the key of a request, or says what it stands for.
    pub(crate) async fn take_key(&self, request: KeyedRequest<'_>) -> Result<TakenKey, PostgresError> {
        self.ask(CREATE_SALE_TIMEOUT_MS, async |client: &Client| flash_vault::take_key(client, request).await).await
    }

    /// What the key of a request stands for; none: no request has taken it.
    pub(crate) async fn known_key(&self, request: KeyedRequest<'_>) -> Result<Option<TakenKey>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &Client| flash_vault::known_key(client, request).await).await
    }

    /// Writes down the answer to the request that took a key.
    pub(crate) async fn keep_answer(&self, request: KeyedRequest<'_>, answer: &str) -> Result<(), PostgresError> {
        let question = async |client: &Client| flash_vault::keep_answer(client, request, answer).await;
        self.ask(LOOK_UP_TIMEOUT_MS, question).await
    }

    /// Lets go of a key whose request changed nothing.
    pub(crate) async fn let_key_go(&self, request: KeyedRequest<'_>) -> Result<(), PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &Client| flash_vault::let_key_go(client, request).await).await
    }

    /// What a sale has besides its terms; none: there is no such sale. Many wait for the answer, and those who come later
    /// would ask again: it may take longer than one request does.
    pub(crate) async fn sale_facts(&self, sale: &str) -> Result<Option<SaleFacts>, PostgresError> {
        SALE_LOOKUPS.add(1);
        self.ask(CREATE_SALE_TIMEOUT_MS, async |client: &_| flash_vault::sale_facts(client, sale).await).await
    }

    /// A page of the sales' ids.
    pub(crate) async fn sale_page(&self, after: &str, limit: u64) -> Result<Vec<String>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::sale_page(client, after, limit).await).await
    }

    /// A page of a sale's reservations.
    pub(crate) async fn reservation_page(
        &self,
        sale: &str,
        filter: &ReservationFilter<'_>,
        limit: u64,
    ) -> Result<Vec<ReservationRow>, PostgresError> {
        let question = async |client: &_| flash_vault::reservation_page(client, sale, filter, limit).await;
        self.ask(LOOK_UP_TIMEOUT_MS, question).await
    }

    /// The syncers that were heard of lately.
    pub(crate) async fn syncers(&self) -> Result<Vec<Syncer>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::syncers(client).await).await
    }

    /// A page of what waits in the quarantine.
    pub(crate) async fn quarantine_page(&self, after: u64, limit: u64) -> Result<Vec<QuarantineRow>, PostgresError> {
        let filter = QuarantineFilter { after, limit, ..QuarantineFilter::default() };
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::quarantined(client, &filter).await).await
    }

    /// A row of the quarantine, with as much of its body as is shown.
    pub(crate) async fn quarantined(&self, id: u64) -> Result<Option<(QuarantineRow, Vec<u8>)>, PostgresError> {
        let filter = QuarantineFilter { ids: vec![id], ended_too: true, limit: 1, ..QuarantineFilter::default() };
        let question = async |client: &_| {
            let row = flash_vault::quarantined(client, &filter).await?.pop();
            Ok(row.zip(flash_vault::quarantined_body(client, id, QUARANTINED_BYTES_MAX).await?))
        };
        self.ask(LOOK_UP_TIMEOUT_MS, question).await
    }

    /// A connection that writes events, for one who has waited for his turn. It is his until he lets go of both.
    pub(crate) async fn writer(&self) -> Result<(MutexGuard<'_, ()>, Vault), PostgresError> {
        let opening = async {
            let turn = self.writing.lock().await;
            Ok::<_, flash_vault::Error>((turn, Vault::open(&self.url).await?))
        };
        let limit = Deadline::within(Duration::from_millis(CREATE_SALE_TIMEOUT_MS)).ok_or(PostgresError::Busy)?;
        match timeout(limit, opening).await {
            Ok(Ok(writer)) => Ok(writer),
            Ok(Err(error)) => {
                tracing::warn!(%error, "PostgreSQL gives no connection that writes");
                let is_read_only = matches!(error, flash_vault::Error::ReadOnly);
                Err(if is_read_only { PostgresError::ReadOnly } else { PostgresError::Away })
            }
            Err(_) => Err(PostgresError::Busy),
        }
    }

    /// One product.
    pub(crate) async fn product(&self, id: &str) -> Result<Option<Product>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::product(client, id).await).await
    }

    /// One buyer's account.
    pub(crate) async fn buyer(&self, buyer: &str) -> Result<Option<Buyer>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::buyer(client, buyer).await).await
    }

    /// The payment for a buyer's reservation.
    pub(crate) async fn payment(&self, sale: &str, id: u64, buyer: &str) -> Result<Option<Payment>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::payment(client, sale, id, buyer).await).await
    }

    /// A page of the payments.
    pub(crate) async fn payment_page(
        &self,
        filter: &PaymentFilter<'_>,
        limit: u64,
    ) -> Result<Vec<Payment>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::payment_page(client, filter, limit).await).await
    }

    /// A payment was paid back, says somebody.
    pub(crate) async fn refund_payment(
        &self,
        payment: u64,
        reference: &str,
        by: &str,
    ) -> Result<Refund, PostgresError> {
        let question = async |client: &_| flash_vault::refund_payment(client, payment, reference, by).await;
        self.ask(CREATE_SALE_TIMEOUT_MS, question).await
    }

    /// What is to be paid back.
    pub(crate) async fn due_payments(&self) -> Result<Vec<Due>, PostgresError> {
        let question = async |client: &_| flash_vault::due_payments(client, DUE_CURRENCIES_MAX).await;
        self.ask(LOOK_UP_TIMEOUT_MS, question).await
    }

    /// How far the newest life of a sale is written.
    pub(crate) async fn newest_head(&self, sale: &str) -> Result<Option<u64>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::newest_head(client, sale).await).await
    }

    /// Why a reservation was refused by PostgreSQL, if it was.
    pub(crate) async fn rejection(&self, sale: &str, id: u64) -> Result<Option<Rejection>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::rejection(client, sale, id).await).await
    }

    /// Everybody who ever had anything of a sale; none: they are more than `max`, or it is not known.
    pub(crate) async fn sale_buyers(&self, sale: &str, max: u64) -> Result<Option<Vec<String>>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::sale_buyers(client, sale, max).await).await
    }

    /// The order of a reservation.
    pub(crate) async fn order(&self, sale: &str, id: u64) -> Result<Option<Order>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::order(client, sale, id).await).await
    }

    /// What a buyer's request made, of the reservations of a sale up to the event `seq`.
    pub(crate) async fn request_outcome(
        &self,
        sale: &str,
        buyer: &str,
        key: &str,
        seq: u64,
    ) -> Result<RequestOutcome, PostgresError> {
        let question = async |client: &_| flash_vault::request_outcome(client, sale, buyer, key, seq).await;
        self.ask(KEY_LOOK_UP_TIMEOUT_MS, question).await
    }

    /// All webhooks.
    pub(crate) async fn webhooks(&self) -> Result<Vec<Webhook>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::webhooks(client).await).await
    }

    /// Removes a webhook; false: there is no such one.
    pub(crate) async fn remove_webhook(&self, id: u64) -> Result<bool, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::remove_webhook(client, id).await).await
    }

    /// What an API key is good for.
    pub(crate) async fn api_key(&self, id: &str) -> Result<Option<ApiKey>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::api_key(client, id).await).await
    }

    /// Ends an API key. False: there is none of that id.
    pub(crate) async fn revoke_key(&self, id: &str) -> Result<bool, PostgresError> {
        self.ask(CREATE_SALE_TIMEOUT_MS, async |client: &_| flash_vault::revoke_key(client, id).await).await
    }

    /// A page of the API keys.
    pub(crate) async fn keys(&self, after: &str, limit: u64) -> Result<Vec<KeyRow>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::keys(client, after, limit).await).await
    }

    /// Writes down what an operator is about to do.
    pub(crate) async fn log_change(&self, change: LoggedChange<'_>) -> Result<u64, PostgresError> {
        self.ask(CREATE_SALE_TIMEOUT_MS, async |client: &_| flash_vault::log_change(client, change).await).await
    }

    /// Writes down what became of it.
    pub(crate) async fn end_logged(&self, row: u64, outcome: &str) -> Result<(), PostgresError> {
        self.ask(CREATE_SALE_TIMEOUT_MS, async |client: &_| flash_vault::end_logged(client, row, outcome).await).await
    }

    /// A page of what operators did.
    pub(crate) async fn logged(&self, before: u64, limit: u64) -> Result<Vec<LoggedRow>, PostgresError> {
        self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::logged(client, before, limit).await).await
    }

    /// Whether PostgreSQL answers, and takes writes.
    pub(crate) async fn health(&self) -> Health {
        match self.ask(LOOK_UP_TIMEOUT_MS, async |client: &_| flash_vault::is_read_only(client).await).await {
            Ok(false) => Health::Up,
            Ok(true) => Health::ReadOnly,
            Err(_) => Health::Away,
        }
    }

    async fn ask<T>(
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
            tracing::warn!(error, "PostgreSQL gives no answer; the sales that this gateway knows go on selling");
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
