//! What a buyer wants to reserve: the body of `POST /v1/sales/{sale}/reservations`.

use std::borrow::Cow;

use flash_wire::limits::{QUANTITY_UNITS_MAX, SKU_BYTES_MAX, SKUS_MAX};
use flash_wire::{Details, Reserve, Wanted};

use schemars::JsonSchema;

use super::fields::{self, Field, Given};
use super::identity::{self, Caller};
use super::problem::{FieldError, Problem};
use super::schema::{BuyerName, Quantity, Sku};

/// What the body asks for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Wish<'a> {
    pub(crate) buyer: Cow<'a, str>,
    pub(crate) units: WantedUnits<'a>,
    pub(crate) data: Option<&'a str>,
}

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum WantedUnits<'a> {
    /// Of the sale's only SKU.
    Quantity(u32),
    Items(Vec<(Cow<'a, str>, u32)>),
}

impl<'a> Wish<'a> {
    pub(crate) fn read(caller: &'a Caller, json: &'a [u8]) -> Result<Self, Problem> {
        let [buyer, quantity, items, data] = fields::body(json, ["buyer", "quantity", "items", "data"])?;
        if quantity.is_given() && items.is_given() {
            return Err(quantity.refused("cannot be combined with items").into());
        }
        let quantity = quantity.optional(|units| units.int32(1, QUANTITY_UNITS_MAX))?;
        let items = items.optional(|items| items.list(SKUS_MAX, ["sku", "quantity"], read_item))?;
        Ok(Self {
            buyer: identity::buyer(caller, buyer)?,
            units: items.map_or(WantedUnits::Quantity(quantity.unwrap_or(1)), WantedUnits::Items),
            data: data.optional(Given::data)?,
        })
    }

    /// `is_new`: PostgreSQL does not know the request either.
    pub(crate) fn command<'b>(&'b self, request: Option<&'b str>, is_new: bool) -> Reserve<'b> {
        let wanted = match &self.units {
            WantedUnits::Quantity(quantity) => Wanted::Quantity(*quantity),
            WantedUnits::Items(items) => {
                Wanted::Items(items.iter().map(|(sku, quantity)| (sku.as_ref(), *quantity)).collect())
            }
        };
        let details = Details { request, data: self.data };
        Reserve { buyer: &self.buyer, wanted, details, is_new }
    }
}

fn read_item<'a>([sku, quantity]: [Field<'a>; 2]) -> Result<(Cow<'a, str>, u32), FieldError> {
    let quantity = quantity.optional(|units| units.int32(1, QUANTITY_UNITS_MAX))?;
    Ok((sku.required()?.name(SKU_BYTES_MAX)?, quantity.unwrap_or(1)))
}

/// One of the items.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, extend("examples" = [{ "sku": "shirt-m", "quantity": 2 }]))]
#[expect(dead_code, reason = "only its schema is used")]
struct WishedItem {
    sku: Sku,
    /// Units of the SKU; 1 if absent.
    quantity: Option<Quantity>,
}

