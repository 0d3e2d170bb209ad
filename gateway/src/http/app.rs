//! From a request to its answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use bytes::Bytes;
use flash_client::{Client, Durability, Durable};
use flash_metrics::process;
use flash_wire::key::check_sale;
use hyper::body::Incoming;
use hyper::{HeaderMap, Request};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::address::Proxies;
use super::forgotten::forgotten;
use super::problem::{Kind, Problem};
use super::rate_limits::{RateLimits, Visit};
use super::reply::Reply;
use super::routes::{Endpoint, Routes, Target};
use super::{body, buyers, health, metrics, products, reservation, reservations, sales};
use crate::catalogue::Catalogue;
use crate::limits::{CREATE_TIMEOUT_MS, HANDLER_TIMEOUT_MS};
use crate::orders::Orders;
use crate::phase::Phase;
use crate::recovery::RecoveryHandle;
use crate::relay::RelayHandle;

/// What the requests of one thread share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) routes: Routes,
    pub(crate) redis: Client,
    /// For calls whose answers promise more than Redis's memory.
    pub(crate) durable: Durable,
    /// What every answer to a buyer survives.
    pub(crate) durability: Durability,
    pub(crate) orders: Orders,
    /// What this gateway knows of sales besides what Redis says.
    pub(crate) catalogue: Arc<Catalogue>,
    /// Wakes the relay: a sale has events.
    pub(crate) relay: RelayHandle,
    /// Brings back what Redis has forgotten.
    pub(crate) recovery: RecoveryHandle,
    /// None, where no RabbitMQ is used.
    pub(crate) rabbit_is_up: Option<Arc<AtomicBool>>,
    /// Threads that have yet to try to reach PostgreSQL, of all of this gateway's.
    pub(crate) unprepared: Arc<AtomicUsize>,
    pub(crate) phase: watch::Receiver<Phase>,
    pub(crate) rate_limits: RateLimits,
    /// Who may say whence a request comes.
    pub(crate) proxies: Proxies,
    /// A place for each request that is being worked on.
    pub(crate) places: Arc<Semaphore>,
    /// How many places there are.
    pub(crate) requests_max: u32,
}

/// Answers a request. Whatever happens, it gets an answer.
pub(crate) async fn answer(app: Arc<App>, peer: IpAddr, request: Request<Incoming>) -> Reply {
    respond(app, peer, request).await.unwrap_or_else(Problem::reply)
}

async fn respond(app: Arc<App>, peer: IpAddr, request: Request<Incoming>) -> Result<Reply, Problem> {
    let (head, body) = request.into_parts();
    let target = app.routes.find(&head.method, head.uri.path())?;
    match target.endpoint {
        Endpoint::Live => return Ok(health::live()),
        Endpoint::Ready => return Ok(health::ready(&app, head.uri.query()).await),
        Endpoint::Metrics => return Ok(metrics::show(&app).await),
        _ => {}
    }
    // Before the body is read, for that is work as well. Only whoever has sent it takes a place, so that the slow take none.
    if app.places.available_permits() == 0 {
        return Err(shed());
    }
    let body = body::read(body).await?;
    let place = app.places.clone().try_acquire_owned().map_err(|_| shed())?;
    let reads = head.method.is_safe();
    let limit_ms = match target.endpoint {
        Endpoint::CreateSale | Endpoint::CreateProduct | Endpoint::CreateBuyer => CREATE_TIMEOUT_MS,
        _ => HANDLER_TIMEOUT_MS,
    };
    // In a task of its own: hyper drops this future when the buyer hangs up, and a reservation is not left half made.
    let task = tokio::spawn(work(app, peer, target, reads, head.headers, body, place));
    match timeout(Duration::from_millis(limit_ms), task).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(panicked)) => {
            tracing::error!(%panicked, "a request failed by a bug of the gateway");
            Err(Kind::Internal.into())
        }
        Err(_) if reads => Err(Kind::TimedOut.into()),
        Err(_) => Err(Kind::OutcomeUnknown.into()),
    }
}

/// There is no place for one more.
fn shed() -> Problem {
    process::REQUESTS_SHED.add(1);
    Kind::Overloaded.into()
}

async fn work(
    app: Arc<App>,
    peer: IpAddr,
    target: Target,
    reads: bool,
    headers: HeaderMap,
    body: Bytes,
    _place: OwnedSemaphorePermit,
) -> Reply {
    let sale = target.sale.as_str();
    let mut visit = Visit::new(&app, peer, &target, &headers);
    let result = match handle(&app, &target, &headers, &body, &mut visit).await {
        Err(problem) if problem.kind == Kind::UnknownSale && check_sale(sale).is_ok() => {
            Err(Box::pin(forgotten(&app, sale)).await)
        }
        result => result,
    };
    let result = result.map_err(|problem| if reads { problem.of_read() } else { problem });
    let mut reply = result.unwrap_or_else(Problem::reply);
    visit.mark(&mut reply);
    reply
}

async fn handle(
    app: &App,
    target: &Target,
    headers: &HeaderMap,
    body: &[u8],
    visit: &mut Visit<'_>,
) -> Result<Reply, Problem> {
    let (sale, id) = (target.sale.as_str(), target.id.as_str());
    // Whoever reserves names the buyer in the body.
    if target.endpoint != Endpoint::Reserve {
        visit.count(None).await?;
    }
    match target.endpoint {
        // What asks PostgreSQL is rare and large: on the heap it does not make every reservation's task larger.
        Endpoint::CreateSale => Box::pin(sales::create(app, headers, body)).await,
        Endpoint::ShowSale => sales::show(app, sale).await,
        Endpoint::ShowForm => Box::pin(sales::show_form(app, sale)).await,
        Endpoint::Reserve => reservations::reserve(app, sale, headers, body, visit).await,
        Endpoint::ShowReservation => Box::pin(reservation::show(app, sale, id)).await,
        Endpoint::ConfirmReservation => reservation::confirm(app, sale, id, headers, body).await,
        Endpoint::ReleaseReservation => reservation::release(app, sale, id, headers).await,
        Endpoint::CreateProduct => Box::pin(products::create(app, headers, body)).await,
        Endpoint::ShowProduct => Box::pin(products::show(app, id)).await,
        Endpoint::CreateBuyer => Box::pin(buyers::create(app, headers, body)).await,
        Endpoint::ShowBuyer => Box::pin(buyers::show(app, id)).await,
        Endpoint::Live | Endpoint::Ready | Endpoint::Metrics => Err(Kind::Internal.into()),
    }
}
