//! The gateway as a whole: its threads, and how they start and stop together.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use flash_client::{Client, Durable};
use flash_payments::{Debits, Payments};
use flash_recovery::{Asked, Recovery, RecoveryHandle, Sweep};
use flash_relay::{RelayHandle, Wishes, relay};
use flash_tls::PairFiles;
use flash_transport::Transport;
use flash_webhooks::Webhooks;
use flash_worker::{Phase, Worker};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::audits::Audits;
use crate::catalogue::Catalogue;
use crate::certificates::{Certificates, Shown};
use crate::config::Config;
use crate::crowd::Crowd;
use crate::events::{self, Events, Newcomer, Rooms};
use crate::examinations::Examinations;
use crate::http::{
    self, App, Door, Gate, Hosts, Origins, Places, RateLimits, RefusedLog, RequestLog, Rules, Site, Surface,
};
use crate::identity::{ApiKeys, Auth, Strikes, TokenKeys, TokenKeysFile, Tokens};
use crate::ids::Ids;
use crate::limits::{KEY_QUERIES_MAX, STOP_TIMEOUT_MS};
use crate::persistence::Waits;
use crate::pool::Pool;
use crate::postgres::Postgres;
use crate::sold_out::SoldOut;
use crate::start::{self, StartError};

/// A running gateway. Dropped, it stops in the background; [`Gateway::stop`] waits for it.
#[derive(Debug)]
pub struct Gateway {
    address: SocketAddr,
    operator_address: Option<SocketAddr>,
    phase: watch::Sender<Phase>,
    drain_notice: Duration,
    servers: Vec<Worker>,
    relay: Worker,
    recovery: Worker,
    watchers: Worker,
    webhooks: Worker,
    handle: RelayHandle,
}

impl Gateway {
    /// Starts to serve, and to relay by `transport`. Redis, PostgreSQL and the transport's broker may be away: the
    /// gateway says so to those who ask, and connects as they come.
    ///
    /// # Errors
    /// See [`StartError`].
    pub fn start(config: Config, transport: impl Transport) -> Result<Self, StartError> {
        start::check(&config)?;
        let (address, listeners) = open(config.listen, config.threads)?;
        let operators = config.operator_listen.map(|listen| open(listen, 1)).transpose()?;
        let operator_address = operators.as_ref().map(|(address, _)| *address);
        let mut certificates = Certificates::default();
        let mut show = |files: Option<&PairFiles>| files.map(|files| certificates.open(files)).transpose();
        let (shown, shown_to_operators) = (show(config.tls.as_ref())?, show(config.operator_tls.as_ref())?);
        let (phase, receiver) = watch::channel(Phase::Serving);
        let (handle, wishes) = flash_relay::handle();
        let (recovery, asked) = flash_recovery::handle();
        let (keys, file) = TokenKeysFile::open(&config.auth)?;
        let unprepared = listeners.len() + operators.as_ref().map_or(0, |(_, listeners)| listeners.len());
        let (events, newcomers) = events::handle(Crowd::new(config.streams_per_address));
        let broker = transport.broker();
        let shared = Shared {
            ids: Ids::new(&config.id_secrets, !matches!(config.auth, Auth::None))?,
            config: config.clone(),
            rules: Rules::new(config.rate_limits.clone()),
            phase: receiver,
            keys,
            relay: handle.clone(),
            recovery,
            events,
            catalogue: Arc::new(Catalogue::new()),
            pool: Pool::start()?,
            crowd: Crowd::new(config.connections_per_address),
            strikes: Arc::new(Strikes::new()),
            debits: Arc::new(Debits::new(config.postgres.clone())),
            audits: Arc::new(Audits::new(config.postgres.clone())),
            broker: broker.as_ref().map(|broker| broker.name()),
            examinations: Arc::new(Examinations::new(&config, broker)),
            unprepared: Arc::new(AtomicUsize::new(unprepared)),
        };
        shared.warn_of_auth(address);
        let relay = shared.clone().start_relay(transport, wishes)?;
        let recovery = shared.clone().start_recovery(asked, file, certificates)?;
        let watchers = shared.clone().start_watchers(newcomers)?;
        let webhooks = shared.clone().start_webhooks()?;
        let mut servers = Vec::new();
        for (at, listener) in listeners.into_iter().enumerate() {
            let (name, shown) = (format!("flash-http-{at}"), shown.clone());
            servers.push(shared.clone().start_server(name, listener, shown, Shared::buyers)?);
        }
        for listener in operators.into_iter().flat_map(|(_, listeners)| listeners) {
            let (name, shown) = ("flash-operator".to_owned(), shown_to_operators.clone());
            servers.push(shared.clone().start_server(name, listener, shown, Shared::operators)?);
        }
        let drain_notice = config.drain_notice;
        Ok(Self {
            address,
            operator_address,
            phase,
            drain_notice,
            servers,
            relay,
            recovery,
            watchers,
            webhooks,
            handle,
        })
    }

