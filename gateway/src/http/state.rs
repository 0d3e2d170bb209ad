//! What the requests of a thread share, and what one request asks.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use bytes::Bytes;
use flash_client::{Client, Durability, Durable};
use flash_payments::Debits;
use flash_recovery::RecoveryHandle;
use flash_relay::RelayHandle;
use flash_worker::Phase;
use hyper::header::HeaderValue;
use hyper::http::request::Parts;
use tokio::sync::watch;

use super::access::Surface;
use super::address::Proxies;
use super::cors::Origins;
use super::host::Hosts;
use super::identity::{Caller, Gate};
use super::places::Places;
use super::problem::{Kind, Problem};
use super::rate_limits::{Asker, Counted, RateLimits};
use super::refused_log::RefusedLog;
use super::request_log::RequestLog;
use super::target::Target;
use crate::audits::Audits;
use crate::catalogue::Catalogue;
use crate::crowd::Crowd;
use crate::devtools::Devtools;
use crate::events::Events;
use crate::examinations::Examinations;
use crate::ids::Ids;
use crate::limits::{CHANGE_REST_MS, LOOK_TIMEOUT_MS, REQUEST_REST_MS};
use crate::persistence::Waits;
use crate::pool::Pool;
use crate::postgres::Postgres;
use crate::sold_out::SoldOut;

/// What the requests of one thread share.
#[derive(Debug)]
pub(crate) struct App {
    /// What the listener serves.
    pub(crate) surface: Surface,
    /// Who may call.
    pub(crate) gate: Gate,
    /// The hosts that are served where nothing is asked of a caller.
    pub(crate) hosts: Hosts,
    /// The other origins whose pages may ask here.
    pub(crate) origins: Origins,
    pub(crate) ids: Ids,
    pub(crate) redis: Client,
    /// For calls whose answers promise more than Redis's memory.
    pub(crate) durable: Durable,
    /// What every answer to a buyer survives.
    pub(crate) durability: Durability,
    pub(crate) postgres: Arc<Postgres>,
    /// What this gateway knows of sales besides what Redis says.
    pub(crate) catalogue: Arc<Catalogue>,
    /// Does what takes a processor for long: one for all threads.
    pub(crate) pool: Pool,
    /// Makes payments: one for all threads.
    pub(crate) debits: Arc<Debits>,
    /// Whether everything is whole, for operators: one for all threads.
    pub(crate) audits: Arc<Audits>,
    /// What is wrong here, likewise.
    pub(crate) examinations: Arc<Examinations>,
    /// Wakes the relay: a sale has events.
    pub(crate) relay: RelayHandle,
    /// Brings back what Redis has forgotten.
    pub(crate) recovery: RecoveryHandle,
    /// The name of the transport's broker. None: it has none.
    pub(crate) broker: Option<&'static str>,
    /// Threads that have yet to try to reach PostgreSQL, of all of this gateway's.
    pub(crate) unprepared: Arc<AtomicUsize>,
    pub(crate) phase: watch::Receiver<Phase>,
    /// Takes those who watch a sale.
    pub(crate) events: Events,
    /// Webhooks may be at private addresses.
    pub(crate) webhooks_private: bool,
    /// What the program around this gateway can do, if there is anything.
    pub(crate) devtools: Option<Arc<dyn Devtools>>,
    /// Who waits for PostgreSQL.
    pub(crate) waits: Arc<Waits>,
    /// Which sales are known to be sold out.
    pub(crate) sold_out: Arc<SoldOut>,
    pub(crate) rate_limits: RateLimits,
    /// Proxies trusted for the client address.
    pub(crate) proxies: Proxies,
    /// How long a connection may rest between two requests.
    pub(crate) keep_alive: Duration,
    /// How long Redis may take to answer a call.
    pub(crate) redis_timeout: Duration,
    pub(crate) places: Places,
    /// The connections of each address.
    pub(crate) crowd: Crowd,
    /// Says to browsers that they are to come by TLS.
    pub(crate) hsts: Option<HeaderValue>,
    pub(crate) refused_log: RefusedLog,
    pub(crate) request_log: RequestLog,
}

impl App {
    /// Where there are none, their routes are not there either.
    pub(crate) fn devtools(&self) -> Result<&dyn Devtools, Problem> {
        Ok(self.devtools.as_deref().ok_or(Kind::NotFound)?)
    }

    /// Counts a request in the rate limits, before anything is done for it.
    ///
    /// # Errors
    /// When a policy refuses, or Redis cannot be asked.
    pub(crate) async fn count(&self, asked: &Asked, counted: &mut Counted, buyer: Option<&str>) -> Result<(), Problem> {
        let Target { route, sale, .. } = &asked.target;
        let asker = Asker { route, sale, address: asked.from };
        self.rate_limits.count(&self.redis, &asker, buyer, counted).await
    }
}

/// A request that was let through. Its body is empty where none was read yet.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) target: Target,
    pub(crate) caller: Caller,
    /// The client's address, as a trusted proxy says it.
    pub(crate) from: IpAddr,
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

impl Asked {
    /// The part after the question mark.
    pub(crate) fn query(&self) -> Option<&str> {
        self.head.uri.query()
    }

    /// Whether it is in the audit log: whatever an operator changes is.
    pub(crate) fn is_logged(&self) -> bool {
        let is_operators = self.target.access.is_operators() || matches!(self.caller, Caller::Operator(_));
        is_operators && !self.head.method.is_safe()
    }

    /// How long it may take, where a call to Redis may take so long.
    pub(crate) fn limit(&self, redis: Duration) -> Duration {
        match self.target.manner.is_slow {
            true => Duration::from_millis(LOOK_TIMEOUT_MS),
            false if self.is_logged() => redis + Duration::from_millis(CHANGE_REST_MS),
            false => redis + Duration::from_millis(REQUEST_REST_MS),
        }
    }
}
