//! What is done around every handler: a request is logged, counted, handled and answered, whatever becomes of it.

use std::sync::Arc;
use std::time::Duration;

use flash_client::Deadline;
use flash_wire::key::check_sale;
use tokio::sync::OwnedSemaphorePermit;

use super::lookup::Patience;
use super::missing_sale::missing;
use super::problem::{Kind, Problem};
use super::rate_limits::Counted;
use super::reply::Reply;
use super::state::{App, Asked};
use super::{audit_trail, prefer};
use crate::limits::REQUEST_REST_MS;

/// A request that is worked on.
pub(crate) struct Job {
    pub(crate) app: Arc<App>,
    pub(crate) asked: Asked,
    /// Its parts have it as well.
    pub(crate) deadline: Deadline,
    /// What the rate limits have said.
    pub(crate) counted: Counted,
    pub(crate) patience: Patience,
    /// The row of the audit log, where it has one.
    row: Option<u64>,
}

impl Job {
    pub(crate) fn new(app: Arc<App>, asked: Asked, deadline: Deadline, place: OwnedSemaphorePermit) -> Self {
        let patience = Patience { wait: prefer::wait(&asked.head.headers), place: Some(place) };
        Self { app, asked, deadline, counted: Counted::default(), patience, row: None }
    }

    /// What comes before the handler.
    ///
    /// # Errors
    /// When it must not be handled.
    pub(crate) async fn begin(&mut self) -> Result<(), Problem> {
        let Self { app, asked, counted, .. } = self;
        if asked.is_logged() {
            // What operators do is rare, and asks PostgreSQL: on the heap it does not make every reservation larger.
            self.row = Some(Box::pin(audit_trail::begin(&app.postgres, asked)).await?);
        }
        match asked.target.manner.names_buyer {
            true => Ok(()),
            false => app.count(asked, counted, asked.caller.buyer()).await,
        }
    }

    /// What comes after it.
    pub(crate) async fn end(self, result: Result<Reply, Problem>) -> Reply {
        let Self { app, asked, deadline, counted, row, .. } = self;
        let result = match result {
            Err(problem) => Err(deadline.over(of_sale(&app, &asked.target.sale, problem)).await),
            result => result,
        };
        if let Some(row) = row {
            // Also after the deadline: what the log does not say now, it never will.
            Box::pin(audit_trail::end(&app.postgres, row, &result)).await;
        }
        answer(&asked, counted, result)
    }
}

/// Counts a request that takes no place, for little is done for it, and answers it.
pub(crate) async fn look(
    app: &App,
    asked: &Asked,
    answer: impl Future<Output = Result<Reply, Problem>> + Send,
) -> Reply {
    let mut counted = Counted::default();
    let looking = async {
        app.count(asked, &mut counted, None).await?;
        match answer.await {
            Err(problem) => Err(of_sale(app, &asked.target.sale, problem).await),
            reply => reply,
        }
    };
    let limit = app.redis_timeout + Duration::from_millis(REQUEST_REST_MS);
    let result = Deadline::after(limit).over(looking).await;
    self::answer(asked, counted, result)
}

/// A sale that Redis does not have is not always an unknown one.
async fn of_sale(app: &App, sale: &str, problem: Problem) -> Problem {
    match problem.kind == Kind::UnknownSale && check_sale(sale).is_ok() {
        true => Box::pin(missing(app, sale)).await,
        false => problem,
    }
}

fn answer(asked: &Asked, counted: Counted, result: Result<Reply, Problem>) -> Reply {
    let reads = asked.head.method.is_safe();
    let result = result.map_err(|problem| if reads { problem.of_read() } else { problem });
    let mut reply = result.unwrap_or_else(Problem::reply);
    counted.mark(&mut reply);
    reply
}
