//! From a request to its answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::time::Duration;

use bytes::Bytes;
use flash_client::{Client, Deadline, Durability, Durable};
use flash_payments::Debits;
use flash_recovery::RecoveryHandle;
use flash_relay::RelayHandle;
use flash_wire::key::check_sale;
use flash_worker::Phase;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::{HeaderValue, STRICT_TRANSPORT_SECURITY};
use hyper::http::request::Parts;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::timeout;

use super::address::Proxies;
use super::missing_sale::missing;
use super::lookup::Patience;
use super::host::{Hosts, check_host};
use super::identity::{Caller, Gate};
use super::detached::Detached;
use super::places::Places;
use super::problem::{Kind, Problem};
use super::rate_limits::{RateLimits, Visit};
use super::refused_log::RefusedLog;
use super::reply::Reply;
use super::request_log::{Line, RequestLog};
use super::routes::{Access, Endpoint, Routes, Target};
use super::{
    audit, audit_log, body, buyers, console, docs, doctor, events, foreign, health, keys, lists, metrics, operate,
    payments, prefer, problem, products, quarantine, refused_log, relay_status, reservation, reservations, sales,
    start, webhooks, devtools,
};
use crate::audits::Audits;
use crate::catalogue::Catalogue;
use crate::crowd::Crowd;
use crate::events::Events;
use crate::examinations::Examinations;
use crate::ids::Ids;
use crate::limits::{ANSWER_MS, CHANGE_REST_MS, LOOK_TIMEOUT_MS, REQUEST_REST_MS};
use crate::postgres::Postgres;
use crate::pool::Pool;
use crate::sold_out::SoldOut;
use crate::persistence::Waits;
use crate::devtools::Devtools;

/// What the requests of one thread share.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) routes: Routes,
    /// Who may call.
    pub(crate) gate: Gate,
    /// The hosts that are served where nothing is asked of a caller.
    pub(crate) hosts: Hosts,
    pub(crate) ids: Ids,
    pub(crate) redis: Client,
    /// For calls whose answers promise more than Redis's memory.
    pub(crate) durable: Durable,
    /// What every answer to a buyer survives.
    pub(crate) durability: Durability,
    pub(crate) postgres: Arc<Postgres>,
    /// What this gateway knows of sales besides what Redis says.
    pub(crate) catalogue: Arc<Catalogue>,
    /// Does what takes a processor for long: one for all threads.
    pub(crate) pool: Pool,
    /// Makes payments: one for all threads.
    pub(crate) debits: Arc<Debits>,
    /// Whether everything is whole, for operators: one for all threads.
    pub(crate) audits: Arc<Audits>,
    /// What is wrong here, likewise.
    pub(crate) examinations: Arc<Examinations>,
    /// Wakes the relay: a sale has events.
    pub(crate) relay: RelayHandle,
    /// Brings back what Redis has forgotten.
    pub(crate) recovery: RecoveryHandle,
    /// None, where no RabbitMQ is used.
    pub(crate) rabbit_is_up: Option<Arc<AtomicBool>>,
    /// Threads that have yet to try to reach PostgreSQL, of all of this gateway's.
    pub(crate) unprepared: Arc<AtomicUsize>,
    pub(crate) phase: watch::Receiver<Phase>,
    /// Takes those who watch a sale.
    pub(crate) events: Events,
    /// Webhooks may be at private addresses.
    pub(crate) webhooks_private: bool,
    /// What the program around this gateway can do, if there is anything.
    pub(crate) devtools: Option<Arc<dyn Devtools>>,
    /// Who waits for PostgreSQL.
    pub(crate) waits: Arc<Waits>,
    /// Which sales are known to be sold out.
    pub(crate) sold_out: Arc<SoldOut>,
    pub(crate) rate_limits: RateLimits,
    /// Who may say whence a request comes.
    pub(crate) proxies: Proxies,
    /// How long a connection may rest between two requests.
    pub(crate) keep_alive: Duration,
    /// How long Redis may take to answer a call.
    pub(crate) redis_timeout: Duration,
    pub(crate) places: Places,
    /// The connections of each address.
    pub(crate) crowd: Crowd,
    /// Says to browsers that they are to come by TLS.
    pub(crate) hsts: Option<HeaderValue>,
    pub(crate) refused_log: RefusedLog,
    pub(crate) request_log: RequestLog,
}

