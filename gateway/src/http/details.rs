//! What PostgreSQL alone knows of a reservation, for those who read it.

use flash_vault::{OrderDetails, OrderPayment};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::schema::{Currency, SaleId};
use crate::limits::PRICE_UNITS_MAX;

/// The details of an order.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct Details {
    /// What the buyer sent along.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    data: Option<Box<RawValue>>,
    /// What the sale sells.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<SaleId>")]
    product: Option<String>,
    /// Of one unit, in the currency's smallest unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = PRICE_UNITS_MAX))]
    price: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Currency>")]
    currency: Option<String>,
    /// What pays for it; where nothing does, the newest payment that was to.
    #[serde(skip_serializing_if = "Option::is_none")]
    payment: Option<PaymentOf>,
}

/// The payment of a reservation.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(
    rename = "ReservationPayment",
    extend(
        "examples" = [
            {
                "means": "external", "amount": 1999, "currency": "EUR", "reference": "pi_3OqX", "state": "settled",
            },
        ],
    ),
)]
struct PaymentOf {
    #[schemars(extend("enum" = ["balance", "external"]))]
    means: String,
    /// How much it is, in the currency's smallest unit.
    #[serde(skip_serializing_if = "Option::is_none")]
    amount: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Currency>")]
    currency: Option<String>,
    /// What the payment service calls the payment.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    #[schemars(extend("enum" = ["pending", "settled", "refund_due", "refunded"]))]
    state: String,
    /// Why it does not pay for the reservation.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What the payment service calls the refund.
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_reference: Option<String>,
}

impl Details {
    pub(super) fn new(details: OrderDetails) -> Self {
        let (product, price) = details.product.unzip();
        let (price, currency) = price.map(|price| (price.amount, price.currency)).unzip();
        Self {
            data: details.data.and_then(|data| RawValue::from_string(data).ok()),
            product,
            price,
            currency,
            payment: details.payment.map(PaymentOf::new),
        }
    }
}

impl PaymentOf {
    fn new(payment: OrderPayment) -> Self {
        let OrderPayment { means, amount, currency, reference, state, reason, refund_reference } = payment;
        Self { means, amount, currency, reference, state, reason, refund_reference }
    }
}
