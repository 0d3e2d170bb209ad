//! Where requests go.

use super::*;

fn check(method: Method, path: &str, want: Result<(&str, &str, &str), Problem>) {
    check_of(Surface::Devtools, method, path, want);
}

fn check_of(surface: Surface, method: Method, path: &str, want: Result<(&str, &str, &str), Problem>) {
    let got = Routes::new(surface).unwrap().find(&method, path);
    let got = got.as_ref().map(|(_, target)| (target.route, target.sale.as_str(), target.id.as_str()));
    assert_eq!(got, want.as_ref().map(|want| *want), "{surface:?} {method} {path}");
}

#[test]
fn every_route_is_found_with_its_parts() {
    check(Method::POST, "/v1/sales", Ok(("create-sale", "", "")));
    check(Method::GET, "/v1/sales", Ok(("list-sales", "", "")));
    check(Method::GET, "/v1/syncers", Ok(("list-syncers", "", "")));
    check(Method::GET, "/v1/relay", Ok(("show-relay", "", "")));
    check(Method::GET, "/v1/quarantine", Ok(("list-quarantine", "", "")));
    check(Method::GET, "/v1/quarantine/7", Ok(("show-quarantined", "", "7")));
    check(Method::POST, "/v1/quarantine/7/replay", Ok(("replay", "", "7")));
    check(Method::POST, "/v1/quarantine/7/discard", Ok(("discard", "", "7")));
    check(Method::GET, "/v1/audit", Ok(("show-audit", "", "")));
    check(Method::GET, "/v1/health", Ok(("show-health", "", "")));
    check(Method::POST, "/v1/simulations", Ok(("simulate", "", "")));
    check(Method::GET, "/v1/simulations/7", Ok(("show-simulation", "", "7")));
    check(Method::DELETE, "/v1/simulations/7", Ok(("stop-simulation", "", "7")));
    check(Method::POST, "/v1/faults/rain", Ok(("make-fault", "", "rain")));
    check(Method::GET, "/v1/sales/drop", Ok(("show-sale", "drop", "")));
    check(Method::HEAD, "/v1/sales/drop", Ok(("show-sale", "drop", "")));
    check(Method::GET, "/v1/sales/drop/events", Ok(("watch-sale", "drop", "")));
    check(Method::POST, "/v1/sales/drop/restock", Ok(("restock", "drop", "")));
    check(Method::POST, "/v1/sales/drop/open", Ok(("open-sale", "drop", "")));
    check(Method::POST, "/v1/sales/drop/close", Ok(("close-sale", "drop", "")));
    check(Method::POST, "/v1/sales/drop/reservations", Ok(("reserve", "drop", "")));
    check(Method::GET, "/v1/sales/drop/reservations", Ok(("list-reservations", "drop", "")));
    check(Method::GET, "/v1/sales/drop/reservations/7", Ok(("show-reservation", "drop", "7")));
    check(Method::DELETE, "/v1/sales/drop/reservations/7", Ok(("release", "drop", "7")));
    check(Method::POST, "/v1/sales/drop/reservations/7/confirm", Ok(("confirm", "drop", "7")));
    check(Method::POST, "/v1/webhooks", Ok(("add-webhook", "", "")));
    check(Method::GET, "/v1/webhooks", Ok(("list-webhooks", "", "")));
    check(Method::DELETE, "/v1/webhooks/7", Ok(("remove-webhook", "", "7")));
    check(Method::POST, "/v1/keys", Ok(("create-key", "", "")));
    check(Method::GET, "/v1/keys", Ok(("list-keys", "", "")));
    check(Method::DELETE, "/v1/keys/flash_read_7", Ok(("revoke-key", "", "flash_read_7")));
    check(Method::GET, "/v1/audit-log", Ok(("show-audit-log", "", "")));
    check(Method::GET, "/v1/sales/drop/form", Ok(("show-form", "drop", "")));
    check(Method::POST, "/v1/products", Ok(("create-product", "", "")));
    check(Method::GET, "/v1/products", Ok(("list-products", "", "")));
    check(Method::GET, "/v1/products/shirt", Ok(("show-product", "", "shirt")));
    check(Method::POST, "/v1/buyers", Ok(("create-buyer", "", "")));
    check(Method::GET, "/v1/buyers", Ok(("list-buyers", "", "")));
    check(Method::GET, "/v1/buyers/ada", Ok(("show-buyer", "", "ada")));
    check(Method::GET, "/v1/payments", Ok(("list-payments", "", "")));
    check(Method::POST, "/v1/payments/7/refunded", Ok(("refunded", "", "7")));
    check(Method::GET, "/v1/whoami", Ok(("whoami", "", "")));
    check(Method::GET, "/livez", Ok(("livez", "", "")));
    check(Method::GET, "/readyz", Ok(("readyz", "", "")));
    check(Method::GET, "/metrics", Ok(("metrics", "", "")));
    check(Method::GET, "/openapi.json", Ok(("openapi", "", "")));
    check(Method::GET, "/docs", Ok(("docs", "", "")));
    check(Method::GET, "/problems/sold-out", Ok(("show-problem", "", "sold-out")));
    check(Method::GET, "/console", Ok(("find-console", "", "")));
    check(Method::GET, "/console/", Ok(("console", "", "")));
    check(Method::GET, "/console/icon.svg", Ok(("console-file", "", "icon.svg")));
}

