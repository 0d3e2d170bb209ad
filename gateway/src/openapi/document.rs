//! The document: the tables of routes and of problems, and what is told of them.

use std::collections::{BTreeMap, BTreeSet};

use flash_vault::Role;
use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::limits::fill;
use super::problems;
use super::spec::{self, Answer, Told};
use super::webhooks;
use crate::http::{Access, Kind, ROUTES, Route, Surface};

const INTRODUCTION: &str = include_str!("introduction.md");

/// The OpenAPI document of what a listener serves.
///
/// # Errors
/// When a piece of it cannot be read.
pub(super) fn of(surface: Surface) -> serde_json::Result<Value> {
    let told = Told::read()?;
    let served: Vec<(&Route, &spec::Route)> = ROUTES
        .iter()
        .filter(|route| surface.has(route))
        .filter_map(|route| Some((route, told.routes.get(route.4)?)))
        .collect();
    let is_served = |name: &str| served.iter().any(|((.., served), _)| *served == name);
    let mut paths = Map::new();
    let mut tags: Vec<Value> = Vec::new();
    // No route has them for its own: they are about whatever is no route.
    let mut met = vec![Kind::NotFound, Kind::MethodNotAllowed, Kind::ForeignPage, Kind::Misdirected];
    for (route, told_of_it) in &served {
        let (method, path, ..) = route;
        let kinds = problems::of(route, told_of_it.body.is_some(), &told_of_it.problems);
        let operation = operation(route, told_of_it, &kinds, &told.schemas, &is_served);
        paths.entry(*path).or_insert_with(|| json!({}))[method.as_str().to_ascii_lowercase()] = operation;
        let tag = json!({ "name": told_of_it.tag });
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        met.extend(kinds);
    }
    let mut introduction = Value::from(INTRODUCTION.trim());
    fill(&mut introduction);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Flash", "version": env!("CARGO_PKG_VERSION"), "description": introduction },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
    });
    if surface.is_operators() {
        document["webhooks"] = webhooks::all().into();
    }
    document["components"] = components(told, &met, &document);
    Ok(document)
}

fn operation(
    (_, path, _, access, name): &Route,
    told: &spec::Route,
    kinds: &[Kind],
    schemas: &Map<String, Value>,
    is_served: &impl Fn(&str) -> bool,
) -> Value {
    let mut operation = json!({
        "operationId": name,
        "tags": [told.tag],
        "summary": told.summary,
        "description": format!("{}\n\n{}", told.description, who(*access)).trim(),
        "responses": responses(path, told, kinds, is_served),
        "security": if access.asks() { json!([{ "bearer": [] }]) } else { json!([]) },
    });
    if !told.parameters.is_empty() {
        operation["parameters"] = told.parameters.iter().map(|name| reference("parameters", name)).collect();
    }
    if let Some(body) = &told.body {
        let examples = schemas.get(body).and_then(|schema| schema["examples"].as_array());
        let examples = examples.into_iter().flatten().enumerate();
        let examples: Map<_, _> = examples.map(|(at, value)| (at.to_string(), json!({ "value": value }))).collect();
        operation["requestBody"] = json!({
            "required": !told.body_is_optional,
            "content": { "application/json": { "schema": reference("schemas", body), "examples": examples } },
        });
    }
    operation
}

/// Who may.
fn who(access: Access) -> String {
    match access {
        Access::Open => String::new(),
        Access::Inside => "On the operators' listener alone.".to_owned(),
        Access::Buyer(role) => {
            format!("For buyers, about what is theirs; for operators, about any buyer's{}.", of_role(role))
        }
        Access::Operator(Role::Read) => "For operators.".to_owned(),
        Access::Operator(role) => format!("For operators{}. It is in the audit log.", of_role(role)),
    }
}

/// Which keys may, but for those that may do everything.
fn of_role(role: Role) -> String {
    match role {
        Role::Buyer | Role::Read => String::new(),
        Role::Admin | Role::Operate => " whose key has the role `admin`".to_owned(),
        Role::Sell | Role::Pay => format!(" whose key has the role `{}` or `admin`", role.name()),
    }
}

