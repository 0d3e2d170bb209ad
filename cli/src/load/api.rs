//! The gateway's HTTP API, as a client's program would use it: one connection, one request after another.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderName, RETRY_AFTER};
use hyper::{Method, Request, StatusCode};
use serde::Serialize;
use tokio::time::{sleep, timeout};

use super::endpoint::{Connection, Endpoint};
use super::stock::Sale;

/// An answer that is longer is none of a gateway's.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// How long an answer may take to what is asked once.
const ANSWER_TIMEOUT_MS: u64 = 30_000;
/// How long a gateway may take to be ready: Redis may just be starting again.
const READY_TIMEOUT_MS: u64 = 20_000;
/// Between two looks whether it is.
const READY_LOOK_MS: u64 = 20;

const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// What a request shows besides its body.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Shown<'a> {
    /// The sender's token or key.
    pub(super) token: Option<&'a str>,
    pub(super) idempotency_key: Option<&'a str>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    pub(super) retry_after_s: Option<u64>,
    pub(super) body: Bytes,
}

/// One HTTP connection.
pub(crate) struct Api {
    authority: String,
    connection: Connection,
}

impl Api {
    pub(crate) async fn connect(endpoint: &Endpoint) -> Result<Self> {
        Ok(Self { authority: endpoint.authority.clone(), connection: endpoint.connect().await? })
    }

    /// Whether it may be used again: a gateway closes connections that rest, and those that it has served for long.
    pub(super) fn is_open(&self) -> bool {
        !self.connection.is_closed()
    }

    /// Creates a sale at a gateway that may just be starting, or die meanwhile: then it is asked again.
    pub(crate) async fn open_sale(endpoint: &Endpoint, sale: &str, units: u64) -> Result<()> {
        let end = Instant::now() + Duration::from_millis(READY_TIMEOUT_MS);
        loop {
            Self::wait_for(endpoint).await?;
            let created = async { Self::connect(endpoint).await?.create_sale(sale, units).await };
            match created.await {
                Err(error) if Instant::now() >= end => return Err(error),
                Err(_) => sleep(Duration::from_millis(READY_LOOK_MS)).await,
                Ok(()) => return Ok(()),
            }
        }
    }

    /// The same sale again changes nothing.
    pub(crate) async fn create_sale(&mut self, sale: &str, units: u64) -> Result<()> {
        #[derive(Serialize)]
        struct Body<'a> {
            sale: &'a str,
            total: u64,
            journal_events_max: u64,
        }
        // Room for every order, so that the demo measures the way to PostgreSQL and not the journal's patience.
        let body = Body { sale, total: units, journal_events_max: units + 1 };
        self.ask(Method::POST, "/v1/sales", serde_json::to_vec(&body)?, &[StatusCode::CREATED, StatusCode::OK]).await?;
        Ok(())
    }

    pub(crate) async fn sale(&mut self, sale: &str) -> Result<Sale> {
        let answer = self.ask(Method::GET, &format!("/v1/sales/{sale}"), Vec::new(), &[StatusCode::OK]).await?;
        serde_json::from_slice(&answer).with_context(|| format!("{} did not return a sale", self.authority))
    }

    /// Waits until a gateway is ready. One that is starting has no PostgreSQL yet; between two lives no process
    /// listens.
    pub(crate) async fn wait_for(endpoint: &Endpoint) -> Result<()> {
        let is_ready = async || Self::connect(endpoint).await?.is_ready().await;
        let ready = async {
            while !matches!(is_ready().await, Ok(true)) {
                sleep(Duration::from_millis(READY_LOOK_MS)).await;
            }
        };
        let ready = timeout(Duration::from_millis(READY_TIMEOUT_MS), ready).await;
        ready.with_context(|| format!("the gateway was not ready within {READY_TIMEOUT_MS} ms"))
    }

    /// Whether the gateway is: just started, or without Redis, it is not.
    async fn is_ready(&mut self) -> Result<bool> {
        let answer = self.send(Method::GET, "/readyz", Shown::default(), Vec::new());
        let answer = timeout(Duration::from_millis(ANSWER_TIMEOUT_MS), answer).await?;
        Ok(answer?.status == StatusCode::OK)
    }

    async fn ask(&mut self, method: Method, path: &str, body: Vec<u8>, wanted: &[StatusCode]) -> Result<Bytes> {
        let asked = format!("{method} {path}");
        let answer =
            timeout(Duration::from_millis(ANSWER_TIMEOUT_MS), self.send(method, path, Shown::default(), body)).await;
        let answer = answer.unwrap_or_else(|_| Err(anyhow!("no answer within {ANSWER_TIMEOUT_MS} ms")));
        let Response { status, body: answer, .. } = answer.with_context(|| asked.clone())?;
        if !wanted.contains(&status) {
            bail!("{asked}: {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok(answer)
    }

    /// Sends a request.
    pub(super) async fn send(
        &mut self,
        method: Method,
        path: &str,
        shown: Shown<'_>,
        body: Vec<u8>,
    ) -> Result<Response> {
        self.connection.ready().await?;
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, &self.authority)
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = shown.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = shown.idempotency_key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        let answer = self.connection.send_request(request.body(Full::new(Bytes::from(body)))?).await?;
        let status = answer.status();
        let retry_after_s = answer.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX).collect().await;
        Ok(Response { status, retry_after_s, body: body.map_err(|error| anyhow!(error))?.to_bytes() })
    }
}
