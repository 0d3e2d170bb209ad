//! Sends one delivery, and looks at nothing but the status of its answer. Redirects are not followed: who moves, says so to
//! the operator.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flash_vault::Delivery;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::{InvalidDnsNameError, ServerName};

use super::body::body;
use super::events::{ID, SIGNATURE, TIMESTAMP};
use super::sign::signature;
use super::target::{Target, TargetError};
use crate::clock::now_ms;
use crate::limits::{DELIVERY_TIMEOUT_MS, RECEIVER_HEAD_BYTES_MAX};

const AGENT: &str = concat!("flash/", env!("CARGO_PKG_VERSION"));

/// What all deliveries share.
pub(super) struct Sender {
    tls: TlsConnector,
    private: bool,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum SendError {
    #[error("no answer within {DELIVERY_TIMEOUT_MS} ms")]
    TimedOut,
    #[error("its URL {0}")]
    Target(#[from] TargetError),
    #[error("it cannot be reached: {0}")]
    Connect(#[from] io::Error),
    #[error("its name is none: {0}")]
    Name(#[from] InvalidDnsNameError),
    #[error("its answer cannot be read: {0}")]
    Http(#[from] hyper::Error),
    #[error("the request cannot be made: {0}")]
    Request(#[from] hyper::http::Error),
    #[error("its secret is none")]
    Secret,
}

impl Sender {
    pub(super) fn new(private: bool, trusts: Arc<ClientConfig>) -> Self {
        Self { tls: TlsConnector::from(trusts), private }
    }

    /// Gives the status that the receiver answers.
    pub(super) async fn send(&self, delivery: &Delivery) -> Result<u16, SendError> {
        let limit = Duration::from_millis(DELIVERY_TIMEOUT_MS);
        timeout(limit, self.try_send(delivery)).await.unwrap_or(Err(SendError::TimedOut))
    }

    async fn try_send(&self, delivery: &Delivery) -> Result<u16, SendError> {
        let target = Target::read(&delivery.url, self.private)?;
        let request = request(&target, delivery)?;
        let address = Target::choose(lookup_host((target.host.as_str(), target.port)).await?, self.private)?;
        let stream = TcpStream::connect(address).await?;
        if target.is_https {
            let name = ServerName::try_from(target.host)?;
            return exchange(self.tls.connect(name, stream).await?, request).await;
        }
        exchange(stream, request).await
    }
}

fn request(target: &Target, delivery: &Delivery) -> Result<Request<Full<Bytes>>, SendError> {
    let (body, id, timestamp_s) = (body(delivery), format!("msg_{}", delivery.id), now_ms() / 1_000);
    let signature = signature(&delivery.secret, &id, timestamp_s, &body).ok_or(SendError::Secret)?;
    let request = Request::builder()
        .method(Method::POST)
        .uri(&target.path)
        .header(HOST, &target.authority)
        .header(USER_AGENT, AGENT)
        .header(CONTENT_TYPE, "application/json")
        .header(ID, id)
        .header(TIMESTAMP, timestamp_s)
        .header(SIGNATURE, signature);
    Ok(request.body(Full::new(body.into()))?)
}

/// One request on a connection of its own, which ends with the head of the answer: whatever body follows is not read.
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<u16, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(RECEIVER_HEAD_BYTES_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    let mut answer = pin!(sender.send_request(request));
    let answer = tokio::select! {
        answer = &mut answer => answer,
        // A receiver may close the connection right behind its answer. Without one, the request says what was wrong.
        _ended = connection => answer.await,
    };
    Ok(answer?.status().as_u16())
}