impl App {
    /// Where there is none, its routes are not there either.
    fn devtools(&self) -> Result<&dyn Devtools, Problem> {
        Ok(self.devtools.as_deref().ok_or(Kind::NotFound)?)
    }
}

/// Answers a request. Whatever happens, it gets an answer.
pub(crate) async fn answer(app: Arc<App>, peer: IpAddr, request: Request<Incoming>) -> Reply {
    let mut line = app.request_log.begin();
    let reply = respond(&app, peer, request, &mut line).await.unwrap_or_else(Problem::reply);
    let mut reply = problem::of_trace(reply, line.trace());
    if let Some(hsts) = &app.hsts {
        reply.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    app.request_log.end(&line, reply.status());
    reply
}

async fn respond(app: &Arc<App>, peer: IpAddr, request: Request<Incoming>, line: &mut Line) -> Result<Reply, Problem> {
    let (head, body) = request.into_parts();
    line.asks(&head.method, &head.headers);
    check_host(&head)?;
    if app.gate.is_open() {
        app.hosts.check(&head)?;
    }
    let target = app.routes.find(&head.method, head.uri.path())?;
    line.goes_to(target.route);
    if app.gate.is_open() {
        foreign::check(&head)?;
    }
    let from = app.proxies.client(peer, &head.headers);
    let caller = match app.gate.caller(&target, &head.headers, from).await {
        Ok(caller) => caller,
        Err(problem) => {
            refused_log::note(app, &target, &head, &problem);
            return Err(problem);
        }
    };
    // What is asked seldom is on the heap: every connection has room for what is not.
    match target.endpoint {
        Endpoint::Live => return Ok(health::live()),
        Endpoint::Ready => return Ok(Box::pin(health::ready(app, head.uri.query())).await),
        Endpoint::Metrics => return Ok(Box::pin(metrics::show(app)).await),
        Endpoint::FindStart => return Ok(start::find(app.routes.surface, &head.headers)),
        Endpoint::ShowDocument | Endpoint::ShowDocs => return Ok(Box::pin(read_docs(app, peer, &target, &head)).await),
        Endpoint::ShowProblem => return docs::problem(&target.id, &head.headers),
        Endpoint::FindConsole => return Ok(console::find()),
        Endpoint::ShowConsole => return console::page(&head.headers),
        Endpoint::ShowConsoleFile => return console::file(&target.id, &head.headers),
        Endpoint::WatchSale => return Ok(Box::pin(watch(app, peer, &target, &head)).await),
        _ => {}
    }
    // Before the body is read, for that is work as well. Only whoever has sent it takes a place, so that the slow take none.
    app.places.check()?;
    body::expect_plain(&head.headers)?;
    let body = body::read(body).await?;
    let reads = head.method.is_safe();
    let asked = Asked { target, caller, head, body };
    let wait = prefer::wait(&asked.head.headers).unwrap_or_default();
    let deadline = Deadline::after(asked.limit(app.redis_timeout) + wait);
    let place = app.places.take(app.redis_timeout).await?;
    in_time(deadline, reads, Detached::new(work(app.clone(), peer, asked, place, deadline))).await
}

/// Gives up waiting for `work` after its deadline; the work goes on. Its parts have the same deadline, and say better what
/// was the matter: they have some time for that.
async fn in_time<F>(deadline: Deadline, reads: bool, work: Detached<F>) -> Result<Reply, Problem>
where
    F: Future<Output = Reply> + Send + 'static,
{
    match timeout(deadline.left() + Duration::from_millis(ANSWER_MS), work).await {
        Ok(Ok(reply)) => Ok(reply),
        // Where and why, the panic itself has said.
        Ok(Err(_)) => {
            tracing::error!("a request failed by a bug of the gateway");
            Err(Kind::Internal.into())
        }
        Err(_) if reads => Err(Kind::TimedOut.into()),
        Err(_) => Err(Kind::OutcomeUnknown.into()),
    }
}

/// The API described, which is large: it counts in rate limits. It takes no place, for nothing is worked on.
async fn read_docs(app: &App, peer: IpAddr, target: &Target, head: &Parts) -> Reply {
    let mut visit = Visit::new(app, peer, target, &head.headers);
    let mut reply = match visit.count(None).await {
        Ok(()) if target.endpoint == Endpoint::ShowDocs => docs::page(app.routes.surface),
        Ok(()) => docs::document(app.routes.surface),
        Err(problem) => problem.of_read().reply(),
    };
    visit.mark(&mut reply);
    reply
}

/// Lets a client watch. It takes no place, for nothing of it is left to do here.
async fn watch(app: &App, peer: IpAddr, target: &Target, head: &Parts) -> Reply {
    let mut visit = Visit::new(app, peer, target, &head.headers);
    let looking = async {
        visit.count(None).await?;
        events::watch(app, &head.method, &target.sale, app.proxies.client(peer, &head.headers)).await
    };
    let result = Deadline::after(app.redis_timeout + Duration::from_millis(REQUEST_REST_MS)).over(looking).await;
    let mut reply = result.map_err(Problem::of_read).unwrap_or_else(Problem::reply);
    visit.mark(&mut reply);
    reply
}

/// A request that was let through, whole.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) target: Target,
    pub(crate) caller: Caller,
    pub(crate) head: Parts,
    pub(crate) body: Bytes,
}

