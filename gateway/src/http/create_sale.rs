//! `POST /v1/sales`

use std::borrow::Cow;

use flash_client::{Call, CallError};
use flash_vault::{Creation, Extras, Price};
use flash_wire::key::check_sale;
use flash_wire::limits::{
    HOLD_MS_MAX, JOURNAL_EVENTS_MAX, QUANTITY_UNITS_MAX, SKU_BYTES_MAX, SKUS_MAX, TOTAL_UNITS_MAX,
};
use flash_wire::message::{MessageTerms, SALE_BYTES_MAX};
use flash_wire::{DEFAULT_LIMIT, DEFAULT_SKU, FIRST_EPOCH, Invalid, Refusal, SkuTerms, Terms, Warm, WarmAnswer};
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::access::Access;
use super::fields::{self, Field, Given};
use super::idempotency::{Keyed, Replayed, before, make, text};
use super::missing_sale::missing_in_redis;
use super::problem::{FieldError, Kind, Problem};
use super::reply::{self, Reply, json};
use super::route::{Answer, Link, POST, Route, Schema, Spec, handler};
use super::schema::{JsonSchemaValue, Quantity, SaleId, Sku, TimeMs, Units};
use super::state::{App, Asked};
use super::target::Manner;
use super::{body, create_check, sale_status};
use crate::catalogue::Facts;
use crate::form::{FORM_BYTES_MAX, Form};
use crate::limits::JOURNAL_EVENTS_DEFAULT;

pub(super) static ROUTES: [Route; 1] = [Route {
    method: &POST,
    path: "/v1/sales",
    name: "create-sale",
    access: Access::ADMIN,
    handler: handler!(create),
    manner: Manner::USUAL,
    spec: Spec {
        tag: "Sales",
        summary: "Create a sale",
        description: "The answer comes when the sale is in PostgreSQL and in Redis. A repeat changes nothing and \
                      answers 200.\n\nWithout `sale`, the gateway chooses the id. An Idempotency-Key then prevents a \
                      repeat from creating another sale.",
        parameters: &["IdempotencyKey"],
        body: Some(Schema::of::<NewSale>()),
        answers: &[
            Answer::json(201, "The sale was created.", Schema::of::<Created<'_>>()).headers(&["Location"]).links(&[
                Link("show-sale", &[("sale", "$response.body#/sale")]),
                Link("reserve", &[("sale", "$response.body#/sale")]),
                Link("restock", &[("sale", "$response.body#/sale")]),
                Link("close-sale", &[("sale", "$response.body#/sale")]),
                Link("open-sale", &[("sale", "$response.body#/sale")]),
                Link("show-form", &[("sale", "$response.body#/sale")]),
            ]),
            Answer::json(200, "This sale exists already, with these terms.", Schema::of::<Created<'_>>())
                .headers(&["Idempotency-Replayed"]),
        ],
        problems: &[Kind::SaleDiffers, Kind::KeyReused, Kind::Fenced, Kind::Ended],
        ..Spec::NONE
    },
}];

/// Creates a sale: PostgreSQL first, then Redis at once, so that no buyer ever meets a cold sale. What Redis would
/// refuse is looked at before: once PostgreSQL has the sale, it is created, and whatever fails then is completed by a
/// gateway.
pub(crate) async fn create(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    body::expect_json(&asked.head.headers)?;
    let keyed = Keyed::of(asked)?;
    let Order { sale, terms, product, form } = Order::read(&asked.body)?;
    let price = match &product {
        Some(product) => Some(price(app, product, &terms).await?),
        None => None,
    };
    let rules = form.map(|form| Form::new(form.get())).transpose();
    let rules = rules.map_err(|breach| FieldError::within("/form", breach))?;
    let extras = Extras { product: product.as_deref(), form };
    let (sale, created) = make_sale(app, keyed.as_ref(), sale, &terms, extras).await?;
    let epoch = match created {
        Creation::Differs => return Err(Kind::SaleDiffers.into()),
        Creation::Exists => warmed_before(app, &sale).await?,
        Creation::Created => warm(app, &sale, &terms).await?,
    };
    // Its buyers come here next: nothing is left to learn.
    app.catalogue.keep_and_tell(&app.redis, &sale, Facts { form: rules, price }).await;
    let view = Created { sale: &sale, epoch, terms: MessageTerms::from(&terms), product: product.as_deref(), form };
    if created == Creation::Created {
        return Ok(reply::created(format!("/v1/sales/{sale}"), &view));
    }
    let mut reply = json(StatusCode::OK, &view);
    reply::mark_replayed(&mut reply);
    Ok(reply)
}

