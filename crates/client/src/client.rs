//! The client: sends calls, reads outcomes.

use std::sync::Arc;
use std::time::Duration;

use flash_wire::reply;
use flash_wire::{Answer, Outcome};
use redis::Value;
use tokio::sync::{Semaphore, SemaphorePermit, watch};

use crate::call::{Call, REDIS_TIMEOUT_MS};
use crate::connection::{self, State};
use crate::deadline::Deadline;
use crate::error::{CallError, Unavailable, UrlError};
use crate::limits::CALLS_IN_FLIGHT_MAX;
use crate::multiplexed::Multiplexed;
use crate::target::Target;
use crate::value;

/// Calls that one round trip carries; [`Client::calls`] makes as many round trips as it needs.
pub const CALLS_PER_PIPELINE_MAX: usize = 256;

/// One multiplexed connection to Redis. It is cheap to clone, and a clone shares the connection: a thread that calls
/// often makes its own client, in its own runtime, for waking another thread costs more than the call.
#[derive(Debug, Clone)]
pub struct Client {
    state: watch::Receiver<State>,
    in_flight: Arc<Semaphore>,
    /// Of a call that has no limit of its own.
    timeout: Duration,
}

impl Client {
    /// A client that connects in the background, and again whenever the connection is lost. It must be made within the
    /// tokio runtime that will drive the connection; the connection ends with the last clone.
    ///
    /// # Errors
    /// When the URL cannot be read. [`Client::call`] reports that Redis cannot be reached.
    pub fn connect(url: &str) -> Result<Self, UrlError> {
        Self::connect_within(url, Duration::from_millis(REDIS_TIMEOUT_MS))
    }

    /// The same, and a call may take so long.
    ///
    /// # Errors
    /// When the URL cannot be read.
    pub fn connect_within(url: &str, timeout: Duration) -> Result<Self, UrlError> {
        let target = Target::read(url)?;
        let (sender, state) = watch::channel(Err(Unavailable::NotConnectedYet));
        tokio::spawn(connection::keep(target, timeout, sender));
        Ok(Self { state, in_flight: Arc::new(Semaphore::new(CALLS_IN_FLIGHT_MAX)), timeout })
    }

    /// Whether there is a connection, as far as is known.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.state.borrow().is_ok()
    }

    /// Waits until there is a connection. It may wait for ever: set a deadline.
    pub async fn connected(&self) {
        // It ends early only if the keeper of the connection is gone with its runtime.
        let _ = self.state.clone().wait_for(Result::is_ok).await;
    }

    /// Sends one call, and waits for its outcome no longer than its limit and the [`Deadline`] of the work that asks.
    /// Nothing is ever sent again: whether that is safe, only the caller knows. Dropped, the call may still be carried
    /// out.
    ///
    /// # Errors
    /// See [`CallError`]: it tells "nothing was changed" from "unknown".
    pub async fn call<T: Answer>(&self, call: Call<T>) -> Result<Outcome<T>, CallError> {
        let _permit = self.permit()?;
        let limit = self.limit(call.timeout)?;
        outcome(self.connection()?.send(call.command, limit).await?)
    }

    /// Sends many calls in few round trips; the outcomes come in the calls' order. One that fails does not touch the
    /// others, unless the connection fails.
    pub async fn calls<T: Answer>(&self, calls: Vec<Call<T>>) -> Vec<Result<Outcome<T>, CallError>> {
        let mut outcomes = Vec::with_capacity(calls.len());
        let mut calls = calls.into_iter().peekable();
        while calls.peek().is_some() {
            let some: Vec<_> = calls.by_ref().take(CALLS_PER_PIPELINE_MAX).collect();
            let count = some.len();
            match self.round_trip(some).await {
                Ok(values) => outcomes.extend(values.into_iter().map(outcome)),
                Err(error) => outcomes.extend(std::iter::repeat_with(|| Err(error.clone())).take(count)),
            }
        }
        outcomes
    }

    async fn round_trip<T>(&self, calls: Vec<Call<T>>) -> Result<Vec<Value>, CallError> {
        let _permit = self.permit()?;
        let limit = self.limit(calls.iter().filter_map(|call| call.timeout).max())?;
        self.connection()?.send_all(calls.into_iter().map(|call| call.command).collect(), limit).await
    }

    pub(crate) fn permit(&self) -> Result<SemaphorePermit<'_>, CallError> {
        self.in_flight.try_acquire().map_err(|_| CallError::Unavailable(Unavailable::Full))
    }

    /// How long a call may take whose own limit is `own`.
    pub(crate) fn limit(&self, own: Option<Duration>) -> Result<Duration, CallError> {
        Deadline::within(own.unwrap_or(self.timeout)).ok_or_else(no_time)
    }

    pub(crate) fn connection(&self) -> Result<Multiplexed, CallError> {
        self.state.borrow().clone().map_err(CallError::Unavailable)
    }
}