impl Asked {
    /// Whether it stands in the audit log: whatever an operator changes does.
    fn is_logged(&self) -> bool {
        let is_operators =
            matches!(self.target.access, Access::Operator(_)) || matches!(self.caller, Caller::Operator(_));
        is_operators && !self.head.method.is_safe()
    }

    /// How long it may take, where a call to Redis may take so long.
    fn limit(&self, redis: Duration) -> Duration {
        match self.target.endpoint {
            Endpoint::ShowAudit | Endpoint::ShowHealth => Duration::from_millis(LOOK_TIMEOUT_MS),
            _ if self.is_logged() => redis + Duration::from_millis(CHANGE_REST_MS),
            _ => redis + Duration::from_millis(REQUEST_REST_MS),
        }
    }
}

async fn work(app: Arc<App>, peer: IpAddr, asked: Asked, place: OwnedSemaphorePermit, deadline: Deadline) -> Reply {
    let patience = Patience { wait: prefer::wait(&asked.head.headers), place };
    let mut visit = Visit::new(&app, peer, &asked.target, &asked.head.headers);
    // What operators do is rare, and asks PostgreSQL: on the heap it does not make every reservation larger.
    let result = match asked.is_logged() {
        true => Box::pin(handle_logged(&app, &asked, &mut visit, patience, deadline)).await,
        false => deadline.over(handle(&app, &asked, &mut visit, patience)).await,
    };
    let reads = asked.head.method.is_safe();
    let result = result.map_err(|problem| if reads { problem.of_read() } else { problem });
    let mut reply = result.unwrap_or_else(Problem::reply);
    visit.mark(&mut reply);
    reply
}

async fn handle_logged(
    app: &App,
    asked: &Asked,
    visit: &mut Visit<'_>,
    patience: Patience,
    deadline: Deadline,
) -> Result<Reply, Problem> {
    let row = deadline.over(audit_log::begin(app, asked)).await?;
    let result = deadline.over(handle(app, asked, visit, patience)).await;
    // Also after the deadline: where the log does not say it, nobody will ever know.
    audit_log::end(app, row, &result).await;
    result
}

async fn handle(app: &App, asked: &Asked, visit: &mut Visit<'_>, patience: Patience) -> Result<Reply, Problem> {
    let Asked { target, caller, head, body } = asked;
    let (sale, id, headers) = (target.sale.as_str(), target.id.as_str(), &head.headers);
    // Whoever reserves may name the buyer in the body.
    if target.endpoint != Endpoint::Reserve {
        visit.count(caller.buyer()).await?;
    }
    let result = match target.endpoint {
        Endpoint::Reserve => reservations::reserve(app, caller, sale, headers, body, visit, patience).await,
        Endpoint::ConfirmReservation => reservation::confirm(app, caller, sale, id, headers, body, patience).await,
        Endpoint::ReleaseReservation => reservation::release(app, caller, sale, id, headers, patience).await,
        Endpoint::ShowSale => sales::show(app, sale).await,
        Endpoint::ShowReservation => Box::pin(reservation::show(app, caller, sale, id, patience)).await,
        _ => Box::pin(handle_rest(app, asked)).await,
    };
    match result {
        Err(problem) if problem.kind == Kind::UnknownSale && check_sale(sale).is_ok() => {
            Err(Box::pin(missing(app, sale)).await)
        }
        result => result,
    }
}