    /// Where HTTP is served.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where operators are served, if it is apart from the buyers.
    #[must_use]
    pub const fn operator_address(&self) -> Option<SocketAddr> {
        self.operator_address
    }

    /// Speaks to this gateway's relay.
    #[must_use]
    pub const fn relay(&self) -> &RelayHandle {
        &self.handle
    }

    /// Stops: says so on `/readyz` for a while, finishes the requests that it has, relays what they reserved.
    pub async fn stop(self) {
        self.phase.send_replace(Phase::Draining);
        sleep(self.drain_notice).await;
        self.phase.send_replace(Phase::Stopping);
        self.watchers.end(Duration::from_millis(STOP_TIMEOUT_MS)).await;
        self.webhooks.end(Duration::from_millis(STOP_TIMEOUT_MS)).await;
        for server in self.servers {
            server.end(Duration::from_millis(STOP_TIMEOUT_MS)).await;
        }
        self.phase.send_replace(Phase::Flushing);
        self.recovery.end(flash_recovery::STOP_TIMEOUT).await;
        self.relay.end(flash_relay::STOP_TIMEOUT).await;
    }
}

/// What the threads are started with.
#[derive(Clone)]
struct Shared {
    config: Config,
    rules: Rules,
    ids: Ids,
    phase: watch::Receiver<Phase>,
    /// What tokens are verified with; none is looked at where buyers show none.
    keys: watch::Receiver<Arc<TokenKeys>>,
    relay: RelayHandle,
    recovery: RecoveryHandle,
    events: Events,
    /// The name of the transport's broker, if it has one.
    broker: Option<&'static str>,
    catalogue: Arc<Catalogue>,
    pool: Pool,
    crowd: Crowd,
    strikes: Arc<Strikes>,
    debits: Arc<Debits>,
    audits: Arc<Audits>,
    examinations: Arc<Examinations>,
    unprepared: Arc<AtomicUsize>,
}

impl Shared {
    fn redis(&self) -> Result<Client, flash_client::UrlError> {
        Client::connect_within(&self.config.redis, self.config.redis_timeout)
    }

    fn start_relay(self, transport: impl Transport, wishes: Wishes) -> Result<Worker, StartError> {
        Worker::start("flash-relay".to_owned(), move || {
            Ok(relay(self.redis()?, transport, self.config.run_max, wishes, self.phase))
        })
    }

    fn start_recovery(
        self,
        asked: Asked,
        file: TokenKeysFile,
        certificates: Certificates,
    ) -> Result<Worker, StartError> {
        Worker::start("flash-recovery".to_owned(), move || {
            let redis = self.redis()?;
            let sweep = Sweep::new(redis.clone(), self.config.postgres.clone(), self.config.sweep_after);
            let payments = Payments::new(redis.clone(), self.config.postgres.clone());
            let recovery = Recovery::new(redis, self.config.postgres, self.relay, asked);
            Ok(async move {
                let (swept, file) = (sweep.run(self.phase.clone()), file.watch(self.phase.clone()));
                let watched = certificates.watch(self.phase.clone());
                tokio::join!(swept, file, watched, payments.run(self.phase.clone()), recovery.run(self.phase));
            })
        })
    }

    fn start_watchers(self, newcomers: mpsc::Receiver<Newcomer>) -> Result<Worker, StartError> {
        Worker::start("flash-events".to_owned(), move || {
            let redis = self.redis()?;
            Ok(Rooms::new(redis, newcomers).run(self.phase))
        })
    }

