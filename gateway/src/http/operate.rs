//! What an operator changes about a sale that sells: `POST /v1/sales/{sale}/restock`, `open` and `close`.

use std::borrow::Cow;

use flash_client::{Call, CallError};
use flash_wire::limits::{SKU_BYTES_MAX, TOTAL_UNITS_MAX};
use flash_wire::{Restock, SwitchAnswer};
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::fields;
use super::idempotency::{Keyed, once};
use super::problem::Kind;
use super::problem::{FieldError, Problem};
use super::reply::Reply;
use super::route::{Answer, POST, Route, Schema, Spec, handler};
use super::schema::{Count, SaleId, Sku};
use super::state::{App, Asked};
use super::target::Manner;
use super::{body, path};

pub(super) static ROUTES: [Route; 3] = [
    Route {
        method: &POST,
        path: "/v1/sales/{sale}/restock",
        name: "restock",
        access: Access::SELL,
        handler: handler!(restock),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Sales",
            summary: "Restock: add units to a sale, or remove them",
            description: "Only available units can be removed. A repeat adds again, unless it has the same \
                          Idempotency-Key. While the outcome of the first request is unknown, a repeat answers \
                          `outcome-unknown` and changes nothing.",
            parameters: &["Sale", "IdempotencyKey"],
            body: Some(Schema::of::<RestockWanted>()),
            answers: &[Answer::json(200, "The SKU's units after the change.", Schema::of::<Restocked<'_>>())
                .headers(&["Idempotency-Replayed"])],
            problems: &[Kind::Conflict, Kind::JournalFull, Kind::KeyReused],
            ..Spec::NONE
        },
    },
    Route {
        method: &POST,
        path: "/v1/sales/{sale}/open",
        name: "open-sale",
        access: Access::SELL,
        handler: handler!(open),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Sales",
            summary: "Reopen a closed sale",
            parameters: &["Sale", "IdempotencyKey"],
            answers: &[
                Answer::json(200, "The sale is open.", Schema::of::<Switched<'_>>()).headers(&["Idempotency-Replayed"])
            ],
            problems: &[Kind::Conflict, Kind::JournalFull, Kind::KeyReused],
            ..Spec::NONE
        },
    },
    Route {
        method: &POST,
        path: "/v1/sales/{sale}/close",
        name: "close-sale",
        access: Access::SELL,
        handler: handler!(close),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Sales",
            summary: "Close a sale at once",
            description: "Buyers can still pay for their holds.",
            parameters: &["Sale", "IdempotencyKey"],
            answers: &[Answer::json(200, "The sale is closed.", Schema::of::<Switched<'_>>())
                .headers(&["Idempotency-Replayed"])],
            problems: &[Kind::Conflict, Kind::JournalFull, Kind::KeyReused],
            ..Spec::NONE
        },
    },
];

#[derive(Serialize, JsonSchema)]
#[schemars(extend("examples" = [{ "sale": "drop", "total": 150, "available": 147 }]))]
struct Restocked<'a> {
    #[schemars(with = "SaleId")]
    sale: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Sku>")]
    sku: Option<&'a str>,
    #[schemars(with = "Count")]
    total: u64,
    #[schemars(with = "Count")]
    available: u64,
}

/// Puts units on sale, or takes available units off it. It adds: without an `Idempotency-Key` it is not to be
/// repeated blindly.
pub(crate) async fn restock(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let sale = path::sale(&asked.target.sale)?;
    body::expect_json(&asked.head.headers)?;
    let keyed = Keyed::of(asked)?;
    let (sku, delta) = read(&asked.body)?;
    let call = Call::restock(sale, Restock { sku: sku.as_deref(), delta });
    let work = async {
        let units = app.redis.call(call).await.map_err(refused_argument)??;
        app.relay.wake();
        Ok(Restocked { sale, sku: sku.as_deref(), total: units.total, available: units.available })
    };
    once(app, keyed.as_ref(), work).await
}

fn read(json: &[u8]) -> Result<(Option<Cow<'_, str>>, i64), Problem> {
    let [sku, delta] = fields::body(json, ["sku", "delta"])?;
    let sku = sku.optional(|sku| sku.name(SKU_BYTES_MAX))?;
    Ok((sku, delta.required()?.delta(TOTAL_UNITS_MAX)?))
}

/// The module knows which SKUs there are.
fn refused_argument(error: CallError) -> Problem {
    match error {
        CallError::Invalid { field, rule } => {
            let pointer = if field == "delta" { "/delta" } else { "/sku" };
            FieldError { pointer: pointer.to_owned(), detail: format!("{field} {rule}") }.into()
        }
        error => error.into(),
    }
}

/// Lets a closed sale go on.
pub(crate) async fn open(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    switch(app, asked, Call::open).await
}

/// Stops a sale at once; its holds may still be paid for.
pub(crate) async fn close(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    switch(app, asked, Call::close).await
}

#[derive(Serialize, JsonSchema)]
#[schemars(extend("examples" = [{ "sale": "drop", "closed": true }]))]
struct Switched<'a> {
    #[schemars(with = "SaleId")]
    sale: &'a str,
    closed: bool,
}

/// A sale is open or closed once. A key keeps a late repeat from undoing what another operator did meanwhile.
async fn switch(app: &App, asked: &Asked, call: fn(&str) -> Call<SwitchAnswer>) -> Result<Reply, Problem> {
    let sale = path::sale(&asked.target.sale)?;
    let keyed = Keyed::of(asked)?;
    let work = async {
        let answer = app.redis.call(call(sale)).await??;
        app.relay.wake();
        Ok(Switched { sale, closed: answer == SwitchAnswer::Closed })
    };
    once(app, keyed.as_ref(), work).await
}

/// Units to be added or taken.
#[derive(JsonSchema)]
#[schemars(
    rename = "Restock", deny_unknown_fields,
    extend("examples" = [{ "delta": 50 }, { "sku": "shirt-m", "delta": -5 }]),
)]
#[expect(dead_code, reason = "only its schema is used")]
struct RestockWanted {
    /// Which, if the sale has several.
    sku: Option<Sku>,
    /// Units more, or less.
    #[schemars(range(min = -TOTAL_UNITS_MAX.cast_signed(), max = TOTAL_UNITS_MAX), extend("not" = { "const": 0 }))]
    delta: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, want: Result<(Option<&str>, i64), (&str, &str)>) {
        let want = match want {
            Ok((sku, delta)) => Ok((sku.map(Cow::from), delta)),
            Err((pointer, detail)) => Err(FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() }.into()),
        };
        assert_eq!(read(json.as_bytes()), want, "{json}");
    }

    #[test]
    fn a_restock_is_units_more_or_less() {
        check("{\"delta\":5}", Ok((None, 5)));
        check("{\"sku\":\"s\",\"delta\":-1000000000}", Ok((Some("s"), -1_000_000_000)));
        const RULE: &str = "delta must be a whole number, -1000000000 to 1000000000, and not 0";
        for delta in ["0", "1000000001", "-1000000001", "1.5", "\"1\"", "99999999999999999999"] {
            check(&format!("{{\"delta\":{delta}}}"), Err(("/delta", RULE)));
        }
        check("{}", Err(("/delta", "delta must be given")));
        check("{\"delta\":1,\"sku\":\"\"}", Err(("/sku", "sku must be 1 to 64 bytes")));
        check("{\"delta\":1,\"units\":1}", Err(("/units", "unknown field units; the fields are sku, delta")));
    }
}
