//! `GET /v1/audit`: what `flash audit` says.

use flash_wire::key::check_sale;
use hyper::StatusCode;

use super::app::App;
use super::problem::{Kind, Problem};
use super::query;
use super::reply::{Reply, json};

/// Of everything, or of one sale: `?sale=ID`. A server that is away is an answer as well, with what was found out all the same:
/// an operator asks what is known, and "unknown" is known.
pub(crate) async fn show(app: &App, query: Option<&str>) -> Result<Reply, Problem> {
    let [sale] = query::read(query, ["sale"])?;
    sale.map(check_sale).transpose().map_err(|invalid| Problem::new(Kind::BadRequest, invalid.to_string()))?;
    let audit = app.audits.get(&app.redis, sale).await.ok_or(Kind::Overloaded)?;
    if audit.is_of_nothing() && sale.is_some() {
        return Err(Kind::UnknownSale.into());
    }
    Ok(json(StatusCode::OK, &*audit))
}