/// What is asked seldom.
async fn handle_rest(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let Asked { target, head, .. } = asked;
    let (sale, id, query) = (target.sale.as_str(), target.id.as_str(), head.uri.query());
    match target.endpoint {
        Endpoint::ShowForm => sales::show_form(app, sale).await,
        Endpoint::ShowProduct => products::show(app, id).await,
        Endpoint::CreateProduct => products::create(app, asked).await,
        Endpoint::CreateBuyer => buyers::create(app, asked).await,
        Endpoint::ListPayments => payments::list(app, query).await,
        Endpoint::Refunded => payments::refunded(app, asked).await,
        Endpoint::ShowCaller => Ok(keys::whoami(&asked.caller)),
        Endpoint::ShowBuyer => buyers::show(app, id).await,
        Endpoint::CreateSale => sales::create(app, asked).await,
        Endpoint::ListSales => lists::sales(app, query).await,
        Endpoint::ListReservations => lists::reservations(app, sale, query).await,
        Endpoint::ListQuarantine => quarantine::list(app, query).await,
        Endpoint::ShowQuarantined => quarantine::show(app, id).await,
        Endpoint::Replay => quarantine::replay(app, asked).await,
        Endpoint::Discard => quarantine::discard(app, asked).await,
        Endpoint::ShowRelay => relay_status::show(app).await,
        Endpoint::ListSyncers => lists::syncers(app).await,
        Endpoint::ShowAudit => audit::show(app, query).await,
        Endpoint::ShowHealth => doctor::show(app).await,
        Endpoint::Restock => operate::restock(app, asked).await,
        Endpoint::OpenSale => operate::open(app, asked).await,
        Endpoint::CloseSale => operate::close(app, asked).await,
        Endpoint::CreateKey => keys::create(app, asked).await,
        Endpoint::ListKeys => keys::list(app, query).await,
        Endpoint::RevokeKey => keys::revoke(app, id).await,
        Endpoint::ShowAuditLog => audit_log::show(app, query).await,
        Endpoint::AddWebhook => webhooks::add(app, asked).await,
        Endpoint::ListWebhooks => webhooks::list(app).await,
        Endpoint::RemoveWebhook => webhooks::remove(app, id).await,
        Endpoint::Simulate => devtools::simulate(app, app.devtools()?, asked).await,
        Endpoint::ShowSimulation => devtools::show(app.devtools()?, id),
        Endpoint::StopSimulation => devtools::stop(app.devtools()?, id),
        Endpoint::MakeFault => devtools::fault(app, app.devtools()?, asked).await,
        // The others are answered above.
        _ => Err(Kind::Internal.into()),
    }
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use tokio::time::Instant;

    use super::*;
    use crate::http::reply::reply;

    #[tokio::test(start_paused = true)]
    async fn work_that_does_not_end_is_not_waited_for_and_what_came_of_it_is_not_guessed() {
        const LIMIT: Duration = Duration::from_millis(REQUEST_REST_MS);
        let started = Instant::now();
        let done =
            in_time(Deadline::after(LIMIT), false, Detached::new(async { reply(StatusCode::OK, Bytes::new()) })).await;
        assert!(done.is_ok_and(|reply| reply.status() == StatusCode::OK));
        assert_eq!(started.elapsed(), Duration::ZERO);
        for (reads, kind) in [(true, Kind::TimedOut), (false, Kind::OutcomeUnknown)] {
            let started = Instant::now();
            let problem =
                in_time(Deadline::after(LIMIT), reads, Detached::new(std::future::pending())).await.unwrap_err();
            assert_eq!((problem.kind, started.elapsed()), (kind, LIMIT + Duration::from_millis(ANSWER_MS)));
        }
    }

    /// hyper makes room for an answer with each connection.
    #[test]
    fn an_answer_in_the_making_is_small_for_ten_thousand_connections_have_one_each() {
        const ANSWER_BYTES_MAX: usize = 2_048;
        const fn bytes<F>(_: fn(Arc<App>, IpAddr, Request<Incoming>) -> F) -> usize {
            size_of::<F>()
        }
        assert!(bytes(answer) <= ANSWER_BYTES_MAX, "{}", bytes(answer));
    }

    #[tokio::test]
    async fn work_that_panics_is_a_problem_like_others() {
        let problem = in_time(Deadline::after(Duration::from_secs(1)), true, Detached::new(async { panic!("a bug") }))
            .await
            .unwrap_err();
        assert_eq!(problem.kind, Kind::Internal);
    }
}