/// Makes the sale in PostgreSQL, and gives its id: that of the first request with this key. So a sale whose id the
/// gateway chose has one id, however often it is asked for.
async fn make_sale<'a>(
    app: &App,
    keyed: Option<&Keyed<'_>>,
    sale: Cow<'a, str>,
    terms: &Terms,
    extras: Extras<'_>,
) -> Result<(Cow<'a, str>, Creation), Problem> {
    if let Some(before) = before(app, keyed).await? {
        return Ok((MadeSale::of(&before)?.into(), Creation::Exists));
    }
    create_check::check(app, &sale, terms).await?;
    let made = make(app, keyed, async |transaction: &_| {
        let creation = flash_vault::create_sale(transaction, &sale, terms, extras, FIRST_EPOCH).await?;
        Ok((creation, (creation != Creation::Differs).then(|| text(&MadeSale { sale: sale.as_ref().into() }))))
    });
    match made.await? {
        Ok(creation) => Ok((sale, creation)),
        Err(before) => Ok((MadeSale::of(&before)?.into(), Creation::Exists)),
    }
}

/// What a key identifies. The rest of the answer is read each time.
#[derive(Debug, Serialize, Deserialize)]
struct MadeSale<'a> {
    sale: Cow<'a, str>,
}

impl MadeSale<'_> {
    fn of(before: &Replayed) -> Result<String, Problem> {
        let made: MadeSale<'_> = serde_json::from_str(&before.0).map_err(|_| Kind::Internal)?;
        Ok(made.sale.into_owned())
    }
}

/// The epoch in which Redis has a sale that PostgreSQL has.
///
/// Such a sale must not be warmed anew from here: its numbering would begin again, and PostgreSQL would take new
/// reservations for old ones. If Redis has forgotten it, or its creator did not get as far as Redis, the
/// recovery brings it back.
async fn warmed_before(app: &App, sale: &str) -> Result<u64, Problem> {
    match sale_status::of(app, sale).await? {
        Ok(status) => Ok(status.epoch),
        Err(Refusal::NotWarmed) => Err(missing_in_redis(app, sale).await),
        Err(refusal) => Err(refusal.into()),
    }
}

async fn warm(app: &App, sale: &str, terms: &Terms) -> Result<u64, Problem> {
    let warm = Warm::first(terms.clone());
    let answer = app.redis.call(Call::warm(sale, &warm)).await;
    let answer = answer.map_err(|error| not_warmed(sale, &error))?.map_err(|_| created_only(sale))?;
    app.relay.wake();
    let (WarmAnswer::Warmed { epoch } | WarmAnswer::Exists { epoch }) = answer;
    Ok(epoch)
}

/// PostgreSQL has the sale, and Redis has not taken it: a gateway brings it there as soon as Redis does.
fn not_warmed(sale: &str, error: &CallError) -> Problem {
    tracing::warn!(%error, "a sale was created in PostgreSQL, but not in Redis yet");
    created_only(sale)
}

/// Without an id and without a key, another request would create another sale: so the answer names this one.
fn created_only(sale: &str) -> Problem {
    Problem::new(
        Kind::OutcomeUnknown,
        format!(
            "the sale {sale} is created, and Redis has not said that it has it: send the request again with this id, \
             until it is on sale"
        ),
    )
}

/// The sale as it was created.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(
    rename = "CreatedSale",
    extend(
        "examples" = [
            {
                "sale": "drop", "epoch": 1, "skus": [{ "sku": "default", "total": 100 }], "limit": 1,
                "hold_ms": 600000, "journal_events_max": 1000000,
            },
        ],
    ),
)]
struct Created<'a> {
    #[schemars(with = "SaleId")]
    sale: &'a str,
    /// Which life of the sale in Redis this is.
    #[schemars(range(min = 1))]
    epoch: u64,
    #[serde(flatten)]
    #[schemars(with = "CreatedTerms")]
    terms: MessageTerms,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<SaleId>")]
    product: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<JsonSchemaValue>")]
    form: Option<&'a RawValue>,
}

/// What a unit of the product costs. A sale of it sells some of what it comes as.
async fn price(app: &App, product: &str, terms: &Terms) -> Result<Price, Problem> {
    let Some(known) = app.postgres.look(async |client: &_| flash_vault::product(client, product).await).await? else {
        return Err(Problem::field(&Invalid::new("product", "must be the id of a product")));
    };
    if terms.skus.iter().any(|sku| !known.skus.contains(&sku.name)) {
        return Err(Problem::field(&Invalid::new("skus", "must be SKUs of the product")));
    }
    // Without a pay window a reservation is confirmed at once, so nothing would ever be paid for it.
    if known.price.amount > 0 && terms.hold_ms.is_none() {
        return Err(Problem::field(&Invalid::new("hold_ms", "is required: the product has a price")));
    }
    Ok(known.price)
}

/// A sale as the body asks for it.
#[derive(Debug)]
struct Order<'a> {
    sale: Cow<'a, str>,
    terms: Terms,
    product: Option<Cow<'a, str>>,
    form: Option<&'a RawValue>,
}