pub(crate) fn no_time() -> CallError {
    CallError::Unavailable(Unavailable::NoTime)
}

/// Reads a reply.
pub(crate) fn outcome<T: Answer>(value: Value) -> Result<Outcome<T>, CallError> {
    if let Value::ServerError(error) = &value {
        return Err(CallError::of_reply(error));
    }
    Ok(reply::read(value::of_reply(value)?)?)
}

#[cfg(test)]
mod tests {
    use flash_wire::{EndHoldAnswer, Refusal, Unreadable};

    use super::*;

    fn check(reply: &str, want: Result<Outcome<EndHoldAnswer>, CallError>) {
        let value = redis::parse_redis_value(reply.as_bytes()).unwrap();
        assert_eq!(outcome(value), want, "{reply}");
    }

    #[test]
    fn a_reply_is_an_answer_a_refusal_or_an_error_that_says_what_is_known() {
        check("*2\r\n+RELEASED\r\n:7\r\n", Ok(Ok(EndHoldAnswer::Released { id: 7 })));
        check("*1\r\n$7\r\nEXPIRED\r\n", Ok(Err(Refusal::Expired)));
        let (field, rule) = ("id".to_owned(), "must be 1 to 9".to_owned());
        check("-INVALID id must be 1 to 9\r\n", Err(CallError::Invalid { field, rule }));
        let (code, detail) = ("LOADING".to_owned(), "wait".to_owned());
        check("-LOADING wait\r\n", Err(CallError::Failed { code, detail }));
        let (code, detail) = ("WRONGTYPE".to_owned(), "another kind".to_owned());
        check("-WRONGTYPE another kind\r\n", Err(CallError::Failed { code, detail }));
        check("*1\r\n+WHAT\r\n", Err(CallError::Unreadable(Unreadable { what: "code" })));
        check("$-1\r\n", Err(CallError::Unreadable(Unreadable { what: "reply" })));
    }

    #[tokio::test]
    async fn without_a_server_a_call_is_unavailable_and_says_why() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        drop(listener);
        let mut client = Client::connect(&format!("redis://ada:secret@127.0.0.1:{port}")).unwrap();
        client.state.changed().await.unwrap();
        let error = client.call(Call::confirm("drop", 1)).await.unwrap_err();
        let CallError::Unavailable(Unavailable::Unreachable { kind, why }) = error else { panic!("{error}") };
        assert_eq!(kind, std::io::ErrorKind::ConnectionRefused);
        assert!(why.contains("refused") && !why.contains("secret"), "{why}");
    }

    #[test]
    fn a_bad_url_is_refused_without_showing_its_password() {
        for url in
            ["", "host", "http://ada:secret@host", "redis://ada:secret@host:port", "rediss://ada:secret@host:port"]
        {
            let error = Client::connect(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("secret"), "{url}: {error}");
        }
    }
}
