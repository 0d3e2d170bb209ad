//! What this gateway knows of sales besides what Redis says, so that PostgreSQL is not asked for each request.
//!
//! A sale that Redis has: its form, and what it costs. None of that ever changes, so it is asked for once, and kept as
//! long as there is room; and a copy in Redis tells the form to gateways that meet the sale while PostgreSQL is away.
//! The copy is not asked for a price: any client that can write to Redis could set it. An id that Redis does not have:
//! whether there is such a sale at all. That is asked for by one gateway, once in a while, however many requests come
//! with the id.

mod facts;
mod flights;
mod limits;
mod products;
mod table;
mod verdict;

use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Instant;

use flash_client::Client;
use flash_vault::Price;
use tokio::time::sleep;

use self::flights::Flights;
use self::limits::*;
use self::products::Products;
use crate::postgres::{Postgres, PostgresError};

pub(crate) use self::facts::{Facts, sale_facts};
pub(crate) use self::table::Table;
pub(crate) use self::verdict::Verdict;

/// What the threads of one gateway know.
#[derive(Debug)]
pub(crate) struct Catalogue {
    known: RwLock<Table<KnownSale>>,
    learning: Flights<Result<Arc<Facts>, PostgresError>>,
    proving: Flights<Result<Arc<Facts>, PostgresError>>,
    verdicts: Mutex<Table<(Verdict, Instant)>>,
    looking: Flights<Result<Verdict, PostgresError>>,
    pub(crate) products: Products,
}

#[derive(Debug)]
struct KnownSale {
    facts: Arc<Facts>,
    /// PostgreSQL said so, and not a copy in Redis.
    is_proven: bool,
    /// Only of a sale that PostgreSQL does not have: somebody has warmed it by hand.
    until: Option<Instant>,
}

impl Catalogue {
    pub(crate) fn new() -> Self {
        Self {
            known: RwLock::new(Table::new(SALES_MAX)),
            learning: Flights::default(),
            proving: Flights::default(),
            verdicts: Mutex::new(Table::new(UNKNOWN_IDS_MAX)),
            looking: Flights::default(),
            products: Products::new(),
        }
    }

