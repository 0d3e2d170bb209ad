//! A sale that Redis does not have: there is none, or it is to be brought back.

use super::app::App;
use super::problem::{Kind, Problem};

/// What to tell whoever asked for it. PostgreSQL knows every sale that there ever was.
pub(crate) async fn forgotten(app: &App, sale: &str) -> Problem {
    match app.orders.is_over(sale).await {
        Ok(None) => Kind::UnknownSale.into(),
        Ok(Some(true)) => Kind::Ended.into(),
        Ok(Some(false)) => {
            app.recovery.look_at(sale);
            Problem::new(Kind::Fenced, "Redis has forgotten this sale; it is being brought back from PostgreSQL")
        }
        Err(_) => {
            Problem::new(Kind::PostgresAway, "Redis does not have this sale, and PostgreSQL cannot be asked for it")
        }
    }
}
