//! The document: the tables of routes and of problems, and their descriptions.

use std::collections::BTreeMap;

use flash_vault::Role;
use hyper::StatusCode;
use serde_json::{Map, Value, json};

use super::components::Components;
use super::limits::fill;
use super::problems;
use super::webhooks;
use crate::http::{Access, Answer, Kind, Link, Route, Surface, routes};

const INTRODUCTION: &str = include_str!("introduction.md");

/// The OpenAPI document of what a listener serves.
///
/// # Errors
/// When a piece of it cannot be read.
pub(super) fn of(surface: Surface) -> serde_json::Result<Value> {
    let mut components = Components::read()?;
    let served: Vec<&Route> = routes().filter(|route| surface.has(route.access) && !route.is_page()).collect();
    let is_served = |name: &str| served.iter().any(|route| route.name == name);
    let mut paths = Map::new();
    let mut tags: Vec<Value> = Vec::new();
    // No route has them for its own: they are about whatever is no route.
    let mut met = vec![Kind::NotFound, Kind::MethodNotAllowed, Kind::ForeignPage, Kind::Misdirected];
    for route in &served {
        let kinds = problems::of(route);
        let operation = operation(route, &kinds, &mut components, &is_served);
        paths.entry(route.path).or_insert_with(|| json!({}))[route.method.as_str().to_ascii_lowercase()] = operation;
        let tag = json!({ "name": route.spec.tag });
        if !tags.contains(&tag) {
            tags.push(tag);
        }
        met.extend(kinds);
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": { "title": "Flash", "version": env!("CARGO_PKG_VERSION"), "description": INTRODUCTION.trim() },
        "servers": [{ "url": "/" }],
        "tags": tags,
        "paths": paths,
    });
    if surface.is_operators() {
        document["webhooks"] = webhooks::all().into();
    }
    fill(&mut document);
    document["components"] = components.used(&met, &document);
    Ok(document)
}

fn operation(route: &Route, kinds: &[Kind], components: &mut Components, is_served: &impl Fn(&str) -> bool) -> Value {
    let spec = &route.spec;
    let mut operation = json!({
        "operationId": route.name,
        "tags": [spec.tag],
        "summary": spec.summary,
        "description": format!("{}\n\n{}", spec.description, who(route.access)).trim(),
        "responses": responses(route, kinds, components, is_served),
        "security": if route.access.asks() { json!([{ "bearer": [] }]) } else { json!([]) },
    });
    if !spec.parameters.is_empty() {
        operation["parameters"] = spec.parameters.iter().map(|name| reference("parameters", name)).collect();
    }
    if let Some(body) = spec.body {
        let schema = components.refer(body);
        let examples = components.examples(&schema);
        operation["requestBody"] = json!({
            "required": !spec.body_is_optional,
            "content": { "application/json": { "schema": schema, "examples": examples } },
        });
    }
    operation
}

/// Who may.
fn who(access: Access) -> String {
    match access {
        Access::Open => String::new(),
        Access::Inside => "Only on the operators' listener.".to_owned(),
        Access::Buyer(role) => {
            format!("For buyers, about their own data; for operators, about any buyer's{}.", of_role(role))
        }
        Access::Operator(Role::Read) | Access::Developer(Role::Read) => "For operators.".to_owned(),
        Access::Operator(role) | Access::Developer(role) => {
            format!("For operators{}. The audit log records each call.", of_role(role))
        }
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

fn responses(route: &Route, kinds: &[Kind], components: &mut Components, is_served: &impl Fn(&str) -> bool) -> Value {
    let limited: &[&str] = if route.path.starts_with("/v1/") { &["RateLimit", "RateLimit-Policy"] } else { &[] };
    let mut responses = Map::new();
    for answer in route.spec.answers {
        responses.insert(answer.status.to_string(), response(answer, limited, components, is_served));
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

fn response(
    answer: &Answer,
    limited: &[&str],
    components: &mut Components,
    is_served: &impl Fn(&str) -> bool,
) -> Value {
    let mut response = json!({ "description": answer.means });
    let headers = headers(answer.headers.iter().chain(limited).copied());
    if !headers.is_empty() {
        response["headers"] = headers.into();
    }
    if let Some(schema) = answer.schema {
        response["content"] = json!({ answer.content: { "schema": components.refer(schema) } });
    }
    if let Some(or) = answer.or {
        response["content"][or] = json!({ "schema": reference("schemas", "Text") });
    }
    let links = answer.links.iter().filter(|link| is_served(link.0)).map(|Link(route, parts)| {
        let parts: Map<_, _> = parts.iter().map(|(part, at)| ((*part).to_owned(), Value::from(*at))).collect();
        ((*route).to_owned(), json!({ "operationId": route, "parameters": parts }))
    });
    let links: Map<_, _> = links.collect();
    if !links.is_empty() {
        response["links"] = links.into();
    }
    response
}

fn problem_response(status: u16, kinds: &[Kind]) -> Value {
    let titles: Vec<String> = kinds.iter().map(|kind| format!("`{}`: {}.", kind.slug(), kind.row().title)).collect();
    let example = |kind: &Kind| json!({ "type": kind.path(), "title": kind.row().title, "status": status });
    let examples = kinds.iter().map(|kind| (kind.slug().to_owned(), json!({ "value": example(kind) })));
    let examples: Map<_, _> = examples.collect();
    // Generators of clients refuse a reference with anything beside it: which problems these are, the examples say.
    let schema = reference("schemas", "Problem");
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
