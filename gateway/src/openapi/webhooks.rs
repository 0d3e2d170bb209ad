//! What the gateway sends: the webhooks, from the sender's table.

use flash_webhooks::{DELIVERY_ATTEMPTS_MAX, EVENTS, Event, HEADERS, example};
use serde_json::{Map, Value, json};

/// The schema of their bodies.
pub(super) const SCHEMA: &str = "OrderEvent";

/// All of them, by the types of their events.
pub(super) fn all() -> Map<String, Value> {
    EVENTS.iter().map(|event| (event.kind.to_owned(), json!({ "post": operation(event) }))).collect()
}

/// The types that there are.
pub(super) fn types() -> Value {
    EVENTS.iter().map(|event| event.kind).collect()
}

fn operation(event: &Event) -> Value {
    let Event { kind, summary, description } = event;
    let parameters = HEADERS.iter().map(|(name, about, example)| {
        json!({
            "name": name, "in": "header", "required": true, "description": about,
            "schema": { "type": "string" }, "example": example,
        })
    });
    let schema = json!({ "$ref": format!("#/components/schemas/{SCHEMA}") });
    let content = json!({ "schema": schema, "examples": { "0": { "value": example(kind) } } });
    json!({
        "operationId": kind,
        "summary": summary,
        "description": description,
        "parameters": parameters.collect::<Vec<_>>(),
        "requestBody": { "required": true, "content": { "application/json": content } },
        "responses": {
            "2XX": { "description": "The event was accepted, and is not delivered again." },
            "410": { "description": "The gateway disables the webhook." },
            "default": {
                "description": format!("The event is delivered again after growing delays, at most \
                                        {DELIVERY_ATTEMPTS_MAX} times in all."),
            },
        },
        "security": [],
    })
}