impl<'a> Order<'a> {
    fn read(json: &'a [u8]) -> Result<Self, Problem> {
        const FIELDS: [&str; 10] = [
            "sale",
            "total",
            "skus",
            "limit",
            "hold_ms",
            "opens_at_ms",
            "closes_at_ms",
            "journal_events_max",
            "product",
            "form",
        ];
        let [sale, total, skus, limit, hold_ms, opens_at_ms, closes_at_ms, journal, product, form] =
            fields::body(json, FIELDS)?;
        if total.is_given() && skus.is_given() {
            return Err(total.refused("cannot be combined with skus").into());
        }
        let skus = match skus.optional(|skus| skus.list(SKUS_MAX, ["sku", "total"], read_sku))? {
            Some(skus) => skus,
            None => vec![SkuTerms { name: DEFAULT_SKU.to_owned(), total: total.required()?.int(1, TOTAL_UNITS_MAX)? }],
        };
        let terms = Terms {
            skus,
            limit: limit.optional(|units| units.int32(1, QUANTITY_UNITS_MAX))?.unwrap_or(DEFAULT_LIMIT),
            hold_ms: hold_ms.optional(|time| time.int(1, HOLD_MS_MAX))?,
            opens_at_ms: opens_at_ms.optional(Given::time)?,
            closes_at_ms: closes_at_ms.optional(Given::time)?,
            // Never without: what no journal keeps never reaches PostgreSQL.
            journal_events_max: journal
                .optional(|events| events.int(1, JOURNAL_EVENTS_MAX))?
                .or(Some(JOURNAL_EVENTS_DEFAULT)),
        };
        let sale = match sale.optional(|sale| sale.name(SALE_BYTES_MAX))? {
            Some(sale) => {
                check_sale(&sale).map_err(|invalid| Problem::field(&invalid))?;
                sale
            }
            None => format!("{:016x}", rand::random::<u64>()).into(),
        };
        Ok(Self {
            sale,
            terms: terms.check().map_err(|invalid| in_body(&invalid))?,
            product: product.optional(Given::id)?,
            form: form.optional(|form| form.raw(FORM_BYTES_MAX))?,
        })
    }
}

fn read_sku([sku, total]: [Field; 2]) -> Result<SkuTerms, FieldError> {
    Ok(SkuTerms {
        name: sku.required()?.name(SKU_BYTES_MAX)?.into_owned(),
        total: total.required()?.int(1, TOTAL_UNITS_MAX)?,
    })
}

/// The rules between fields are the terms' own, which have other names on the command line of Redis.
fn in_body(invalid: &Invalid) -> Problem {
    let field = match invalid.field {
        "SKU" => "skus",
        "closes" => "closes_at_ms",
        field => field,
    };
    Problem::field(&Invalid::new(field, invalid.rule.as_str()))
}

/// A SKU, and how much of it is on sale.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{ "sku": "shirt-m", "total": 60 }]))]
#[expect(dead_code, reason = "only its schema is used")]
struct SkuUnits {
    sku: Sku,
    total: Units,
}

/// The terms of a sale.
#[derive(JsonSchema)]
#[schemars(inline)]
#[expect(dead_code, reason = "only its schema is used")]
struct CreatedTerms {
    skus: Vec<SkuUnits>,
    /// Units that one buyer may have, over all reservations.
    limit: Quantity,
    #[schemars(range(min = 1))]
    hold_ms: Option<u64>,
    opens_at_ms: Option<TimeMs>,
    closes_at_ms: Option<TimeMs>,
    #[schemars(range(min = 1))]
    journal_events_max: Option<u64>,
}

/// Either `total`, of its only SKU, or `skus`: exactly one of them.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend(
        "examples" = [
            { "sale": "drop", "total": 100, "hold_ms": 600000 },
            {
                "sale": "shirts", "skus": [{ "sku": "shirt-m", "total": 60 }, { "sku": "shirt-l", "total": 40 }],
                "limit": 2,
            },
        ],
    ),
)]
#[expect(dead_code, reason = "only its schema is used")]
struct NewSale {
    /// Its id. The gateway chooses one, if none is given.
    sale: Option<SaleId>,
    /// Units put on sale.
    total: Option<Units>,
    /// No SKU twice.
    #[schemars(length(min = 1, max = SKUS_MAX))]
    skus: Option<Vec<SkuUnits>>,
    /// Units that one buyer may have, in {RESERVATIONS_PER_BUYER_MAX} reservations at most; {DEFAULT_LIMIT} if absent.
    #[schemars(range(min = 1, max = QUANTITY_UNITS_MAX))]
    limit: Option<u64>,
    /// The pay window: how long a reservation is held. Without it, it is confirmed at once.
    #[schemars(range(min = 1, max = HOLD_MS_MAX))]
    hold_ms: Option<u64>,
    opens_at_ms: Option<TimeMs>,
    /// Unix milliseconds, later than `opens_at_ms`.
    closes_at_ms: Option<TimeMs>,
    /// Events that may wait for PostgreSQL. Beyond it, reservations are refused until some are written.
    /// {JOURNAL_EVENTS_DEFAULT} if absent.
    #[schemars(range(min = 1, max = JOURNAL_EVENTS_MAX))]
    journal_events_max: Option<u64>,
    /// The product that is sold. It must have the SKUs.
    product: Option<SaleId>,
    /// A JSON Schema (2020-12) that `data` has to follow, of at most {FORM_BYTES_MAX} bytes.
    form: Option<JsonSchemaValue>,
}

#[cfg(test)]
mod tests;