    /// What is known of a sale already.
    pub(crate) fn known(&self, sale: &str) -> Option<Arc<Facts>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(sale)?;
        let is_fresh = known.until.is_none_or(|until| Instant::now() < until);
        is_fresh.then(|| known.facts.clone())
    }

    /// What a sale has that Redis has. It must be known to be there first: its row in PostgreSQL is older than its key
    /// in Redis, and of a sale that is not there yet nothing could be kept.
    pub(crate) async fn facts(
        &self,
        redis: &Client,
        postgres: &Postgres,
        sale: &str,
    ) -> Result<Arc<Facts>, PostgresError> {
        if let Some(facts) = self.known(sale) {
            return Ok(facts);
        }
        let learn = async {
            if let Some(told) = told(redis, sale).await {
                return Ok(self.keep(sale, Some(told), false));
            }
            self.prove(redis, postgres, sale).await.or_else(|error| self.outdated(sale).ok_or(error))
        };
        self.learning.join(sale, learn).await
    }

    /// What one unit of a sale costs; none: it has no product. PostgreSQL says so: who may write to Redis sets no
    /// prices.
    pub(crate) async fn price(
        &self,
        redis: &Client,
        postgres: &Postgres,
        sale: &str,
    ) -> Result<Option<Price>, PostgresError> {
        if let Some(facts) = self.proven(sale) {
            return Ok(facts.price.clone());
        }
        let facts = self.proving.join(sale, self.prove(redis, postgres, sale)).await?;
        Ok(facts.price.clone())
    }

    /// What PostgreSQL said of a sale. It never changes, but for a sale that it did not have.
    fn proven(&self, sale: &str) -> Option<Arc<Facts>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let known = known.get(sale).filter(|known| known.is_proven)?;
        let is_fresh = known.until.is_none_or(|until| Instant::now() < until);
        is_fresh.then(|| known.facts.clone())
    }

    async fn prove(&self, redis: &Client, postgres: &Postgres, sale: &str) -> Result<Arc<Facts>, PostgresError> {
        match sale_facts(postgres, sale).await? {
            Some(found) => Ok(self.keep_and_tell(redis, sale, Facts::new(sale, found.form, found.price)).await),
            None => Ok(self.keep(sale, None, true)),
        }
    }

    /// Remembers what PostgreSQL has of a sale, and tells the other gateways. Where they are not told, they ask.
    pub(crate) async fn keep_and_tell(&self, redis: &Client, sale: &str, facts: Facts) -> Arc<Facts> {
        if let Err(error) = redis.tell_facts(sale, &facts.write(), FACTS_LIFE).await {
            tracing::debug!(%error, "the other gateways are not told what a sale asks");
        }
        self.keep(sale, Some(facts), true)
    }

    /// Remembers what PostgreSQL has of a sale that Redis has.
    fn keep(&self, sale: &str, found: Option<Facts>, is_proven: bool) -> Arc<Facts> {
        let until = found.is_none().then(|| Instant::now() + WARMED_BY_HAND_LIFE);
        let facts = Arc::new(found.unwrap_or_default());
        let known = KnownSale { facts: facts.clone(), is_proven, until };
        self.known.write().unwrap_or_else(PoisonError::into_inner).insert(sale, known);
        facts
    }

    /// Better than nothing, while PostgreSQL is away.
    fn outdated(&self, sale: &str) -> Option<Arc<Facts>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        known.get(sale).map(|known| known.facts.clone())
    }

    /// What PostgreSQL says of an id that Redis does not have.
    pub(crate) async fn verdict(
        &self,
        redis: &Client,
        postgres: &Postgres,
        sale: &str,
    ) -> Result<Verdict, PostgresError> {
        if let Some(verdict) = self.remembered(sale) {
            return Ok(verdict);
        }
        self.looking.join(sale, self.look_up(redis, postgres, sale)).await
    }

    fn remembered(&self, sale: &str) -> Option<Verdict> {
        let verdicts = self.verdicts.lock().unwrap_or_else(PoisonError::into_inner);
        verdicts.get(sale).filter(|(_, until)| Instant::now() < *until).map(|(verdict, _)| *verdict)
    }

    fn remember(&self, sale: &str, verdict: Verdict) {
        let until = Instant::now() + VERDICT_LIFE;
        self.verdicts.lock().unwrap_or_else(PoisonError::into_inner).insert(sale, (verdict, until));
    }

    /// Takes turns with the other gateways: one of them asks, and the others hear of it.
    async fn look_up(&self, redis: &Client, postgres: &Postgres, sale: &str) -> Result<Verdict, PostgresError> {
        let turn = Turn { bucket: verdict::bucket(sale), token: format!("{:016x}", rand::random::<u64>()) };
        let began = Instant::now();
        while began.elapsed() < TURN_WAIT {
            // The question before this one may have ended in this moment.
            if let Some(verdict) = self.remembered(sale) {
                return Ok(verdict);
            }
            let lookup = redis.begin_lookup(turn.bucket, &turn.token, TURN_LIFE).await;
            let lookup = lookup.map_err(|_| PostgresError::Away)?;
            if let Some(verdict) = lookup.seen.and_then(|seen| Verdict::read(&seen, sale)) {
                self.remember(sale, verdict);
                if lookup.is_ours {
                    turn.end(redis, None).await;
                }
                return Ok(verdict);
            }
            if lookup.is_ours {
                return self.ask(redis, postgres, sale, &turn).await;
            }
            sleep(TURN_STEP).await;
        }
        Err(PostgresError::Busy)
    }

    async fn ask(
        &self,
        redis: &Client,
        postgres: &Postgres,
        sale: &str,
        turn: &Turn,
    ) -> Result<Verdict, PostgresError> {
        let verdict = sale_facts(postgres, sale).await.map(|facts| Verdict::of(facts.as_ref()));
        if let Ok(verdict) = verdict {
            self.remember(sale, verdict);
        }
        turn.end(redis, verdict.ok().map(|verdict| verdict.write(sale))).await;
        verdict
    }
}

/// What another gateway told of a sale. Where Redis does not say, PostgreSQL will.
async fn told(redis: &Client, sale: &str) -> Option<Facts> {
    let text = redis.facts(sale).await.ok()??;
    Facts::read(sale, &text)
}

/// A gateway's turn at looking an id up.
struct Turn {
    bucket: u64,
    token: String,
}

impl Turn {
    /// Ends it, and tells the others what was found. Where that fails, it ends by itself.
    async fn end(&self, redis: &Client, news: Option<String>) {
        let shown = news.as_deref().map(|news| (news, VERDICT_LIFE));
        if let Err(error) = redis.end_lookup(self.bucket, &self.token, shown).await {
            tracing::debug!(%error, "a look-up's turn is left to its end");
        }
    }
}
