//! From a request to its answer.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use flash_client::Deadline;
use futures_util::future::BoxFuture;
use hyper::Request;
use hyper::body::Incoming;
use hyper::header::STRICT_TRANSPORT_SECURITY;
use tokio::time::timeout;

use super::detached::Detached;
use super::host::check_host;
use super::job::Job;
use super::problem::{Kind, Problem};
use super::reply::Reply;
use super::request_log::LogLine;
use super::route::Handler;
use super::routes::Routes;
use super::state::{App, Asked};
use super::{body, foreign, prefer, problem, refused_log};
use crate::limits::ANSWER_MS;

/// What answers the requests of a listener.
pub(crate) struct Site {
    pub(crate) app: Arc<App>,
    routes: Routes,
}

impl Site {
    /// What `app` serves.
    ///
    /// # Errors
    /// When two routes contradict each other.
    pub(crate) fn new(app: App) -> Result<Self, matchit::InsertError> {
        Ok(Self { routes: Routes::new(app.surface)?, app: Arc::new(app) })
    }
}

/// Answers a request. Whatever happens, it gets an answer.
pub(crate) async fn answer(site: Arc<Site>, peer: IpAddr, request: Request<Incoming>) -> Reply {
    let app = &site.app;
    let mut line = app.request_log.begin();
    // The request itself is not looked at here: what was borrowed keeps its room until the answer.
    let mut origin = None;
    let reply = respond(&site, peer, request, &mut line, &mut origin).await.unwrap_or_else(Problem::reply);
    let mut reply = problem::of_trace(reply, line.trace());
    if let Some(hsts) = &app.hsts {
        reply.headers_mut().insert(STRICT_TRANSPORT_SECURITY, hsts.clone());
    }
    app.origins.mark(&mut reply, origin);
    app.request_log.end(&line, reply.status());
    reply
}

async fn respond(
    site: &Site,
    peer: IpAddr,
    request: Request<Incoming>,
    line: &mut LogLine,
    origin: &mut Option<u8>,
) -> Result<Reply, Problem> {
    let app = &site.app;
    let (head, body) = request.into_parts();
    line.asks(&head.method, &head.headers);
    *origin = app.origins.find(&head.headers);
    check_host(&head)?;
    if app.gate.is_open() {
        app.hosts.check(&head)?;
    }
    if let Some(reply) = app.origins.preflight(&head) {
        return Ok(reply);
    }
    let (handler, target) = site.routes.find(&head.method, head.uri.path())?;
    line.goes_to(&target);
    if app.gate.is_open() && origin.is_none() {
        foreign::check(&head)?;
    }
    let from = app.proxies.client(peer, &head.headers);
    let caller = match app.gate.caller(&target, &head.headers, from).await {
        Ok(caller) => caller,
        Err(problem) => {
            if app.gate.is_operators() {
                refused_log::note(&app.refused_log, &app.postgres, &target, &head, &problem);
            }
            return Err(problem);
        }
    };
    let mut asked = Asked { target, caller, from, head, body: Bytes::new() };
    let work = match handler {
        Handler::Now(answer) => return answer(app, &asked),
        Handler::Look(answer) => return Ok(answer(app, &asked).await),
        Handler::Work(work) => work,
    };
    // Before the body is read, for that is work as well. Only a client who has sent it takes a place, so that the slow
    // take none.
    app.places.check()?;
    body::expect_plain(&asked.head.headers)?;
    asked.body = body::read(body).await?;
    let reads = asked.head.method.is_safe();
    let wait = prefer::wait(&asked.head.headers).unwrap_or_default();
    let deadline = Deadline::after(asked.limit(app.redis_timeout) + wait);
    let place = app.places.take(app.redis_timeout).await?;
    in_time(deadline, reads, work(Job::new(app.clone(), asked, deadline, place))).await
}

/// Gives up waiting for `work` after its deadline; the work goes on. Its parts have the same deadline, and say better
/// what was the matter: they have some time for that.
async fn in_time(deadline: Deadline, reads: bool, work: BoxFuture<'static, Reply>) -> Result<Reply, Problem> {
    match timeout(deadline.left() + Duration::from_millis(ANSWER_MS), Detached::new(work)).await {
        Ok(Ok(reply)) => Ok(reply),
        // Where and why, the panic itself has said.
        Ok(Err(_)) => {
            tracing::error!("a request handler panicked");
            Err(Kind::Internal.into())
        }
        Err(_) if reads => Err(Kind::TimedOut.into()),
        Err(_) => Err(Kind::OutcomeUnknown.into()),
    }
}

#[cfg(test)]
mod tests {
    use hyper::StatusCode;
    use tokio::time::Instant;

    use super::*;
    use crate::http::reply::reply;
    use crate::limits::REQUEST_REST_MS;

    #[tokio::test(start_paused = true)]
    async fn work_that_does_not_end_is_not_waited_for_and_what_came_of_it_is_not_guessed() {
        const LIMIT: Duration = Duration::from_millis(REQUEST_REST_MS);
        let started = Instant::now();
        let done =
            in_time(Deadline::after(LIMIT), false, Box::pin(async { reply(StatusCode::OK, Bytes::new()) })).await;
        assert!(done.is_ok_and(|reply| reply.status() == StatusCode::OK));
        assert_eq!(started.elapsed(), Duration::ZERO);
        for (reads, kind) in [(true, Kind::TimedOut), (false, Kind::OutcomeUnknown)] {
            let started = Instant::now();
            let problem = in_time(Deadline::after(LIMIT), reads, Box::pin(std::future::pending())).await.unwrap_err();
            assert_eq!((problem.kind, started.elapsed()), (kind, LIMIT + Duration::from_millis(ANSWER_MS)));
        }
    }

    /// hyper makes room for an answer with each connection.
    #[test]
    fn an_answer_in_the_making_is_small_for_ten_thousand_connections_have_one_each() {
        const ANSWER_BYTES_MAX: usize = 2_048;
        const fn bytes<F>(_: fn(Arc<Site>, IpAddr, Request<Incoming>) -> F) -> usize {
            size_of::<F>()
        }
        assert!(bytes(answer) <= ANSWER_BYTES_MAX, "{}", bytes(answer));
    }

    #[tokio::test]
    async fn work_that_panics_is_a_problem_like_others() {
        let problem = in_time(Deadline::after(Duration::from_secs(1)), true, Box::pin(async { panic!("a bug") }))
            .await
            .unwrap_err();
        assert_eq!(problem.kind, Kind::Internal);
    }
}
