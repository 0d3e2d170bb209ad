//! What the routes' descriptions name: schemas, parameters and headers.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::limits::fill;
use super::webhooks;
use crate::http::Kind;

/// All of them, by their names.
pub(super) struct Components {
    pub(super) schemas: Map<String, Value>,
    pub(super) parameters: Map<String, Value>,
    pub(super) headers: Map<String, Value>,
}

impl Components {
    /// # Errors
    /// When a piece is not what it should be, which a test would have shown.
    pub(super) fn read() -> serde_json::Result<Self> {
        Ok(Self {
            schemas: filled(include_str!("schemas.json"))?,
            parameters: filled(include_str!("parameters.json"))?,
            headers: filled(include_str!("headers.json"))?,
        })
    }

    /// What the document refers to, and nothing else: buyers are not told what operators send.
    pub(super) fn used(self, met: &[Kind], document: &Value) -> Value {
        let types: Vec<String> = Kind::ALL.into_iter().filter(|kind| met.contains(kind)).map(Kind::path).collect();
        let mut schemas = self.schemas;
        if let Some(problem) = schemas.get_mut("Problem") {
            problem["properties"]["type"]["enum"] = json!(types);
        }
        if let Some(event) = schemas.get_mut(webhooks::SCHEMA) {
            event["properties"]["type"]["enum"] = webhooks::types();
        }
        let mut components = json!({
            "schemas": schemas,
            "parameters": self.parameters,
            "headers": self.headers,
        });
        let mut used = BTreeSet::new();
        refer(document, &components, &mut used);
        for (of, named) in components.as_object_mut().into_iter().flatten() {
            if let Some(named) = named.as_object_mut() {
                named.retain(|name, _| used.contains(&format!("#/components/{of}/{name}")));
            }
        }
        components["securitySchemes"] = json!({
            "bearer": {
                "type": "http", "scheme": "bearer",
                "description": "A buyer's token or API key, or an operator's API key, as the gateway is set up.",
            },
        });
        components
    }
}

fn filled<T: for<'de> Deserialize<'de>>(text: &str) -> serde_json::Result<T> {
    let mut value = serde_json::from_str(text)?;
    fill(&mut value);
    serde_json::from_value(value)
}

/// Adds whatever `value` refers to, and what that refers to.
fn refer(value: &Value, components: &Value, used: &mut BTreeSet<String>) {
    match value {
        Value::Object(fields) => {
            if let Some(path) = fields.get("$ref").and_then(Value::as_str)
                && used.insert(path.to_owned())
                && let Some(target) = components.pointer(path.trim_start_matches("#/components"))
            {
                refer(target, components, used);
            }
            fields.values().for_each(|field| refer(field, components, used));
        }
        Value::Array(list) => list.iter().for_each(|entry| refer(entry, components, used)),
        _ => {}
    }
}
