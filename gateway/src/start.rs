//! Whether a gateway can start with what it was given, and why it did not.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use flash_client::{REDIS_TIMEOUT_MS_MAX, REDIS_TIMEOUT_MS_MIN, UrlError};
use flash_relay::RUN_EVENTS_MAX;
use flash_tls::ShowError;

use crate::config::Config;
use crate::identity::{Auth, KeysError};
use crate::ids::ShortSecret;
use crate::limits::{KEEP_ALIVE_MS_MAX, KEEP_ALIVE_MS_MIN, REQUESTS_MAX, THREADS_MAX};
use crate::rate_limit::{self, POLICIES_MAX};

/// Why a gateway did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The number of events in a message is out of its bounds.
    #[error("run_max must be 1 to {RUN_EVENTS_MAX}, not {0}")]
    RunMax(u64),
    /// The number of threads is out of its bounds.
    #[error("threads must be 1 to {THREADS_MAX}, not {0}")]
    Threads(usize),
    /// The number of requests at once is out of its bounds.
    #[error("requests_max must be 1 to {REQUESTS_MAX}, not {0}")]
    Requests(u32),
    /// The limit for Redis is out of its bounds.
    #[error("redis_timeout must be {REDIS_TIMEOUT_MS_MIN} to {REDIS_TIMEOUT_MS_MAX} ms, not {0:?}")]
    RedisTimeout(Duration),
    /// Everyone who reaches the address could act as anyone.
    #[error(
        "auth is none and {0} is not this machine alone (127.0.0.1, ::1): any client may act as any buyer and \
         any operator; choose another auth or address, or say it twice: --auth-none-anywhere"
    )]
    Anywhere(SocketAddr),
    /// The rest of a connection is out of its bounds.
    #[error("keep_alive must be {KEEP_ALIVE_MS_MIN} to {KEEP_ALIVE_MS_MAX} ms, not {0:?}")]
    KeepAlive(Duration),
    /// There are too many policies, or two of one name: this one.
    #[error("at most {POLICIES_MAX} rate limits are allowed, each with a unique name: see {0}")]
    RateLimits(String),
    /// The address cannot be had.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// What was asked for.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// Redis' URL cannot be read.
    #[error(transparent)]
    Redis(#[from] UrlError),
    /// What is to be shown to those who connect cannot be used.
    #[error("TLS: {0}")]
    Certificate(#[from] ShowError),
    /// The authorities of webhooks' receivers cannot be used.
    #[error("webhooks: {0}")]
    Trust(#[from] flash_tls::Error),
    /// What tokens are signed with cannot be used.
    #[error("the keys for tokens: {0}")]
    Keys(#[from] KeysError),
    /// A secret for ids is too short.
    #[error(transparent)]
    IdSecret(#[from] ShortSecret),
    /// A thread cannot be had.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] io::Error),
    /// The table of routes contradicts itself: a bug.
    #[error("the table of routes: {0}")]
    Routes(String),
}

/// Checks that what is bounded is within its bounds.
///
/// # Errors
/// Names what is not.
pub(crate) fn check(config: &Config) -> Result<(), StartError> {
    if !(1..=THREADS_MAX).contains(&config.threads) {
        return Err(StartError::Threads(config.threads));
    }
    let keep_alive = Duration::from_millis(KEEP_ALIVE_MS_MIN)..=Duration::from_millis(KEEP_ALIVE_MS_MAX);
    if !keep_alive.contains(&config.keep_alive) {
        return Err(StartError::KeepAlive(config.keep_alive));
    }
    let is_open = matches!(config.auth, Auth::None) && !config.auth_none_anywhere;
    if is_open && !config.listen.ip().to_canonical().is_loopback() {
        return Err(StartError::Anywhere(config.listen));
    }
    if !(1..=RUN_EVENTS_MAX).contains(&config.run_max) {
        return Err(StartError::RunMax(config.run_max));
    }
    if !(1..=REQUESTS_MAX).contains(&config.requests_max) {
        return Err(StartError::Requests(config.requests_max));
    }
    let redis_timeout = Duration::from_millis(REDIS_TIMEOUT_MS_MIN)..=Duration::from_millis(REDIS_TIMEOUT_MS_MAX);
    if !redis_timeout.contains(&config.redis_timeout) {
        return Err(StartError::RedisTimeout(config.redis_timeout));
    }
    if let Some(policy) = rate_limit::superfluous(&config.rate_limits) {
        return Err(StartError::RateLimits(policy.name().to_owned()));
    }
    Ok(())
}
