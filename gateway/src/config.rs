//! What a gateway needs to know.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use flash_client::Durability;
use flash_tls::PairFiles;

use crate::devtools::Devtools;
use crate::http::{Host, Origin, Proxies};
use crate::identity::Auth;
use crate::ids::IdSecrets;
use crate::rate_limit::Policy;

/// What a gateway needs to know. The URLs hold passwords: they are never shown.
#[derive(Clone)]
pub struct Config {
    /// Where HTTP is served. Port 0 is any free one: [`Gateway::address`](crate::Gateway::address) tells which.
    pub listen: SocketAddr,
    /// Where operators are served, on a thread of their own and with keys of their own. None: nowhere, except where
    /// callers need no proof: there they share the buyers' listener.
    pub operator_listen: Option<SocketAddr>,
    /// What is shown to those who connect to `listen`, by TLS. None: they speak plain text.
    pub tls: Option<PairFiles>,
    /// The same of `operator_listen`.
    pub operator_tls: Option<PairFiles>,
    /// How buyers prove who they are.
    pub auth: Auth,
    /// Whether `auth` may be none on an address that other machines reach.
    pub auth_none_anywhere: bool,
    /// Where `auth` is none, the hosts that are served besides this machine's own, by the header `Host`.
    pub hosts: Vec<Host>,
    /// The origins whose pages may use the buyers' listener (CORS), at most
    /// [`CORS_ORIGINS_MAX`](crate::limits::CORS_ORIGINS_MAX). None: pages of its own host alone.
    pub cors_origins: Vec<Origin>,
    /// What ids of reservations are made with.
    pub id_secrets: IdSecrets,
    /// Redis with the module: `redis://[user:password@]host:port[/db]`.
    pub redis: String,
    /// How long Redis may take to answer a call. A request's deadline is that, and some time for PostgreSQL. Between
    /// [`REDIS_TIMEOUT_MS_MIN`](flash_client::REDIS_TIMEOUT_MS_MIN) and
    /// [`REDIS_TIMEOUT_MS_MAX`](flash_client::REDIS_TIMEOUT_MS_MAX).
    pub redis_timeout: Duration,
    /// PostgreSQL: `postgres://user:password@host:port/database`.
    pub postgres: String,
    /// Threads that serve HTTP, 1 to [`THREADS_MAX`](crate::limits::THREADS_MAX). The relay has one of its own.
    pub threads: usize,
    /// Requests that one thread works on at once, 1 to [`REQUESTS_MAX`](crate::limits::REQUESTS_MAX).
    pub requests_max: u32,
    /// How long a connection may rest between two requests, [`KEEP_ALIVE_MS_MIN`](crate::limits::KEEP_ALIVE_MS_MIN) to
    /// [`KEEP_ALIVE_MS_MAX`](crate::limits::KEEP_ALIVE_MS_MAX): longer than a balancer in front keeps it.
    pub keep_alive: Duration,
    /// Connections that one address may have here, unless it is a trusted proxy's; 0: any number.
    pub connections_per_address: u32,
    /// Streams of live stock that one address may have here; 0: any number.
    pub streams_per_address: u32,
    /// Seconds for which browsers must use TLS (HSTS). None: no such header.
    pub hsts_max_age_s: Option<u32>,
    /// How often whom may ask for what; at most [`POLICIES_MAX`](crate::POLICIES_MAX), each with a name of its own.
    pub rate_limits: Vec<Policy>,
    /// Proxies trusted for the client address.
    pub proxies: Proxies,
    /// Consecutive events of a sale that travel in one message, 1 to [`RUN_EVENTS_MAX`](flash_relay::RUN_EVENTS_MAX).
    pub run_max: u64,
    /// How long a gateway that is to stop still takes requests while `/readyz` says that it is not ready, so that load
    /// balancers send no more of them. Zero where there is none.
    pub drain_notice: Duration,
    /// How long a journal may show no progress before its events are written to PostgreSQL past the transport.
    pub sweep_after: Duration,
    /// Webhooks may be at addresses that only this network reaches.
    pub webhooks_private: bool,
    /// One in so many requests has a line in the log, besides those that are answered with a 5xx; 0: none has, nor have
    /// they.
    pub log_sample: u64,
    /// The authorities, in a PEM file, by which receivers of webhooks are trusted. None: the public ones.
    pub webhooks_cacert: Option<PathBuf>,
    /// What every answer to a buyer survives. A request may ask for more.
    pub durability: Durability,
    /// What the program around this gateway can do for developers. None: nothing, and the routes for that are not
    /// there.
    pub devtools: Option<Arc<dyn Devtools>>,
}
