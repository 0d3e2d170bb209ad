//! Products: `/v1/products` and `/v1/products/{id}`.

use std::sync::Arc;

use flash_vault::{Creation, Price, Product};
use flash_wire::DEFAULT_SKU;
use flash_wire::key::check_id;
use flash_wire::limits::{SKU_BYTES_MAX, SKUS_MAX};
use hyper::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

use super::access::Access;
use super::fields::{self, Given};
use super::idempotency::{Keyed, make, text};
use super::problem::{FieldError, Kind, Problem};
use super::reply::{Reply, created, json};
use super::route::{Answer, GET, Link, POST, Route, Schema, Spec, handler};
use super::schema::{Currency, SaleId, Sku};
use super::state::{App, Asked};
use super::target::Manner;
use super::{body, query};
use crate::limits::{PAGE_ROWS_MAX, PRICE_UNITS_MAX, PRODUCT_NAME_BYTES_MAX};

pub(super) static ROUTES: [Route; 3] = [
    Route {
        method: &POST,
        path: "/v1/products",
        name: "create-product",
        access: Access::ADMIN,
        handler: handler!(create),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Products and buyers",
            summary: "Create a product",
            description: "A product is what a sale sells. A repeat returns the same product.",
            parameters: &["IdempotencyKey"],
            body: Some(Schema::of::<NewProduct>()),
            answers: &[
                Answer::json(201, "The product was created.", Schema::of::<ProductView<'_>>())
                    .headers(&["Location"])
                    .links(&[Link("show-product", &[("id", "$response.body#/product")])]),
                Answer::json(200, "This product exists already.", Schema::of::<ProductView<'_>>())
                    .headers(&["Idempotency-Replayed"]),
            ],
            problems: &[Kind::ProductDiffers, Kind::KeyReused],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/products",
        name: "list-products",
        access: Access::READ,
        handler: handler!(list),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Products and buyers",
            summary: "List products, by id",
            parameters: &["After", "Limit"],
            answers: &[Answer::json(200, "One page of the list.", Schema::of::<ProductList<'_>>())],
            ..Spec::NONE
        },
    },
    Route {
        method: &GET,
        path: "/v1/products/{id}",
        name: "show-product",
        access: Access::Open,
        handler: handler!(show),
        manner: Manner::USUAL,
        spec: Spec {
            tag: "Products and buyers",
            summary: "Show a product",
            parameters: &["ProductId"],
            answers: &[Answer::json(200, "The product.", Schema::of::<ProductView<'_>>())],
            problems: &[Kind::UnknownProduct, Kind::PostgresAway],
            ..Spec::NONE
        },
    },
];

/// Creates a product. The same again is the same product.
pub(crate) async fn create(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    body::expect_json(&asked.head.headers)?;
    let keyed = Keyed::of(asked)?;
    let product = read(&asked.body)?;
    let creation = make(app, keyed.as_ref(), async |transaction: &_| {
        let creation = flash_vault::create_product(transaction, &product).await?;
        Ok((creation, (creation != Creation::Differs).then(|| text(&ProductView::new(&product)))))
    });
    let creation = match creation.await? {
        Ok(Creation::Differs) => return Err(Kind::ProductDiffers.into()),
        Ok(creation) => creation,
        Err(before) => return Ok(before.reply()),
    };
    let product = Arc::new(product);
    app.catalogue.products.remember(&product.product, Some(product.clone()));
    Ok(match creation {
        Creation::Created => created(format!("/v1/products/{}", product.product), &ProductView::new(&product)),
        _ => json(StatusCode::OK, &ProductView::new(&product)),
    })
}

/// A page of the products, by id: `?after=ID` and `?limit=N`.
async fn list(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let [after, limit] = query::read(asked.query(), ["after", "limit"])?;
    let limit = query::int("limit", limit, (1, PAGE_ROWS_MAX), PAGE_ROWS_MAX)?;
    let after = after.unwrap_or_default();
    let products = app.postgres.look(async |client: &_| flash_vault::product_page(client, &after, limit).await).await?;
    Ok(json(StatusCode::OK, &ProductList { products: products.iter().map(ProductView::new).collect() }))
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(
    rename = "ProductList",
    extend("examples" = [{
        "products": [
            { "product": "shirt", "name": "A shirt", "price": 1999, "currency": "EUR", "skus": ["shirt-m", "shirt-l"] },
        ],
    }]),
)]
struct ProductList<'a> {
    products: Vec<ProductView<'a>>,
}

/// One product. Anyone may know what there is.
pub(crate) async fn show(app: &App, asked: &Asked) -> Result<Reply, Problem> {
    let id = asked.target.id.as_str();
    check_id("product", id).map_err(|invalid| Problem::new(Kind::UnknownProduct, invalid.to_string()))?;
    let product = app.catalogue.products.get(&app.postgres, id).await?.ok_or(Kind::UnknownProduct)?;
    Ok(json(StatusCode::OK, &ProductView::new(&product)))
}

#[derive(Debug, Serialize, JsonSchema)]
#[schemars(
    rename = "Product",
    extend(
        "examples" = [
            {
                "product": "shirt", "name": "A shirt", "price": 1999, "currency": "EUR",
                "skus": ["shirt-m", "shirt-l"],
            },
        ],
    ),
)]
struct ProductView<'a> {
    #[schemars(with = "SaleId")]
    product: &'a str,
    /// What people call it.
    #[schemars(length(min = 1, max = PRODUCT_NAME_BYTES_MAX))]
    name: &'a str,
    /// Of one unit, in the currency's smallest unit.
    #[schemars(range(max = PRICE_UNITS_MAX))]
    price: u64,
    #[schemars(with = "Currency")]
    currency: &'a str,
    /// What it comes as.
    #[schemars(with = "Vec<Sku>", length(min = 1, max = SKUS_MAX), extend("uniqueItems" = true))]
    skus: &'a [String],
}

impl<'a> ProductView<'a> {
    fn new(product: &'a Product) -> Self {
        let Product { product, name, price, skus } = product;
        Self { product, name, price: price.amount, currency: &price.currency, skus }
    }
}

fn read(json: &[u8]) -> Result<Product, Problem> {
    let [product, name, price, currency, skus] = fields::body(json, ["product", "name", "price", "currency", "skus"])?;
    let skus = skus.optional(|skus| distinct(skus, skus.names(SKUS_MAX, SKU_BYTES_MAX)?))?;
    Ok(Product {
        product: product.required()?.id()?.into_owned(),
        name: name.required()?.name(PRODUCT_NAME_BYTES_MAX)?.into_owned(),
        price: Price { amount: price.required()?.int(0, PRICE_UNITS_MAX)?, currency: fields::currency(currency)? },
        skus: skus.unwrap_or_else(|| vec![DEFAULT_SKU.to_owned()]),
    })
}

fn distinct(field: Given, skus: Vec<String>) -> Result<Vec<String>, FieldError> {
    let repeats = skus.iter().enumerate().any(|(at, sku)| skus[..at].contains(sku));
    if repeats { Err(field.refused("must not name the same SKU twice")) } else { Ok(skus) }
}

/// A product to be created.
#[derive(JsonSchema)]
#[schemars(
    deny_unknown_fields,
    extend(
        "examples" = [
            {
                "product": "shirt", "name": "A shirt", "price": 1999, "currency": "EUR",
                "skus": ["shirt-m", "shirt-l"],
            },
        ],
    ),
)]
#[expect(dead_code, reason = "only its schema is used")]
struct NewProduct {
    product: SaleId,
    /// What people call it.
    #[schemars(length(min = 1, max = PRODUCT_NAME_BYTES_MAX))]
    name: String,
    /// Of one unit, in the currency's smallest unit.
    #[schemars(range(max = PRICE_UNITS_MAX))]
    price: u64,
    currency: Currency,
    /// What it comes as; one SKU named `default` if absent.
    #[schemars(length(min = 1, max = SKUS_MAX), extend("uniqueItems" = true))]
    skus: Option<Vec<Sku>>,
}
