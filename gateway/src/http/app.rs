//! From a request to its answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use bytes::Bytes;
use flash_client::{Client, Durability, Durable};
use flash_metrics::process;
use flash_wire::key::check_sale;
use hyper::body::Incoming;
use hyper::http::request::Parts;
use hyper::{HeaderMap, Request};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::timeout;

use super::address::Proxies;
use super::forgotten::forgotten;
use super::found::Patience;
use super::problem::{Kind, Problem};
use super::rate_limits::{RateLimits, Visit};
use super::reply::Reply;
use super::routes::{Endpoint, Routes, Target};
use super::{body, events, health, metrics, prefer, reservation, reservations, sales, webhooks};
use crate::events::Events;
use crate::limits::{CREATE_TIMEOUT_MS, HANDLER_TIMEOUT_MS};
use crate::orders::Orders;
use crate::phase::Phase;
use crate::recovery::RecoveryHandle;
use crate::relay::RelayHandle;
use crate::waits::Waits;

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
    /// Wakes the relay: a sale has events.
    pub(crate) relay: RelayHandle,
    /// Brings back what Redis has forgotten.
    pub(crate) recovery: RecoveryHandle,
    /// None, where no RabbitMQ is used.
    pub(crate) rabbit_is_up: Option<Arc<AtomicBool>>,
    pub(crate) phase: watch::Receiver<Phase>,
    /// Takes those who watch a sale.
    pub(crate) events: Events,
    /// Webhooks may be at private addresses.
    pub(crate) webhooks_private: bool,
    /// Who waits for PostgreSQL.
    pub(crate) waits: Arc<Waits>,
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
        Endpoint::WatchSale => return Ok(watch(&app, peer, &target, &head).await),
        _ => {}
    }
    // Before the body is read, for that is work as well. Only whoever has sent it takes a place, so that the slow take none.
    if app.places.available_permits() == 0 {
        return Err(shed());
    }
    let body = body::read(body).await?;
    let place = app.places.clone().try_acquire_owned().map_err(|_| shed())?;
    let reads = head.method.is_safe();
    let limit = Duration::from_millis(limit_ms(target.endpoint)) + prefer::wait(&head.headers).unwrap_or_default();
    // In a task of its own: hyper drops this future when the buyer hangs up, and a reservation is not left half made.
    let task = tokio::spawn(work(app, peer, target, reads, head.headers, body, place));
    match timeout(limit, task).await {
        Ok(Ok(reply)) => Ok(reply),
        Ok(Err(panicked)) => {
            tracing::error!(%panicked, "a request failed by a bug of the gateway");
            Err(Kind::Internal.into())
        }
        Err(_) if reads => Err(Kind::TimedOut.into()),
        Err(_) => Err(Kind::OutcomeUnknown.into()),
    }
}

/// Lets a client watch. It takes no place, for nothing of it is left to do here.
async fn watch(app: &App, peer: IpAddr, target: &Target, head: &Parts) -> Reply {
    let mut visit = Visit::new(app, peer, target, &head.headers);
    let result = match visit.count(None).await {
        Ok(()) => events::watch(app, &head.method, &target.sale).await,
        Err(problem) => Err(problem),
    };
    let mut reply = result.map_err(Problem::of_read).unwrap_or_else(Problem::reply);
    visit.mark(&mut reply);
    reply
}

const fn limit_ms(endpoint: Endpoint) -> u64 {
    match endpoint {
        Endpoint::CreateSale => CREATE_TIMEOUT_MS,
        _ => HANDLER_TIMEOUT_MS,
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
    place: OwnedSemaphorePermit,
) -> Reply {
    let sale = target.sale.as_str();
    let patience = Patience { wait: prefer::wait(&headers), place };
    let mut visit = Visit::new(&app, peer, &target, &headers);
    let result = match handle(&app, &target, &headers, &body, &mut visit, patience).await {
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
    patience: Patience,
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
        Endpoint::Reserve => reservations::reserve(app, sale, headers, body, visit, patience).await,
        Endpoint::ShowReservation => Box::pin(reservation::show(app, sale, id, patience)).await,
        Endpoint::ConfirmReservation => reservation::confirm(app, sale, id, headers, patience).await,
        Endpoint::ReleaseReservation => reservation::release(app, sale, id, headers, patience).await,
        Endpoint::AddWebhook => Box::pin(webhooks::add(app, headers, body)).await,
        Endpoint::ListWebhooks => Box::pin(webhooks::list(app)).await,
        Endpoint::RemoveWebhook => Box::pin(webhooks::remove(app, id)).await,
        Endpoint::Live | Endpoint::Ready | Endpoint::Metrics | Endpoint::WatchSale => Err(Kind::Internal.into()),
    }
}
