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
        summary: "Check that Redis and PostgreSQL agree",
        description: "The same audit as `flash audit`, while the sales sell. A gateway runs one audit at a time. It \
                      returns the same result again for {AUDIT_FRESH_MS} ms, or for three times the duration of the \
                      audit. After {AUDIT_MS_MAX} ms it returns a partial result; active sales come first. The next \
                      audit continues from there. Partial findings are reported for {AUDIT_PART_MS_MAX} ms, and the \
                      verdict is `unknown` until every sale was checked. An unavailable server is a finding, and the \
                      verdict is then `unknown`.",
        parameters: &["OfSale"],
        answers: &[Answer::json(200, "The findings.", Schema::Named("Audit"))],
        problems: &[Kind::UnknownSale],
        ..Spec::NONE
    },
}];

/// Of everything, or of one sale: `?sale=ID`. If a server is away, the answer has what is known: an operator asks what
/// is known, and "unknown" is an answer.
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
