//! Metrics over HTTP, for a process that serves nothing else.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use bytes::Bytes;
use flash_metrics::{CONTENT_TYPE, Page};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE as CONTENT_TYPE_HEADER, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

/// Who may ask at the same time: a few scrapers and people.
const CONNECTIONS_MAX: usize = 16;
/// How long one of them may stay. A scrape takes milliseconds.
const CONNECTION_TIMEOUT_MS: u64 = 30_000;
/// The wait after a connection that could not be taken.
const ACCEPT_RETRY_MS: u64 = 100;

/// Writes what there is to be asked for.
pub(crate) trait Write: Fn(&mut Page) + Clone + Send + Sync + 'static {}

impl<F: Fn(&mut Page) + Clone + Send + Sync + 'static> Write for F {}

/// Serves what `write` writes, in the background, for as long as the runtime lives; nothing, without an address.
pub(crate) async fn listen(address: Option<SocketAddr>, write: impl Write) -> Result<()> {
    let Some(address) = address else { return Ok(()) };
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot serve metrics on {address}"))?;
    tokio::spawn(serve(listener, write));
    Ok(())
}

async fn serve(listener: TcpListener, write: impl Write) {
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else { return };
        match listener.accept().await {
            Ok((stream, _)) => {
                let write = write.clone();
                tokio::spawn(async move {
                    let _ = timeout(Duration::from_millis(CONNECTION_TIMEOUT_MS), answer(stream, write)).await;
                    drop(place);
                });
            }
            Err(error) => {
                tracing::debug!(%error, "a connection for metrics was not taken");
                sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
}

async fn answer(stream: TcpStream, write: impl Write) -> Result<(), hyper::Error> {
    let service = service_fn(move |request: Request<Incoming>| {
        let page = page(request.uri().path(), &write);
        async move { Ok::<_, Infallible>(page) }
    });
    http1::Builder::new().keep_alive(false).serve_connection(TokioIo::new(stream), service).await
}

fn page(path: &str, write: &impl Write) -> Response<Full<Bytes>> {
    let mut reply = Response::new(Full::default());
    if path != "/metrics" {
        *reply.status_mut() = StatusCode::NOT_FOUND;
        return reply;
    }
    let mut page = Page::default();
    write(&mut page);
    *reply.body_mut() = Full::new(page.into_text().into());
    reply.headers_mut().insert(CONTENT_TYPE_HEADER, HeaderValue::from_static(CONTENT_TYPE));
    reply
}