fn responses(path: &str, told: &spec::Route, kinds: &[Kind], is_served: &impl Fn(&str) -> bool) -> Value {
    let limited: &[&str] = if path.starts_with("/v1/") { &["RateLimit", "RateLimit-Policy"] } else { &[] };
    let mut responses = Map::new();
    for (status, answer) in &told.answers {
        responses.insert(status.clone(), response(answer, limited, is_served));
    }
    let mut by_status: BTreeMap<u16, Vec<Kind>> = BTreeMap::new();
    for kind in kinds {
        by_status.entry(kind.row().status.as_u16()).or_default().push(*kind);
    }
    for (status, kinds) in by_status {
        responses.insert(status.to_string(), problem_response(status, &kinds));
    }
    responses.into()
}

fn response(answer: &Answer, limited: &[&str], is_served: &impl Fn(&str) -> bool) -> Value {
    let mut response = json!({ "description": answer.means });
    let headers = headers(answer.headers.iter().map(String::as_str).chain(limited.iter().copied()));
    if !headers.is_empty() {
        response["headers"] = headers.into();
    }
    if let Some(schema) = &answer.schema {
        response["content"] = json!({ &answer.content: { "schema": reference("schemas", schema) } });
    }
    if let Some(or) = &answer.or {
        response["content"][or] = json!({ "schema": reference("schemas", "Text") });
    }
    let links = answer.links.iter().filter(|(route, _)| is_served(route));
    let links: Map<_, _> =
        links.map(|(route, parts)| (route.clone(), json!({ "operationId": route, "parameters": parts }))).collect();
    if !links.is_empty() {
        response["links"] = links.into();
    }
    response
}

fn problem_response(status: u16, kinds: &[Kind]) -> Value {
    let titles: Vec<String> = kinds.iter().map(|kind| format!("`{}`: {}.", kind.slug(), kind.row().title)).collect();
    let paths: Vec<String> = kinds.iter().map(|kind| kind.path()).collect();
    let example = |kind: &Kind| json!({ "type": kind.path(), "title": kind.row().title, "status": status });
    let examples = kinds.iter().map(|kind| (kind.slug().to_owned(), json!({ "value": example(kind) })));
    let examples: Map<_, _> = examples.collect();
    let mut schema = reference("schemas", "Problem");
    schema["properties"] = json!({ "type": { "enum": paths } });
    let mut response = json!({
        "description": titles.join(" "),
        "content": { "application/problem+json": { "schema": schema, "examples": examples } },
    });
    let named: &[&str] = match StatusCode::from_u16(status) {
        Ok(StatusCode::UNAUTHORIZED) => &["WWW-Authenticate"],
        Ok(StatusCode::TOO_MANY_REQUESTS) => &["Retry-After", "RateLimit", "RateLimit-Policy"],
        Ok(StatusCode::SERVICE_UNAVAILABLE) => &["Retry-After"],
        _ if kinds.contains(&Kind::NotStarted) => &["Retry-After"],
        _ => &[],
    };
    if !named.is_empty() {
        response["headers"] = headers(named.iter().copied()).into();
    }
    response
}

fn headers<'a>(names: impl Iterator<Item = &'a str>) -> Map<String, Value> {
    names.map(|name| (name.to_owned(), reference("headers", name))).collect()
}

fn reference(of: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{of}/{name}") })
}

/// What the document refers to, and nothing else: buyers are not told what operators send.
fn components(told: Told, met: &[Kind], document: &Value) -> Value {
    let types: Vec<String> = Kind::ALL.into_iter().filter(|kind| met.contains(kind)).map(Kind::path).collect();
    let mut schemas = told.schemas;
    if let Some(problem) = schemas.get_mut("Problem") {
        problem["properties"]["type"]["enum"] = json!(types);
    }
    if let Some(event) = schemas.get_mut(webhooks::SCHEMA) {
        event["properties"]["type"]["enum"] = webhooks::types();
    }
    let mut components = json!({
        "schemas": schemas,
        "parameters": told.parameters,
        "headers": told.headers,
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
