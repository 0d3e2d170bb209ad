//! A small shop over HTTP, in front of a way to sell other than Flash, so that its buyers come as a gateway's do.

mod answer;
mod pool;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result};
use bytes::Bytes;
use flash_gateway::limits::BODY_BYTES_MAX;
use flash_sim::{Live, SellerFactory};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use self::pool::{Pool, Sellers};
use crate::runtime;

/// The thread's name, by which its CPU time is known.
pub(crate) const THREAD: &str = "flash-shop";

/// A shop that is open. Dropped, it closes.
pub(crate) struct Shop {
    pub(crate) address: SocketAddr,
    _close: oneshot::Sender<()>,
}

impl Shop {
    /// Opens a shop on a thread of its own, with as many sellers as there are requests at once. What they tried again
    /// is counted in `live`.
    pub(crate) async fn open(factory: SellerFactory, live: Live) -> Result<Self> {
        let (opened, is_open) = oneshot::channel();
        let (close, closed) = oneshot::channel();
        std::thread::Builder::new().name(THREAD.to_owned()).spawn(move || {
            runtime::block_on(async {
                let (address, serving) = match Floor::of(factory, live).await {
                    Ok((listener, floor)) => (listener.local_addr()?, accept(listener, Arc::new(floor))),
                    // The caller may be gone; then no one needs the result.
                    Err(error) => {
                        let _ = opened.send(Err(error));
                        return Ok(());
                    }
                };
                let _ = opened.send(Ok(address));
                tokio::select! {
                    () = serving => {}
                    // Whether it is said, or the one to say it is gone.
                    _ = closed => {}
                }
                Ok(())
            })
        })?;
        let address = is_open.await.context("the shop's thread ended")?.context("cannot start the shop")?;
        Ok(Self { address, _close: close })
    }
}

/// What those share who serve.
struct Floor {
    sale: String,
    path: String,
    sellers: Sellers,
    live: Live,
    served: AtomicU64,
}

impl Floor {
    async fn of(factory: SellerFactory, live: Live) -> Result<(TcpListener, Self)> {
        let sellers = Pool::of(factory.sellers().await?);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let sale = factory.sale.id;
        let path = format!("/v1/sales/{sale}/reservations");
        Ok((listener, Self { sale, path, sellers, live, served: AtomicU64::new(0) }))
    }

    async fn reply(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.method() != Method::POST || request.uri().path() != self.path {
            return answer::failed(StatusCode::NOT_FOUND, "there is nothing here");
        }
        let Ok(body) = Limited::new(request.into_body(), BODY_BYTES_MAX).collect().await else {
            return answer::failed(StatusCode::BAD_REQUEST, "the body cannot be read");
        };
        let body = body.to_bytes();
        match answer::buyer(&body) {
            Ok(buyer) => self.serve(&buyer).await,
            Err(error) => answer::failed(StatusCode::UNPROCESSABLE_ENTITY, &error.to_string()),
        }
    }

    async fn serve(&self, buyer: &str) -> Response<Full<Bytes>> {
        let mut taken = self.sellers.take().await;
        let Some(seller) = taken.as_mut().and_then(|taken| taken.get()) else {
            return answer::failed(StatusCode::SERVICE_UNAVAILABLE, "the shop is closed");
        };
        match seller.serve(buyer).await {
            Ok(sold) => {
                self.live.retried(sold.1);
                answer::of(&self.sale, self.served.fetch_add(1, Ordering::Relaxed) + 1, sold)
            }
            Err(error) => answer::failed(StatusCode::INTERNAL_SERVER_ERROR, &format!("{error:#}")),
        }
    }
}

/// Serves every client. There are no more connections than concurrent buyers, who are ours.
async fn accept(listener: TcpListener, floor: Arc<Floor>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        tokio::spawn(connection(stream, floor.clone()));
    }
}

async fn connection(stream: TcpStream, floor: Arc<Floor>) {
    let service = service_fn(move |request| {
        let floor = floor.clone();
        async move { anyhow::Ok(floor.reply(request).await) }
    });
    // However it ended, the buyer knows.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}
