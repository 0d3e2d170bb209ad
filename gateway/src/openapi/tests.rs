//! The document is consistent and complete.

use std::collections::BTreeSet;

use flash_webhooks::EVENTS;
use serde_json::{Value, json};

use super::components::Components;
use super::*;
use crate::http::{Access, Kind, Route, routes};

fn document(surface: Surface) -> Value {
    serde_json::from_slice(&of(surface).document).unwrap()
}

/// Every value of a document, with its JSON pointer.
fn walk<'a>(value: &'a Value, way: &str, see: &mut impl FnMut(&str, &'a Value)) {
    see(way, value);
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                walk(value, &format!("{way}/{}", name.replace('~', "~0").replace('/', "~1")), see);
            }
        }
        Value::Array(list) => list.iter().enumerate().for_each(|(at, value)| walk(value, &format!("{way}/{at}"), see)),
        _ => {}
    }
}

/// Both documents are looked at whole.
fn check(see: impl Fn(&Value, &str, &Value)) {
    for surface in [Surface::Buyers, Surface::Whole, Surface::Devtools] {
        let document = document(surface);
        walk(&document, "", &mut |way, value| see(&document, way, value));
    }
}

fn names(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

#[test]
fn every_route_is_described_and_nothing_else_is() {
    for surface in [Surface::Buyers, Surface::Whole, Surface::Devtools] {
        let document = document(surface);
        let mut count = 0;
        for route in routes() {
            let operation = &document["paths"][route.path][route.method.as_str().to_ascii_lowercase()];
            let want = if surface.has(route.access) && !route.is_page() { json!(route.name) } else { Value::Null };
            assert_eq!(operation["operationId"], want, "{surface:?}");
            assert!(!route.spec.tag.is_empty() && !route.spec.summary.is_empty(), "{} says what it is for", route.name);
            count += usize::from(surface.has(route.access) && !route.is_page());
        }
        let operations = document["paths"].as_object().unwrap().values().map(|path| path.as_object().unwrap().len());
        assert_eq!(operations.sum::<usize>(), count);
    }
}

#[test]
fn the_parts_of_a_path_are_described_and_no_others() {
    let document = document(Surface::Devtools);
    for Route { method, path, .. } in routes().filter(|route| !route.is_page()) {
        let operation = &document["paths"][*path][method.as_str().to_ascii_lowercase()];
        let parameters = operation["parameters"].as_array().into_iter().flatten();
        let parameters = parameters.map(|parameter| resolved(&document, parameter));
        let told = parameters.filter(|parameter| parameter["in"] == "path");
        let told: BTreeSet<&str> = told.filter_map(|parameter| parameter["name"].as_str()).collect();
        let parts = path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        assert_eq!(told, parts.collect(), "{path}");
    }
}

fn resolved<'a>(document: &'a Value, value: &'a Value) -> &'a Value {
    let Some(path) = value["$ref"].as_str() else { return value };
    document.pointer(path.trim_start_matches('#')).unwrap()
}

#[test]
fn every_reference_leads_somewhere_and_every_component_is_referred_to() {
    for surface in [Surface::Buyers, Surface::Whole, Surface::Devtools] {
        let document = document(surface);
        let mut used = BTreeSet::new();
        walk(&document, "", &mut |way, value| {
            if let (true, Some(path)) = (way.ends_with("/$ref"), value.as_str()) {
                assert!(document.pointer(path.trim_start_matches('#')).is_some(), "{way}: {path}");
                used.insert(path.to_owned());
            }
        });
        for of in ["schemas", "parameters", "headers"] {
            for name in names(&document["components"][of]) {
                assert!(used.contains(&format!("#/components/{of}/{name}")), "{surface:?}: nothing uses {name}");
            }
        }
    }
    let told = Components::read().unwrap();
    let whole = document(Surface::Devtools);
    for (of, told) in [("schemas", told.schemas), ("parameters", told.parameters), ("headers", told.headers)] {
        let used = names(&whole["components"][of]);
        assert!(names(&told.into()).is_subset(&used), "no route uses the others");
    }
}

/// Whether an example is as its schema says.
fn check_example(document: &Value, way: &str, schema: &Value, example: &Value) {
    let mut whole = json!({ "components": document["components"], "allOf": [schema] });
    whole["$schema"] = json!("https://json-schema.org/draft/2020-12/schema");
    let validator = jsonschema::draft202012::new(&whole).unwrap_or_else(|error| panic!("{way}: {error}"));
    let errors: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{way}: {example} {errors:?}");
}

#[test]
fn every_example_is_as_its_schema_says() {
    check(|document, way, value| {
        let is_schema = way.starts_with("/components/schemas/") && way.split('/').count() == 4;
        if is_schema {
            let examples = value["examples"].as_array().unwrap_or_else(|| panic!("{way} has no examples"));
            examples.iter().for_each(|example| check_example(document, way, value, example));
        }
        if let (Some(schema), Some(example)) = (value.get("schema"), value.get("example")) {
            check_example(document, way, schema, example);
        }
        if let (Some(schema), Some(examples)) = (value.get("schema"), value["examples"].as_object()) {
            examples.values().for_each(|example| check_example(document, way, schema, &example["value"]));
        }
    });
}

#[test]
fn what_is_sent_has_the_fields_that_it_may_have_and_no_others() {
    fn check(document: &Value, way: &str, schema: &Value) {
        let schema = resolved(document, schema);
        if schema.get("properties").is_none() {
            return;
        }
        assert_eq!(schema["additionalProperties"], false, "{way}");
        for (name, field) in schema["properties"].as_object().unwrap() {
            check(document, &format!("{way}.{name}"), field);
            if let Some(items) = resolved(document, field).get("items") {
                check(document, &format!("{way}.{name}[]"), items);
            }
        }
    }
    let document = document(Surface::Devtools);
    let mut bodies = 0;
    walk(&document["paths"], "", &mut |way, value| {
        if way.ends_with("/requestBody/content/application~1json/schema") {
            check(&document, way, value);
            bodies += 1;
        }
    });
    assert!(bodies > 5);
}

#[test]
fn every_problem_has_its_places_and_every_place_a_problem() {
    let document = document(Surface::Devtools);
    let types = document["components"]["schemas"]["ProblemType"]["enum"].as_array().unwrap();
    let types: Vec<&str> = types.iter().filter_map(Value::as_str).collect();
    assert_eq!(types, Kind::ALL.map(Kind::path));
}

#[test]
fn no_name_of_a_limit_is_left() {
    check(|_, way, value| {
        let text = value.as_str().unwrap_or_default();
        let is_name =
            |part: &str| part.split('}').next().is_some_and(|name| name.contains("_M") || name.contains("DEF"));
        assert!(!text.split('{').skip(1).any(is_name), "{way}: {text}");
    });
}

#[test]
fn the_document_for_buyers_has_nothing_of_the_operators() {
    let document = document(Surface::Buyers);
    for Route { method, path, access, .. } in routes() {
        let is_buyers = matches!(access, Access::Open | Access::Buyer(_));
        let operation = &document["paths"][*path][method.as_str().to_ascii_lowercase()];
        assert!(is_buyers || operation.is_null(), "{method} {path}");
    }
    let schemas = names(&document["components"]["schemas"]);
    assert!(schemas.contains("Wish") && !schemas.contains("NewKey") && !schemas.contains("Restock"), "{schemas:?}");
    let page = String::from_utf8(of(Surface::Buyers).page.to_vec()).unwrap();
    assert!(page.contains("POST</span> <code>/v1/sales/{sale}/reservations") && !page.contains("/v1/keys"));
    assert!(document.get("webhooks").is_none() && !page.contains("order.confirmed"));
}

/// That what is delivered keeps the schema, the test of the examples shows: each is made as a delivery is.
#[test]
fn webhook_bodies_have_only_fields_of_the_schema() {
    fn check(document: &Value, way: &str, schema: &Value, told: &Value) {
        let schema = resolved(document, schema);
        for (name, value) in told.as_object().into_iter().flatten() {
            let field = &schema["properties"][name];
            assert!(!field.is_null(), "{way}.{name}");
            // What a buyer sent is anybody's.
            if field.get("type").is_some() {
                check(document, &format!("{way}.{name}"), field, value);
            }
        }
        told.as_array().into_iter().flatten().for_each(|entry| check(document, way, &schema["items"], entry));
    }
    let document = document(Surface::Devtools);
    for (name, item) in document["webhooks"].as_object().unwrap() {
        let content = &item["post"]["requestBody"]["content"]["application/json"];
        assert_eq!(&content["examples"]["0"]["value"]["type"], name);
        check(&document, name, &content["schema"], &content["examples"]["0"]["value"]);
    }
}

#[test]
fn the_page_has_every_route_and_every_problem_and_loads_nothing() {
    let page = String::from_utf8(of(Surface::Devtools).page.to_vec()).unwrap();
    for Route { name, .. } in routes().filter(|route| !route.is_page()) {
        assert!(page.contains(&format!("<article id=\"{name}\">")) && page.contains(&format!("href=\"#{name}\"")));
    }
    for kind in Kind::ALL {
        assert!(page.contains(&format!("href=\"{}\"", kind.path())), "{kind:?}");
    }
    for event in EVENTS {
        assert!(page.contains(&format!("<article id=\"{}\">", event.kind)), "{event:?}");
    }
    for loads in
        ["<script", "<link", "<img", "src=", "url(", "@import", "style=\"", "onclick", "http://", "https://cdn"]
    {
        assert!(!page.contains(loads), "{loads}");
    }
}
