//! The values that many bodies have, as the API's description names them.

use std::borrow::Cow;

use flash_wire::limits::{BUYER_BYTES_MAX, QUANTITY_UNITS_MAX, SKU_BYTES_MAX, TIME_MS_MAX, TOTAL_UNITS_MAX};
use flash_wire::message::SALE_BYTES_MAX;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::limits::TIME_MS_MIN;

/// A type that is nothing but its schema. Its name is that of the component.
macro_rules! value {
    ($(#[$doc:meta])* $type:ident $name:literal $schema:tt) => {
        $(#[$doc])*
        pub(crate) struct $type;

        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                $name.into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

value! {
    /// The id of a sale or a product.
    SaleId "SaleId" {
        "type": "string",
        "minLength": 1,
        "maxLength": SALE_BYTES_MAX,
        "pattern": "^[A-Za-z0-9._-]+$",
        "not": { "enum": [".", ".."] },
        "description": "1 to {SALE_BYTES_MAX} letters, digits, `.`, `_` or `-`.",
        "examples": ["drop"],
    }
}

value! {
    /// A buyer.
    BuyerName "BuyerName" {
        "type": "string",
        "minLength": 1,
        "maxLength": BUYER_BYTES_MAX,
        "description": "1 to {BUYER_BYTES_MAX} bytes without control characters.",
        "examples": ["ada"],
    }
}

value! {
    /// A SKU.
    Sku "Sku" {
        "type": "string",
        "minLength": 1,
        "maxLength": SKU_BYTES_MAX,
        "description": "1 to {SKU_BYTES_MAX} bytes without control characters.",
        "examples": ["shirt-m"],
    }
}

value! {
    /// A moment.
    TimeMs "TimeMs" {
        "type": "integer",
        "minimum": TIME_MS_MIN,
        "maximum": TIME_MS_MAX,
        "description": "Unix milliseconds.",
        "examples": [1796000000000_u64],
    }
}

value! {
    /// Units in a reservation.
    Quantity "Quantity" {
        "type": "integer",
        "minimum": 1,
        "maximum": QUANTITY_UNITS_MAX,
        "description": "Units of one SKU in one reservation.",
        "examples": [1],
    }
}

value! {
    /// How many.
    Count "Count" {
        "type": "integer",
        "minimum": 0,
        "examples": [3],
    }
}

value! {
    /// A currency.
    Currency "Currency" {
        "type": "string",
        "pattern": "^[A-Z]{3}$",
        "description": "A currency's code, three capital letters.",
        "examples": ["EUR"],
    }
}

value! {
    /// What a key may do.
    RoleName "Role" {
        "type": "string",
        "enum": ["buyer", "read", "sell", "pay", "admin", "operate"],
        "description": "`buyer` acts as the buyer who holds the key. Of operators, each one looks; `sell` restocks, \
                        opens, closes, reserves and releases for buyers; `pay` confirms, and reports refunds; \
                        `admin` does everything, and so does `operate`, its older name.",
        "examples": ["buyer"],
    }
}

value! {
    /// A form. A choice of two types, and no list of types: generators of clients refuse such a list.
    JsonSchemaValue "Form" {
        "anyOf": [{ "type": "object", "additionalProperties": true }, { "type": "boolean" }],
        "description": "A JSON Schema (2020-12).",
        "examples": [{ "type": "object", "required": ["size"], "properties": { "size": { "enum": ["M", "L"] } } }],
    }
}

value! {
    /// Units on sale.
    Units "Units" {
        "type": "integer",
        "minimum": 1,
        "maximum": TOTAL_UNITS_MAX,
        "description": "Units of one SKU.",
        "examples": [100],
    }
}
