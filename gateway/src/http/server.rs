//! One thread's connections: taken, served, closed.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use flash_worker::{Phase, reached};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use super::dispatch::{self, Site};
use super::events::Leaves;
use super::stream::Stream;
use super::strict::Strict;
use super::tls;
use super::unread::{Gauge, Unread};
use crate::certificates::Shown;
use crate::crowd::Seat;
use crate::events::Newcomer;
use crate::limits::{
    ACCEPT_RETRY_MS, AFTERWARDS_MS, CONNECTION_AGE_JITTER_MS, CONNECTION_AGE_MS_MAX, CONNECTION_GRACE_MS,
    CONNECTIONS_MAX, HEADER_BYTES_MAX, HEADERS_MAX, REQUEST_MS_MAX,
};

/// Where connections come in.
pub(crate) struct Door {
    pub(crate) listener: TcpListener,
    /// What is shown to those who come, by TLS. None: they come in plain text.
    pub(crate) shown: Option<Shown>,
}

/// Serves until the gateway stops and the last request is finished.
pub(crate) async fn serve(door: Door, site: Site, mut phase: watch::Receiver<Phase>) {
    let site = Arc::new(site);
    let app = &site.app;
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    let prepared = app.clone();
    tokio::spawn(async move {
        tokio::join!(prepared.postgres.connect(), prepared.debits.connect(), prepared.gate.connect());
        prepared.unprepared.fetch_sub(1, Ordering::Relaxed);
    });
    tokio::select! {
        () = accept(&door, &site, &places) => {}
        () = reached(&mut phase, Phase::Stopping) => {}
    }
    drop(door);
    // Each connection ends within its grace. After them only the work of buyers who hung up is left.
    let _closed = places.acquire_many(CONNECTIONS_MAX).await;
    if !app.places.emptied(Duration::from_millis(REQUEST_MS_MAX + AFTERWARDS_MS)).await {
        tracing::warn!("stopped while requests were running; their outcome is unknown");
    }
}

/// What a connection holds: a place of its thread's, and one of its address's.
type Held = (OwnedSemaphorePermit, Option<Seat>);

/// Does not end.
async fn accept(door: &Door, site: &Arc<Site>, places: &Arc<Semaphore>) {
    // The semaphore is never closed.
    while let Ok(place) = places.clone().acquire_owned().await {
        match door.listener.accept().await {
            Ok((stream, peer)) => {
                // Without it a small answer may wait for the client's acknowledgement of the one before.
                let _ = stream.set_nodelay(true);
                let (peer, site, app) = (peer.ip(), site.clone(), &site.app);
                // What a trusted proxy passes on is of many addresses.
                let seat = (!app.proxies.trusts(peer)).then(|| app.crowd.enter(peer));
                let place = match seat {
                    Some(None) => continue,
                    seat => (place, seat.flatten()),
                };
                match door.shown.clone() {
                    None => drop(tokio::spawn(connection(stream, peer, site, place))),
                    Some(shown) => drop(tokio::spawn(encrypted(stream, shown, peer, site, place))),
                }
            }
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                sleep(Duration::from_millis(ACCEPT_RETRY_MS)).await;
            }
        }
    }
}

/// The handshake holds a place among the connections, and nothing else.
async fn encrypted(stream: TcpStream, shown: Shown, peer: IpAddr, site: Arc<Site>, place: Held) {
    let mut phase = site.app.phase.clone();
    let stream = tokio::select! {
        stream = tls::accept(stream, &shown) => stream,
        () = reached(&mut phase, Phase::Stopping) => None,
    };
    if let Some(stream) = stream {
        connection(stream, peer, site, place).await;
    }
}

async fn connection(stream: impl Stream, peer: IpAddr, site: Arc<Site>, _place: Held) {
    let (mut phase, events) = (site.app.phase.clone(), site.app.events.clone());
    let (builder, gauge) = (builder(site.app.keep_alive), Gauge::default());
    let stream = Unread::new(stream, gauge.clone());
    let service = service_fn(move |request| {
        let (site, gauge) = (site.clone(), gauge.clone());
        async move {
            gauge.room().await;
            let reply = dispatch::answer(site, peer, request).await;
            match Leaves::of_reply(&reply) {
                None => Ok(reply),
                Some(leaves) => Err(leaves.clone()),
            }
        }
    });
    let mut connection = builder.serve_connection(TokioIo::new(Strict::new(stream)), service);
    let ended = tokio::select! {
        // What is answered from then on says that it is the last.
        biased;
        () = reached(&mut phase, Phase::Stopping) => None,
        () = sleep(age()) => None,
        ended = &mut connection => Some(ended),
    };
    let Some(ended) = ended else {
        Pin::new(&mut connection).graceful_shutdown();
        let _ = timeout(Duration::from_millis(CONNECTION_GRACE_MS), &mut connection).await;
        return;
    };
    // However else it ended, the client knows: it hung up, was too slow, or does not speak HTTP.
    let Err(error) = ended else { return };
    let Some(Leaves { sale, place, origin }) = Leaves::of_error(&error).cloned() else { return };
    if let Ok(socket) = connection.into_parts().io.into_inner().into_inner().into_inner().leave() {
        events.take(Newcomer { sale, socket, place, origin }).await;
    }
}

/// To hyper a connection's rest between two requests is the wait for the next head.
fn builder(keep_alive: Duration) -> http1::Builder {
    let mut builder = http1::Builder::new();
    // Without a timer hyper's timeouts are silently off.
    builder
        .timer(TokioTimer::new())
        // A client that has sent the whole request has asked, even if it does not wait for the answer any more.
        .half_close(true)
        .header_read_timeout(keep_alive)
        .max_headers(HEADERS_MAX)
        .max_header_size(HEADER_BYTES_MAX);
    builder
}

fn age() -> Duration {
    Duration::from_millis(CONNECTION_AGE_MS_MAX - rand::random_range(0..=CONNECTION_AGE_JITTER_MS))
}

#[cfg(test)]
pub(crate) mod tests;
