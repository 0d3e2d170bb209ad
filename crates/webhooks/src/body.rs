//! The body of a delivery: the event's type, when it happened, and the order.

use flash_vault::Delivery;
use flash_wire::message::{MessageItem, MessageReserved, Shown};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// The body, the same at each attempt.
pub(crate) fn body(delivery: &Delivery) -> String {
    #[derive(Serialize)]
    struct Body<'a> {
        r#type: &'a str,
        timestamp: &'a str,
        data: Order<'a>,
    }
    #[derive(Serialize)]
    struct Order<'a> {
        sale: &'a str,
        id: u64,
        #[serde(flatten)]
        shown: Shown<'a>,
        state: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        reason: Option<&'a str>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        items: &'a [MessageItem<'static>],
        #[serde(skip_serializing_if = "Option::is_none")]
        data: Option<&'a RawValue>,
    }
    let order = Order {
        sale: &delivery.sale,
        id: delivery.reservation,
        shown: delivery.made.shown(),
        state: delivery.kind.trim_start_matches("order."),
        reason: delivery.reason.as_deref(),
        items: &delivery.made.items,
        data: delivery.made.data.as_deref(),
    };
    let body = Body { r#type: &delivery.kind, timestamp: &delivery.at, data: order };
    // Strings, numbers and lists into memory: nothing here can fail.
    serde_json::to_string(&body).unwrap_or_default()
}

/// A body of this type, as one is delivered.
#[must_use]
pub fn example(kind: &str) -> Value {
    // What was made of JSON is JSON.
    serde_json::from_str(&body(&example_delivery(kind))).unwrap_or_default()
}

/// A delivery of this type.
pub(crate) fn example_delivery(kind: &str) -> Delivery {
    let is_order = kind != "order.rejected";
    Delivery {
        id: 1,
        webhook: 2,
        url: String::new(),
        secret: String::new(),
        old_secret: None,
        kind: kind.to_owned(),
        attempt: 1,
        at: "2026-11-21T16:00:00.000Z".to_owned(),
        sale: "drop".to_owned(),
        reservation: 7,
        made: MessageReserved {
            buyer: "ada".into(),
            items: is_order.then(|| MessageItem { sku: "s".into(), quantity: 2 }).into_iter().collect(),
            // What is JSON reads as JSON.
            data: is_order.then(|| serde_json::from_str("{\"size\": 42}").unwrap_or_default()),
            ..MessageReserved::default()
        },
        reason: (!is_order).then(|| "oversold".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_has_its_type_its_time_and_its_order() {
        let delivery = example_delivery("order.confirmed");
        let start = "{\"type\":\"order.confirmed\",\"timestamp\":\"2026-11-21T16:00:00.000Z\",\"data\":";
        let order = "{\"sale\":\"drop\",\"id\":7,\"buyer\":\"ada\",\"state\":\"confirmed\",";
        let rest = "\"items\":[{\"sku\":\"s\",\"quantity\":2}],\"data\":{\"size\": 42}}}";
        assert_eq!(body(&delivery), format!("{start}{order}{rest}"));
    }
}
