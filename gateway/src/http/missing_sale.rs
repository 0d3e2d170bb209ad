//! A sale that Redis does not have: there is none, or it is to be brought back.

use super::problem::{Kind, Problem};
use super::state::App;
use crate::catalogue::{Verdict, sale_facts};
use crate::postgres::PostgresError;

/// What to answer its caller. PostgreSQL knows every sale that there ever was; it is not asked for each
/// request.
pub(crate) async fn missing(app: &App, sale: &str) -> Problem {
    problem(app, sale, app.catalogue.verdict(&app.redis, &app.postgres, sale).await)
}

/// The same for a caller that knows that PostgreSQL has the sale.
pub(crate) async fn missing_in_redis(app: &App, sale: &str) -> Problem {
    problem(app, sale, sale_facts(&app.postgres, sale).await.map(|facts| Verdict::of(facts.as_ref())))
}

fn problem(app: &App, sale: &str, verdict: Result<Verdict, PostgresError>) -> Problem {
    match verdict {
        Ok(Verdict::Nothing) => Kind::UnknownSale.into(),
        Ok(Verdict::Over) => Kind::Ended.into(),
        Ok(Verdict::Forgotten) => {
            app.recovery.look_at(sale);
            Problem::new(Kind::Fenced, "Redis lost this sale; it is being restored from PostgreSQL")
        }
        Err(_) => Problem::new(Kind::PostgresAway, "Redis does not have this sale, and PostgreSQL is unavailable"),
    }
}
