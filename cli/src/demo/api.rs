//! The gateway's HTTP API, as a buyer's program would use it: one connection, one request after another.

use std::net::SocketAddr;

use anyhow::{Context, Result, bail};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use serde::{Deserialize, Serialize};
use tokio::net::TcpStream;

use super::report::Stock;

/// One HTTP connection.
pub(crate) struct Api {
    host: String,
    connection: SendRequest<Full<Bytes>>,
}

/// What came of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// The buyer has one.
    Reserved,
    /// The buyer has one since an earlier request.
    Replayed,
    /// There are none left.
    SoldOut,
    /// Anything else.
    Other,
}

impl Api {
    pub(crate) async fn connect(gateway: SocketAddr) -> Result<Self> {
        let stream = TcpStream::connect(gateway).await.context("cannot connect to the gateway")?;
        stream.set_nodelay(true)?;
        let (connection, driver) = handshake(TokioIo::new(stream)).await?;
        // Ends with the connection; what goes wrong on it, the next request says.
        tokio::spawn(async move {
            let _ = driver.await;
        });
        Ok(Self { host: gateway.to_string(), connection })
    }

    pub(crate) async fn create_sale(&mut self, sale: &str, units: u64) -> Result<()> {
        #[derive(Serialize)]
        struct Body<'a> {
            sale: &'a str,
            total: u64,
            journal_events_max: u64,
        }
        // Room for every order, so that the demo measures the way to PostgreSQL and not the journal's patience.
        let body = Body { sale, total: units, journal_events_max: units + 1 };
        let (status, answer) = self.send(Method::POST, "/v1/sales", serde_json::to_vec(&body)?).await?;
        if status == StatusCode::CREATED {
            return Ok(());
        }
        bail!("the gateway does not create the sale: {status}: {}", String::from_utf8_lossy(&answer))
    }

    pub(crate) async fn reserve(&mut self, path: &str, buyer: &str) -> Result<Answer> {
        #[derive(Serialize)]
        struct Body<'a> {
            buyer: &'a str,
        }
        #[derive(Deserialize)]
        struct Problem<'a> {
            #[serde(rename = "type", borrow)]
            kind: &'a str,
        }
        let (status, answer) = self.send(Method::POST, path, serde_json::to_vec(&Body { buyer })?).await?;
        Ok(match status {
            StatusCode::CREATED => Answer::Reserved,
            StatusCode::OK => Answer::Replayed,
            StatusCode::CONFLICT => match serde_json::from_slice::<Problem>(&answer) {
                Ok(problem) if problem.kind.ends_with("/sold-out") => Answer::SoldOut,
                _ => Answer::Other,
            },
            _ => Answer::Other,
        })
    }

    pub(crate) async fn stock(&mut self, sale: &str) -> Result<Stock> {
        let (status, answer) = self.send(Method::GET, &format!("/v1/sales/{sale}"), Vec::new()).await?;
        if status != StatusCode::OK {
            bail!("the gateway does not show the sale: {status}: {}", String::from_utf8_lossy(&answer));
        }
        Ok(serde_json::from_slice(&answer)?)
    }

    async fn send(&mut self, method: Method, path: &str, body: Vec<u8>) -> Result<(StatusCode, Bytes)> {
        self.connection.ready().await?;
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", &self.host)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(body)))?;
        let response = self.connection.send_request(request).await?;
        let status = response.status();
        Ok((status, response.into_body().collect().await?.to_bytes()))
    }
}
