//! `GET /v1/payments`: the payments in one state, for operators.

use flash_vault::{PAYMENT_STATES, PaymentRow};
use flash_wire::key::check_sale;
use hyper::StatusCode;
use serde::Serialize;

use super::app::App;
use super::problem::{Kind, Problem};
use super::query;
use super::reply::{Reply, json};
use crate::limits::PAGE_ROWS_MAX;

/// A page of them, by sale and reservation: `?state=S`, `?after=SALE/ID` and `?limit=N`.
pub(crate) async fn list(app: &App, query: Option<&str>) -> Result<Reply, Problem> {
    #[derive(Serialize)]
    struct View<'a> {
        state: &'a str,
        payments: Vec<PaymentView<'a>>,
    }
    let [state, after, limit] = query::read(query, ["state", "after", "limit"])?;
    let state = state.unwrap_or(PAYMENT_STATES[0]);
    if !PAYMENT_STATES.contains(&state) {
        return Err(Problem::new(Kind::BadRequest, format!("state must be one of {}", PAYMENT_STATES.join(", "))));
    }
    let after = after.map_or(Ok(("", 0)), place)?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let rows = app.orders.payment_page(state, after, limit).await?;
    Ok(json(StatusCode::OK, &View { state, payments: rows.iter().map(PaymentView::of).collect() }))
}

/// The sale and the reservation that a page begins after.
fn place(after: &str) -> Result<(&str, u64), Problem> {
    let place = after.rsplit_once('/').and_then(|(sale, id)| Some((sale, id.parse().ok()?)));
    let place = place.filter(|(sale, id)| check_sale(sale).is_ok() && *id <= query::NUMBER_MAX);
    place.ok_or_else(|| Problem::new(Kind::BadRequest, "after must be a sale, a slash and the number of a reservation"))
}

#[derive(Debug, Serialize)]
struct PaymentView<'a> {
    sale: &'a str,
    id: u64,
    buyer: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    currency: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<&'a str>,
    at: &'a str,
}

impl<'a> PaymentView<'a> {
    fn of(row: &'a PaymentRow) -> Self {
        let PaymentRow { sale, id, buyer, debited, reference, at } = row;
        let (amount, currency) = debited.as_ref().map(|price| (price.amount, price.currency.as_str())).unzip();
        Self { sale, id: *id, buyer, amount, currency, reference: reference.as_deref(), at }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_begins_after_a_reservation_of_a_sale() {
        assert_eq!(place("drop/7"), Ok(("drop", 7)));
        for bad in ["", "drop", "drop/", "/7", "drop/-1", "dr op/7", "drop/18446744073709551615"] {
            assert_eq!(place(bad).unwrap_err().kind, Kind::BadRequest, "{bad}");
        }
    }
}
