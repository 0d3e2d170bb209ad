//! Sends one delivery, and looks at nothing but the status of its answer. Redirects are not followed: who moves, says
//! so to the operator.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use flash_vault::Delivery;
use flash_worker::now_ms;
use http_body_util::Full;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST, RETRY_AFTER, USER_AGENT};
use hyper::{Method, Request};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::{InvalidDnsNameError, ServerName};

use crate::body::body;
use crate::events::{ID, SIGNATURE, TIMESTAMP};
use crate::limits::{DELIVERY_TIMEOUT_MS, RECEIVER_HEAD_BYTES_MAX};
use crate::sign::signatures;
use crate::target::{Target, TargetError};

const AGENT: &str = concat!("flash/", env!("CARGO_PKG_VERSION"));

/// What all deliveries share.
pub(crate) struct Sender {
    tls: TlsConnector,
    private: bool,
}

/// What a receiver answered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answered {
    pub(crate) status: u16,
    /// When it wants to be asked again, in seconds from now.
    pub(crate) retry_after_s: Option<u64>,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
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
    pub(crate) fn new(private: bool, trusts: Arc<ClientConfig>) -> Self {
        Self { tls: TlsConnector::from(trusts), private }
    }

    /// Gives what the receiver answers.
    pub(crate) async fn send(&self, delivery: &Delivery) -> Result<Answered, SendError> {
        let limit = Duration::from_millis(DELIVERY_TIMEOUT_MS);
        timeout(limit, self.try_send(delivery)).await.unwrap_or(Err(SendError::TimedOut))
    }

    async fn try_send(&self, delivery: &Delivery) -> Result<Answered, SendError> {
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

/// The id of an announcement: the same at each attempt and from each gateway. No sale has a NUL in its name.
fn message_id(delivery: &Delivery) -> String {
    let Delivery { webhook, sale, reservation, kind, .. } = delivery;
    let hash = Sha256::digest(format!("{webhook}\0{sale}\0{reservation}\0{kind}"));
    let id = hash.first_chunk().map_or(0, |id| u128::from_be_bytes(*id));
    format!("msg_{id:032x}")
}

fn request(target: &Target, delivery: &Delivery) -> Result<Request<Full<Bytes>>, SendError> {
    let (body, id, timestamp_s) = (body(delivery), message_id(delivery), now_ms() / 1_000);
    let secrets = [&delivery.secret].into_iter().chain(&delivery.old_secret).map(String::as_str);
    let signature = signatures(secrets, &id, timestamp_s, &body).ok_or(SendError::Secret)?;
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
async fn exchange<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answered, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(RECEIVER_HEAD_BYTES_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    let mut answer = pin!(sender.send_request(request));
    let answer = tokio::select! {
        answer = &mut answer => answer,
        // A receiver may close the connection right after its answer. Without one, the request says what was wrong.
        _ended = connection => answer.await,
    };
    let answer = answer?;
    let retry_after_s = answer.headers().get(RETRY_AFTER).and_then(|value| retry_after_s(value.to_str().ok()?));
    Ok(Answered { status: answer.status().as_u16(), retry_after_s })
}

/// Seconds, or a date (RFC 9110, section 10.2.3).
fn retry_after_s(value: &str) -> Option<u64> {
    if let Ok(seconds) = value.parse() {
        return Some(seconds);
    }
    let at = httpdate::parse_http_date(value).ok()?;
    Some(at.duration_since(SystemTime::now()).unwrap_or_default().as_secs())
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[test]
    fn a_receiver_says_when_in_seconds_or_by_a_date() {
        let in_an_hour = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3_600));
        assert!(retry_after_s(&in_an_hour).is_some_and(|seconds| (3_590..=3_600).contains(&seconds)));
        for (value, want) in [("120", Some(120)), ("0", Some(0)), ("Sun, 06 Nov 1994 08:49:37 GMT", Some(0))] {
            assert_eq!(retry_after_s(value), want, "{value}");
        }
        for value in ["", "-1", "1.5", "soon", "99999999999999999999"] {
            assert_eq!(retry_after_s(value), None, "{value}");
        }
    }

    /// Whatever a receiver answers, an attempt ends, reads no more than a head, and goes nowhere else.
    #[tokio::test(start_paused = true)]
    async fn a_hostile_receiver_costs_no_more_than_an_attempt() {
        let long = format!("HTTP/1.1 200 OK\r\nx: {}\r\n\r\n", "y".repeat(2 * RECEIVER_HEAD_BYTES_MAX));
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "x: y\r\n".repeat(10_000));
        let table: [(&str, Option<u16>); 13] = [
            ("HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", Some(302)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\nendless", Some(200)),
            ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", Some(200)),
            ("HTTP/1.1 204 No Content\r\n\r\n", Some(204)),
            ("HTTP/1.1 503 Away\r\nRetry-After: 99999999999999999999\r\nContent-Length: 0\r\n\r\n", Some(503)),
            ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", None),
            ("HTTP/1.1 999999 OK\r\n\r\n", None),
            ("SSH-2.0-OpenSSH_9.2\r\n", None),
            ("\0\0\0", None),
            ("HTTP/1.1 20", None),
            ("", None),
            (&long, None),
            (&many, None),
        ];
        for (answer, want) in table {
            let (near, mut far) = tokio::io::duplex(64 * 1024);
            let answers = async {
                // It may be hung up on before all of it is sent.
                let _ = far.write_all(answer.as_bytes()).await;
                let _ = far.shutdown().await;
                let mut asked = Vec::new();
                let _ = far.read_to_end(&mut asked).await;
            };
            let request = Request::post("/").header(HOST, "h").body(Full::new(Bytes::new())).unwrap();
            let attempt = async { exchange(near, request).await.ok().map(|answered| answered.status) };
            let both = timeout(Duration::from_secs(5), futures_util::future::join(attempt, answers));
            let (got, ()) = both.await.expect("an attempt ends");
            assert_eq!(got, want, "{:?}", &answer[..answer.len().min(60)]);
        }
    }

    #[test]
    fn an_end_has_one_id_for_each_webhook() {
        let delivery = |webhook, sale: &str, reservation, kind: &str| Delivery {
            webhook,
            sale: sale.to_owned(),
            reservation,
            kind: kind.to_owned(),
            ..crate::body::example_delivery(kind)
        };
        let id = message_id(&delivery(1, "drop", 7, "order.confirmed"));
        assert_eq!(id, message_id(&Delivery { id: 99, attempt: 3, ..delivery(1, "drop", 7, "order.confirmed") }));
        assert!(id.len() == "msg_".len() + 32 && id.starts_with("msg_"), "{id}");
        for other in [
            delivery(2, "drop", 7, "order.confirmed"),
            delivery(1, "drops", 7, "order.confirmed"),
            delivery(1, "drop", 8, "order.confirmed"),
            delivery(1, "drop", 7, "order.released"),
        ] {
            assert_ne!(id, message_id(&other));
        }
    }
}