/// Either `quantity`, of the sale's only SKU, or `items`, and never both; neither is one unit.
#[derive(JsonSchema)]
#[schemars(
    rename = "Wish", deny_unknown_fields,
    extend(
        "examples" = [
            { "buyer": "ada" },
            { "buyer": "ada", "items": [{ "sku": "shirt-m", "quantity": 1 }], "data": { "size": "M" } },
        ],
    ),
)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct ReservationWanted {
    /// Who buys: for operators, and where buyers need not say who they are. Otherwise it is the caller, and
    /// must not be given.
    buyer: Option<BuyerName>,
    /// Units of the SKU; 1 if absent.
    quantity: Option<Quantity>,
    /// The same SKU twice is added up.
    #[schemars(length(min = 1, max = SKUS_MAX))]
    items: Option<Vec<WishedItem>>,
    /// What the buyer sends along, JSON of at most {DATA_BYTES_MAX} bytes that every reader reads alike: at most
    /// {DATA_DEPTH_LEVELS_MAX} levels, each name once, no NUL and no half surrogate pair in a text, numbers that
    /// a double holds as they are written. A sale may have a form for it; then it must be an object.
    data: Option<serde_json::Value>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, want: Result<(&str, WantedUnits, Option<&str>), (&str, &str)>) {
        let want = match want {
            Ok((buyer, units, data)) => Ok(Wish { buyer: buyer.into(), units, data }),
            Err((pointer, detail)) => Err(FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() }.into()),
        };
        assert_eq!(Wish::read(&Caller::Anyone, json.as_bytes()), want, "{json}");
    }

    #[test]
    fn a_wish_is_a_buyer_with_units_and_data() {
        check(r#"{"buyer":"ada"}"#, Ok(("ada", WantedUnits::Quantity(1), None)));
        check(r#"{"buyer":"ada","quantity":3,"data":"x"}"#, Ok(("ada", WantedUnits::Quantity(3), Some("\"x\""))));
        let items = WantedUnits::Items(vec![("s".into(), 2), ("m".into(), 1)]);
        check(r#"{"buyer":"ada","items":[{"sku":"s","quantity":2},{"sku":"m"}]}"#, Ok(("ada", items, None)));
    }

    #[test]
    fn an_authenticated_buyer_acts_only_for_themselves() {
        let ada = Caller::Buyer("ada".into());
        let wish = Wish { buyer: "ada".into(), units: WantedUnits::Quantity(2), data: None };
        assert_eq!(Wish::read(&ada, b"{\"quantity\":2}"), Ok(wish));
        let detail = "buyer must not be given: the token names the buyer".to_owned();
        for body in ["{\"buyer\":\"bob\"}", "{\"buyer\":\"ada\"}", "{\"buyer\":7}"] {
            let error = FieldError { pointer: "/buyer".to_owned(), detail: detail.clone() };
            assert_eq!(Wish::read(&ada, body.as_bytes()), Err(error.into()), "{body}");
        }
    }

    #[test]
    fn a_wish_that_breaks_a_rule_is_refused_by_its_field() {
        let ada = |rest: &str| format!("{{\"buyer\":\"ada\",{rest}}}");
        check("{}", Err(("/buyer", "buyer must be given")));
        check(r#"{"buyer":""}"#, Err(("/buyer", "buyer must be 1 to 128 bytes")));
        check(&format!("{{\"buyer\":\"{}\"}}", "a".repeat(129)), Err(("/buyer", "buyer must be 1 to 128 bytes")));
        check(&ada("\"quantity\":0"), Err(("/quantity", "quantity must be 1 to 1000000000")));
        check(&ada("\"quantity\":-1"), Err(("/quantity", "quantity must be a whole number, 1 to 1000000000")));
        check(&ada("\"quantity\":1000000001"), Err(("/quantity", "quantity must be 1 to 1000000000")));
        check(&ada("\"items\":[]"), Err(("/items", "items must be 1 to 64")));
        check(&ada("\"items\":[{}]"), Err(("/items/0/sku", "sku must be given")));
        check(
            &ada("\"items\":[{\"sku\":\"s\",\"quantity\":0}]"),
            Err(("/items/0/quantity", "quantity must be 1 to 1000000000")),
        );
        check(
            &ada("\"quantity\":1,\"items\":[{\"sku\":\"s\"}]"),
            Err(("/quantity", "quantity cannot be combined with items")),
        );
        let fields = "unknown field amount; the fields are buyer, quantity, items, data";
        check(&ada("\"amount\":1"), Err(("/amount", fields)));
    }

    #[test]
    fn a_wish_is_the_command_that_the_module_takes() {
        let command = |json: &'static str| {
            let wish = Wish::read(&Caller::Anyone, json.as_bytes()).unwrap();
            let mut args = Vec::new();
            wish.command(Some("r"), false).args(&mut args);
            args.iter().map(|arg: &Vec<u8>| String::from_utf8_lossy(arg).into_owned()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(command(r#"{"buyer":"ada","data":{"size": 42}}"#), "ada ID r DATA {\"size\": 42}");
        assert_eq!(command(r#"{"buyer":"ada","items":[{"sku":"s","quantity":2}]}"#), "ada SKU s 2 ID r");
    }
}
