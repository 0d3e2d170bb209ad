//! What the gateway says in `/openapi.json` that it takes is what it takes: whatever else is sent is a problem, on
//! every route of the table.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::support::http::Answer;
use crate::support::world::World;

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// A world, what its gateway says of itself, and something for each part of a path.
struct Told {
    world: World,
    document: Value,
    reservation: String,
}

impl Told {
    fn start(name: &str) -> Self {
        let world = World::start_direct(name);
        world.create_sale(r#"{"sale":"drop","total":9,"hold_ms":600000}"#);
        let document = world.http().get("/openapi.json").expect("an answer").body;
        let made = world.http().post("/v1/sales/drop/reservations", "{\"buyer\":\"ada\"}").expect("an answer");
        Self { document, reservation: made.id().expect("an id").to_owned(), world }
    }

    /// Each path that there is, with its operations by their methods.
    fn paths(&self) -> impl Iterator<Item = (String, &Map<String, Value>)> {
        self.document["paths"].as_object().expect("paths").iter().map(|(path, operations)| {
            let id = if path.contains("/reservations/") { &self.reservation } else { "1" };
            (path.replace("{sale}", "drop").replace("{id}", id), operations.as_object().expect("operations"))
        })
    }

    /// Each route that takes a body: its path, and the body's schema.
    fn bodies(&self) -> Vec<(String, &Value)> {
        let mut bodies = Vec::new();
        for (path, operations) in self.paths() {
            let Some(operation) = operations.get("post") else { continue };
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            if !schema.is_null() {
                bodies.push((path, self.resolved(schema)));
            }
        }
        assert!(bodies.len() > 5, "the document has bodies");
        bodies
    }

    fn resolved<'a>(&'a self, schema: &'a Value) -> &'a Value {
        let Some(path) = schema["$ref"].as_str() else { return schema };
        self.document.pointer(path.trim_start_matches('#')).expect("a reference leads somewhere")
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.world.http().send(method, path, headers, body).expect("an answer")
    }

    /// Sends it as JSON, and expects the problem.
    fn check(&self, path: &str, body: &str, want: (u16, &str)) -> Answer {
        self.check_as(JSON, path, body, want)
    }

    fn check_as(&self, headers: &[(&str, &str)], path: &str, body: &str, want: (u16, &str)) -> Answer {
        let answer = self.send("POST", path, headers, body);
        assert_eq!((answer.status, answer.problem()), want, "{path} {headers:?} {body}: {answer:?}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{path} {body}: {answer:?}");
        answer
    }
}

/// Something that a field of this type is not.
fn wrong(schema: &Value, types: &Value) -> Option<Value> {
    let is = |name: &str| types == name || types.as_array().is_some_and(|types| types.contains(&json!(name)));
    match (is("string"), schema.get("type")) {
        // Anything goes.
        (false, None) => None,
        (true, _) => Some(json!(7)),
        (false, Some(_)) => Some(json!("seven")),
    }
}

#[test]
fn an_unknown_field_and_one_of_a_wrong_type_are_refused_by_their_names() {
    let told = Told::start("openapi_fields");
    for (path, schema) in told.bodies() {
        let mut body = schema["examples"][0].clone();
        body["no_such_field"] = json!(1);
        let refused = told.check(&path, &body.to_string(), (422, "invalid"));
        assert_eq!(refused.body["errors"][0]["pointer"], "/no_such_field", "{refused:?}");
        let fields = schema["properties"].as_object().expect("an object has fields");
        let detail = refused.body["errors"][0]["detail"].as_str().unwrap_or_default();
        let read = detail.split_once("the fields are ").expect("it names them").1.split(", ").collect::<BTreeSet<_>>();
        assert_eq!(read, fields.keys().map(String::as_str).collect(), "{path}: what is read is what is described");
        for (name, field) in fields {
            let field = told.resolved(field);
            let Some(wrong) = wrong(field, &field["type"]) else { continue };
            let mut body = schema["examples"][0].clone();
            body[name] = wrong;
            let refused = told.check(&path, &body.to_string(), (422, "invalid"));
            assert!(refused.body["errors"][0]["detail"].as_str().is_some_and(|told| !told.is_empty()), "{refused:?}");
        }
    }
    let sale = told.world.http().get("/v1/sales/drop").expect("an answer").body;
    assert_eq!((&sale["total"], &sale["available"]), (&json!(9), &json!(8)), "nothing was changed");
}

#[test]
fn what_is_no_json_object_or_is_not_said_to_be_one_is_refused() {
    let told = Told::start("openapi_bodies");
    for (path, schema) in told.bodies() {
        let example = schema["examples"][0].to_string();
        for body in ["[]", "7", "\"{}\"", "{", "{\"a\":}", "\u{feff}{}", "{\0}"] {
            told.check(&path, body, (400, "malformed"));
        }
        for media in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "application/jsonp", ""] {
            told.check_as(&[("content-type", media)], &path, &example, (415, "unsupported-media-type"));
        }
        told.check_as(&[], &path, &example, (415, "unsupported-media-type"));
    }
}

#[test]
fn a_wrong_method_is_refused_with_the_allowed_ones() {
    let told = Told::start("openapi_methods");
    for (path, operations) in told.paths() {
        let mut has: Vec<String> = operations.keys().map(|method| method.to_uppercase()).collect();
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] {
            if has.iter().any(|of| of == method) {
                continue;
            }
            let answer = told.send(method, &path, JSON, "{}");
            assert_eq!((answer.status, answer.problem()), (405, "method-not-allowed"), "{method} {path}: {answer:?}");
            let mut allowed: Vec<&str> = answer.header("allow").expect("Allow").split(", ").collect();
            allowed.retain(|method| *method != "HEAD");
            allowed.sort_unstable();
            has.sort_unstable();
            assert_eq!(allowed, has, "{path}");
        }
    }
}