#[test]
fn each_route_has_a_name_of_its_own_and_those_that_cost_something_may_be_limited() {
    let names: std::collections::BTreeSet<&str> = routes().map(|route| route.name).collect();
    assert_eq!(names.len(), routes().count());
    let others: Vec<&str> =
        routes().map(|route| route.name).filter(|name| route_names().all(|of| of != *name)).collect();
    assert_eq!(
        others,
        ["find-start", "livez", "readyz", "metrics", "show-problem", "find-console", "console", "console-file"]
    );
    assert_eq!((route_path("reserve"), route_path("nothing")), ("/v1/sales/{sale}/reservations", ""));
}

#[test]
fn what_is_the_operators_is_not_there_for_buyers() {
    let check = |method, path, want| check_of(Surface::Buyers, method, path, want);
    check(Method::GET, "/v1/sales/drop", Ok(("show-sale", "drop", "")));
    check(Method::POST, "/v1/sales/drop/reservations", Ok(("reserve", "drop", "")));
    let others = Problem::method_not_allowed("POST".to_owned());
    check(Method::GET, "/v1/sales/drop/reservations", Err(others));
    for path in [
        "/v1/sales",
        "/v1/relay",
        "/v1/syncers",
        "/v1/audit",
        "/v1/health",
        "/v1/quarantine",
        "/v1/quarantine/7",
        "/v1/quarantine/7/replay",
        "/v1/quarantine/7/discard",
        "/v1/sales/drop/restock",
        "/v1/keys",
        "/v1/keys/x",
        "/v1/audit-log",
        "/v1/whoami",
        "/v1/payments",
        "/v1/payments/7/refunded",
        "/v1/webhooks",
        "/metrics",
        "/console",
        "/console/",
        "/console/icon.svg",
    ] {
        for method in [Method::GET, Method::POST, Method::DELETE, Method::PUT] {
            check(method, path, Err(Kind::NotFound.into()));
        }
    }
}

#[test]
fn what_is_the_developers_is_there_with_developer_tools_alone() {
    for surface in [Surface::Buyers, Surface::Whole] {
        for path in ["/v1/simulations", "/v1/simulations/7", "/v1/faults/rain"] {
            for method in [Method::GET, Method::POST, Method::DELETE] {
                check_of(surface, method, path, Err(Kind::NotFound.into()));
            }
        }
    }
}

#[test]
fn an_unknown_path_is_not_found() {
    for path in
        ["//", "", "*", "/v1/sales/", "/v1/sales//reservations", "/v1/sales/a/b", "/livez/", "/V1/sales", "\u{eb}"]
    {
        check(Method::GET, path, Err(Kind::NotFound.into()));
    }
}

#[test]
fn a_wrong_method_is_answered_with_the_right_ones() {
    let allow = |methods: &str| Err(Problem::method_not_allowed(methods.to_owned()));
    check(Method::PUT, "/v1/sales", allow("POST, GET, HEAD"));
    check(Method::DELETE, "/v1/sales/drop", allow("GET, HEAD"));
    check(Method::TRACE, "/v1/sales/drop/reservations", allow("POST, GET, HEAD"));
    check(Method::PUT, "/v1/sales/drop/reservations/7", allow("GET, HEAD, DELETE"));
    check(Method::HEAD, "/v1/sales/drop/restock", allow("POST"));
}
