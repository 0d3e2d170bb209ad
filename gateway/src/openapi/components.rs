//! What the routes' descriptions name: schemas, parameters and headers.

use std::collections::BTreeSet;

use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::limits::fill;
use super::webhooks;
use crate::http::{Kind, Schema};

/// All of them, by their names.
pub(super) struct Components {
    /// Makes the schemas of types, as they are asked for.
    generator: SchemaGenerator,
    /// The other schemas.
    pub(super) schemas: Map<String, Value>,
    pub(super) parameters: Map<String, Value>,
    pub(super) headers: Map<String, Value>,
}

impl Components {
    /// # Errors
    /// When a piece is not what it should be, which a test would have shown.
    pub(super) fn read() -> serde_json::Result<Self> {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Ok(Self {
            generator: settings.into_generator(),
            schemas: filled(include_str!("schemas.json"))?,
            parameters: filled(include_str!("parameters.json"))?,
            headers: filled(include_str!("headers.json"))?,
        })
    }

    /// What the document refers to, and nothing else: buyers are not told what operators send.
    /// Where a schema is.
    pub(super) fn refer(&mut self, schema: Schema) -> Value {
        match schema {
            Schema::Of(make) => make(&mut self.generator).to_value(),
            Schema::Named(name) => json!({ "$ref": format!("#/components/schemas/{name}") }),
        }
    }

    /// The examples of a schema, by their numbers.
    pub(super) fn examples(&self, reference: &Value) -> Map<String, Value> {
        let name = reference["$ref"].as_str().and_then(|path| path.rsplit('/').next()).unwrap_or_default();
        let schema = self.generator.definitions().get(name).or_else(|| self.schemas.get(name));
        let examples = schema.and_then(|schema| schema["examples"].as_array()).into_iter().flatten().enumerate();
        examples.map(|(at, value)| (at.to_string(), json!({ "value": value }))).collect()
    }

    /// What the document refers to, and nothing else: buyers are not told what operators send.
    pub(super) fn used(mut self, met: &[Kind], document: &Value) -> Value {
        let kinds: Vec<Kind> = Kind::ALL.into_iter().filter(|kind| met.contains(kind)).collect();
        let mut schemas = self.schemas;
        schemas.extend(self.generator.take_definitions(true));
        for schema in schemas.values_mut() {
            plain(schema);
            fill(schema);
        }
        if let Some(problem) = schemas.get_mut("ProblemType") {
            problem["enum"] = kinds.iter().map(|kind| kind.path()).collect();
            // Of a path, generators of clients make no name.
            problem["x-enum-varnames"] = kinds.iter().map(|kind| constant(kind.slug())).collect();
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
                "description": "A buyer's token or API key, or an operator's API key, depending on the gateway's \
                                settings.",
            },
        });
        components
    }
}

/// The name of a constant.
fn constant(slug: &str) -> String {
    slug.replace('-', "_").to_ascii_uppercase()
}

fn filled<T: for<'de> Deserialize<'de>>(text: &str) -> serde_json::Result<T> {
    let mut value = serde_json::from_str(text)?;
    fill(&mut value);
    serde_json::from_value(value)
}

/// Leaves out what says nothing to a reader of JSON: where a line of a comment ended, the width of an integer, and that
/// an absent field may be null, for it is never sent so.
fn plain(schema: &mut Value) {
    let Some(fields) = schema.as_object_mut() else { return };
    fields.retain(|name, value| {
        name != "format"
            || !value.as_str().is_some_and(|format| format.starts_with("uint") || format.starts_with("int"))
    });
    if let Some(Value::String(text)) = fields.get_mut("description") {
        *text = text.split("\n\n").map(|paragraph| paragraph.replace('\n', " ")).collect::<Vec<_>>().join("\n\n");
    }
    let required = fields.get("required").cloned().unwrap_or_default();
    let is_required = |name: &str| required.as_array().is_some_and(|names| names.iter().any(|of| of == name));
    for (name, field) in fields.get_mut("properties").and_then(Value::as_object_mut).into_iter().flatten() {
        if !is_required(name) {
            never_null(field);
        }
    }
    for (name, value) in fields {
        match value {
            Value::Object(named) if name == "properties" => named.values_mut().for_each(plain),
            Value::Array(list) if name != "examples" => list.iter_mut().for_each(plain),
            Value::Object(_) if name == "items" => plain(value),
            _ => {}
        }
    }
}

fn never_null(field: &mut Value) {
    if let Some(kinds) = field.get_mut("type").and_then(Value::as_array_mut) {
        kinds.retain(|kind| kind != "null");
        if let [kind] = &kinds[..] {
            field["type"] = kind.clone();
        }
    }
    let Some(mut choices) = field["anyOf"].as_array().cloned() else { return };
    choices.retain(|choice| choice["type"] != "null");
    if let ([Value::Object(only)], Some(fields)) = (&choices[..], field.as_object_mut()) {
        fields.remove("anyOf");
        fields.extend(only.clone());
    }
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
