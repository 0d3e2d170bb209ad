//! API keys that buyers and operators show. PostgreSQL has them; what it said of a key is believed for a short time.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use flash_vault::{ApiKey, key_hash, key_id};
use flash_worker::now_ms;
use hmac::digest::CtOutput;
use sha2::Sha256;
use tokio::time::Instant;

use super::Doubt;
use super::recent::Recent;
use super::strikes::Strikes;
use crate::limits::{CALLERS_KNOWN_MAX, KEY_KNOWN_AWAY_MS_MAX, KEY_KNOWN_MS_MAX};
use crate::postgres::Postgres;

/// One thread's.
#[derive(Debug)]
pub(crate) struct ApiKeys {
    /// A connection of their own: clients with unknown keys delay only each other.
    postgres: Postgres,
    /// By the keys' ids.
    known: Mutex<Recent<String, KnownKey>>,
    /// Shared with the other threads.
    strikes: Arc<Strikes>,
}

#[derive(Debug, Clone)]
struct KnownKey {
    /// None: there is no such key.
    key: Option<Arc<ApiKey>>,
    asked_at: Instant,
}

impl ApiKeys {
    /// None is known yet.
    pub(crate) fn new(postgres: Postgres, strikes: Arc<Strikes>) -> Self {
        Self { postgres, known: Mutex::new(Recent::new(CALLERS_KNOWN_MAX)), strikes }
    }

    /// Connects to PostgreSQL.
    pub(crate) async fn connect(&self) {
        self.postgres.connect().await;
    }

    /// The key that was shown from this address, if it is good now.
    ///
    /// # Errors
    /// When it is not valid, or cannot be checked now.
    pub(crate) async fn find(&self, shown: &str, from: IpAddr) -> Result<Arc<ApiKey>, Doubt> {
        let found = self.find_by(shown, from).await;
        if matches!(found, Err(Doubt::Unproven(_))) {
            self.strikes.add(from);
        }
        found
    }

    async fn find_by(&self, shown: &str, from: IpAddr) -> Result<Arc<ApiKey>, Doubt> {
        const UNKNOWN: Doubt = Doubt::Unproven("the key is not known");
        let id = key_id(shown).ok_or(UNKNOWN)?;
        let key = self.row(id, shown, from).await?.ok_or(UNKNOWN)?;
        // In constant time: how long it takes does not say how much of it was right.
        if !is_same(shown, &key) {
            return Err(UNKNOWN);
        }
        if key.is_revoked {
            return Err(Doubt::Unproven("the key was revoked"));
        }
        if key.expires_at_ms.is_some_and(|at_ms| at_ms <= now_ms()) {
            return Err(Doubt::Unproven("the key has expired"));
        }
        Ok(key)
    }

    async fn row(&self, id: &str, shown: &str, from: IpAddr) -> Result<Option<Arc<ApiKey>>, Doubt> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(id);
        let is_younger = |known: &KnownKey, limit_ms| known.asked_at.elapsed() < Duration::from_millis(limit_ms);
        if let Some(known) = known.as_ref().filter(|known| is_younger(known, KEY_KNOWN_MS_MAX)) {
            return Ok(known.key.clone());
        }
        // A key that was good goes on, whatever others show from the same address.
        if !known.as_ref().and_then(|known| known.key.as_ref()).is_some_and(|key| is_same(shown, key)) {
            self.strikes.check(from).map_err(Doubt::TooMany)?;
        }
        match self.postgres.look(async |client: &_| flash_vault::api_key(client, id).await).await {
            Ok(key) => {
                let key = key.map(Arc::new);
                self.learn(id, key.clone());
                Ok(key)
            }
            // An unknown key needs PostgreSQL's answer; a key that was known may be used for a while.
            Err(error) => match known.filter(|known| known.key.is_some() && is_younger(known, KEY_KNOWN_AWAY_MS_MAX)) {
                Some(known) => Ok(known.key),
                None => Err(Doubt::Unknown(error)),
            },
        }
    }

    pub(crate) fn learn(&self, id: &str, key: Option<Arc<ApiKey>>) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.insert(id.to_owned(), KnownKey { key, asked_at: Instant::now() });
    }
}

fn is_same(shown: &str, key: &ApiKey) -> bool {
    hash(key_hash(shown)) == hash(key.hash)
}

fn hash(bytes: [u8; 32]) -> CtOutput<Sha256> {
    CtOutput::new(bytes.into())
}

#[cfg(test)]
mod tests;