    fn start_webhooks(self) -> Result<Worker, StartError> {
        Worker::start("flash-webhooks".to_owned(), move || {
            let trusts = flash_tls::trust(self.config.webhooks_cacert.as_deref())?;
            let webhooks = Webhooks::new(self.config.postgres, self.config.webhooks_private, trusts);
            Ok(webhooks.run(self.phase))
        })
    }

    /// What buyers meet. Without authentication and without an operators' listener, operators are served
    /// here.
    fn buyers(&self) -> (Surface, Gate) {
        let gate = match &self.config.auth {
            Auth::None => Gate::Open,
            Auth::Jwt(_) => Gate::Tokens(Tokens::new(self.keys.clone())),
            Auth::ApiKey => Gate::Keys(self.api_keys()),
        };
        let serves_operators = matches!(gate, Gate::Open) && self.config.operator_listen.is_none();
        (if serves_operators { self.whole() } else { Surface::Buyers }, gate)
    }

    fn operators(&self) -> (Surface, Gate) {
        (self.whole(), Gate::Operators(self.api_keys()))
    }

    fn whole(&self) -> Surface {
        if self.config.devtools.is_some() { Surface::Devtools } else { Surface::Whole }
    }

    fn api_keys(&self) -> ApiKeys {
        ApiKeys::new(Postgres::with(self.config.postgres.clone(), KEY_QUERIES_MAX), self.strikes.clone())
    }

    fn warn_of_auth(&self, address: SocketAddr) {
        if !matches!(self.config.auth, Auth::None) {
            return;
        }
        let may = if self.config.operator_listen.is_none() { "any buyer and any operator" } else { "any buyer" };
        tracing::warn!(%address, "auth is none: any client may act as {may}; for development only");
    }

    fn start_server(
        self,
        name: String,
        listener: std::net::TcpListener,
        shown: Option<Shown>,
        of: fn(&Self) -> (Surface, Gate),
    ) -> Result<Worker, StartError> {
        Worker::start(name, move || {
            let durable = Durable::connect_within(&self.config.redis, self.config.redis_timeout)?;
            http::warn_of_durability(durable.clone(), self.config.durability);
            let redis = self.redis()?;
            let (surface, gate) = of(&self);
            let is_operators = gate.is_operators();
            let app = App {
                surface,
                gate,
                hosts: Hosts::new(&self.config.hosts, self.config.listen),
                // Operators use pages of their own listener.
                origins: Origins::new(if is_operators { Vec::new() } else { self.config.cors_origins }),
                ids: self.ids,
                events: self.events,
                webhooks_private: self.config.webhooks_private,
                devtools: self.config.devtools,
                waits: Waits::new(redis.clone()),
                sold_out: SoldOut::new(),
                redis,
                durable,
                durability: self.config.durability,
                postgres: Arc::new(Postgres::new(self.config.postgres)),
                catalogue: self.catalogue,
                pool: self.pool,
                crowd: self.crowd,
                hsts: self.config.hsts_max_age_s.and_then(|age| format!("max-age={age}").try_into().ok()),
                refused_log: RefusedLog::default(),
                debits: self.debits,
                audits: self.audits,
                examinations: self.examinations,
                unprepared: self.unprepared,
                relay: self.relay,
                recovery: self.recovery,
                broker: self.broker,
                phase: self.phase.clone(),
                rate_limits: RateLimits::new(self.rules),
                proxies: self.config.proxies,
                keep_alive: self.config.keep_alive,
                redis_timeout: self.config.redis_timeout,
                places: Places::new(self.config.requests_max),
                request_log: RequestLog::new(self.config.log_sample),
            };
            let door = Door { listener: TcpListener::from_std(listener)?, shown };
            let site = Site::new(app).map_err(|error| StartError::Routes(error.to_string()))?;
            Ok(http::serve(door, site, self.phase))
        })
    }
}

fn open(address: SocketAddr, count: usize) -> Result<(SocketAddr, Vec<std::net::TcpListener>), StartError> {
    let listeners = http::listener::open(address, count).map_err(|source| StartError::Listen { address, source })?;
    Ok((listeners.first().ok_or(StartError::Threads(0))?.local_addr()?, listeners))
}
