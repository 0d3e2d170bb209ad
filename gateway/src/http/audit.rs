//! `GET /v1/audit`: what `flash audit` says.

use flash_wire::key::check_sale;
use hyper::StatusCode;

use super::access::Access;
use super::problem::{Kind, Problem};
use super::query;
use super::reply::{Reply, json};
use super::route::{Answer, GET, Route, Schema, Spec, handler};
use super::state::{App, Asked};
use super::target::Manner;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &GET,
    path: "/v1/audit",
    name: "show-audit",
    access: Access::READ,
    handler: handler!(show),
    manner: Manner { is_slow: true, ..Manner::USUAL },
    spec: Spec {
        tag: "On the way to PostgreSQL",
        summary: "Prove that Redis and PostgreSQL agree",
        description: "As `flash audit` does, while the sales sell. A gateway makes one audit at a time, gives it again \
                      for {AUDIT_FRESH_MS} ms, or three times as long as it took, and says after {AUDIT_MS_MAX} ms how \
                      far it came: sales that are not over come first. Where there are more sales than that, the next \
                      audit goes on; what was found is told for {AUDIT_PART_MS_MAX} ms, and the verdict is `unknown` \
                      until every sale was looked at. Where a server is away, that is found, and the verdict is \
                      `unknown`.",
        parameters: &["OfSale"],
        answers: &[Answer::json(200, "What was found.", Schema::Named("Audit"))],
        problems: &[Kind::UnknownSale],
        ..Spec::NONE
    },
}];

/// Of everything, or of one sale: `?sale=ID`. A server that is away is an answer as well, with what was found out all
/// the same: an operator asks what is known, and "unknown" is known.
pub(crate) async fn show(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let [sale] = query::read(asked.query(), ["sale"])?;
    let sale = sale.as_deref();
    sale.map(check_sale).transpose().map_err(|invalid| Problem::new(Kind::BadRequest, invalid.to_string()))?;
    let audit = app.audits.get(&app.redis, sale).await.ok_or(Kind::Overloaded)?;
    if audit.is_of_nothing() && sale.is_some() {
        return Err(Kind::UnknownSale.into());
    }
    Ok(json(StatusCode::OK, &*audit))
}
