//! Where requests go.

use super::*;

fn check(method: Method, path: &str, want: Result<(Endpoint, &str, &str), Problem>) {
    check_of(Surface::Devtools, method, path, want);
}

fn check_of(surface: Surface, method: Method, path: &str, want: Result<(Endpoint, &str, &str), Problem>) {
    let got = Routes::new(surface).unwrap().find(&method, path);
    let got = got.as_ref().map(|target| (target.endpoint, target.sale.as_str(), target.id.as_str()));
    assert_eq!(got, want.as_ref().map(|want| *want), "{surface:?} {method} {path}");
}

#[test]
fn every_route_is_found_with_its_parts() {
    check(Method::POST, "/v1/sales", Ok((Endpoint::CreateSale, "", "")));
    check(Method::GET, "/v1/sales", Ok((Endpoint::ListSales, "", "")));
    check(Method::GET, "/v1/syncers", Ok((Endpoint::ListSyncers, "", "")));
    check(Method::GET, "/v1/relay", Ok((Endpoint::ShowRelay, "", "")));
    check(Method::GET, "/v1/quarantine", Ok((Endpoint::ListQuarantine, "", "")));
    check(Method::GET, "/v1/quarantine/7", Ok((Endpoint::ShowQuarantined, "", "7")));
    check(Method::POST, "/v1/quarantine/7/replay", Ok((Endpoint::Replay, "", "7")));
    check(Method::POST, "/v1/quarantine/7/discard", Ok((Endpoint::Discard, "", "7")));
    check(Method::GET, "/v1/audit", Ok((Endpoint::ShowAudit, "", "")));
    check(Method::GET, "/v1/health", Ok((Endpoint::ShowHealth, "", "")));
    check(Method::POST, "/v1/simulations", Ok((Endpoint::Simulate, "", "")));
    check(Method::GET, "/v1/simulations/7", Ok((Endpoint::ShowSimulation, "", "7")));
    check(Method::DELETE, "/v1/simulations/7", Ok((Endpoint::StopSimulation, "", "7")));
    check(Method::POST, "/v1/faults/rain", Ok((Endpoint::MakeFault, "", "rain")));
    check(Method::GET, "/v1/sales/drop", Ok((Endpoint::ShowSale, "drop", "")));
    check(Method::HEAD, "/v1/sales/drop", Ok((Endpoint::ShowSale, "drop", "")));
    check(Method::GET, "/v1/sales/drop/events", Ok((Endpoint::WatchSale, "drop", "")));
    check(Method::POST, "/v1/sales/drop/restock", Ok((Endpoint::Restock, "drop", "")));
    check(Method::POST, "/v1/sales/drop/open", Ok((Endpoint::OpenSale, "drop", "")));
    check(Method::POST, "/v1/sales/drop/close", Ok((Endpoint::CloseSale, "drop", "")));
    check(Method::POST, "/v1/sales/drop/reservations", Ok((Endpoint::Reserve, "drop", "")));
    check(Method::GET, "/v1/sales/drop/reservations", Ok((Endpoint::ListReservations, "drop", "")));
    check(Method::GET, "/v1/sales/drop/reservations/7", Ok((Endpoint::ShowReservation, "drop", "7")));
    check(Method::DELETE, "/v1/sales/drop/reservations/7", Ok((Endpoint::ReleaseReservation, "drop", "7")));
    check(Method::POST, "/v1/sales/drop/reservations/7/confirm", Ok((Endpoint::ConfirmReservation, "drop", "7")));
    check(Method::POST, "/v1/webhooks", Ok((Endpoint::AddWebhook, "", "")));
    check(Method::GET, "/v1/webhooks", Ok((Endpoint::ListWebhooks, "", "")));
    check(Method::DELETE, "/v1/webhooks/7", Ok((Endpoint::RemoveWebhook, "", "7")));
    check(Method::POST, "/v1/keys", Ok((Endpoint::CreateKey, "", "")));
    check(Method::GET, "/v1/keys", Ok((Endpoint::ListKeys, "", "")));
    check(Method::DELETE, "/v1/keys/flash_read_7", Ok((Endpoint::RevokeKey, "", "flash_read_7")));
    check(Method::GET, "/v1/audit-log", Ok((Endpoint::ShowAuditLog, "", "")));
    check(Method::GET, "/v1/sales/drop/form", Ok((Endpoint::ShowForm, "drop", "")));
    check(Method::POST, "/v1/products", Ok((Endpoint::CreateProduct, "", "")));
    check(Method::GET, "/v1/products/shirt", Ok((Endpoint::ShowProduct, "", "shirt")));
    check(Method::POST, "/v1/buyers", Ok((Endpoint::CreateBuyer, "", "")));
    check(Method::GET, "/v1/buyers/ada", Ok((Endpoint::ShowBuyer, "", "ada")));
    check(Method::GET, "/v1/payments", Ok((Endpoint::ListPayments, "", "")));
    check(Method::POST, "/v1/payments/7/refunded", Ok((Endpoint::Refunded, "", "7")));
    check(Method::GET, "/v1/whoami", Ok((Endpoint::ShowCaller, "", "")));
    check(Method::GET, "/livez", Ok((Endpoint::Live, "", "")));
    check(Method::GET, "/readyz", Ok((Endpoint::Ready, "", "")));
    check(Method::GET, "/metrics", Ok((Endpoint::Metrics, "", "")));
    check(Method::GET, "/openapi.json", Ok((Endpoint::ShowDocument, "", "")));
    check(Method::GET, "/docs", Ok((Endpoint::ShowDocs, "", "")));
    check(Method::GET, "/problems/sold-out", Ok((Endpoint::ShowProblem, "", "sold-out")));
    check(Method::GET, "/console", Ok((Endpoint::FindConsole, "", "")));
    check(Method::GET, "/console/", Ok((Endpoint::ShowConsole, "", "")));
    check(Method::GET, "/console/icon.svg", Ok((Endpoint::ShowConsoleFile, "", "icon.svg")));
}

#[test]
fn each_route_has_a_name_of_its_own_and_those_that_cost_something_may_be_limited() {
    let names: std::collections::BTreeSet<&str> = ROUTES.iter().map(|(.., name)| *name).collect();
    assert_eq!(names.len(), ROUTES.len());
    let others: Vec<&str> =
        ROUTES.iter().map(|(.., name)| *name).filter(|name| route_names().all(|of| of != *name)).collect();
    assert_eq!(
        others,
        ["find-start", "livez", "readyz", "metrics", "show-problem", "find-console", "console", "console-file"]
    );
    assert_eq!((route_path("reserve"), route_path("nothing")), ("/v1/sales/{sale}/reservations", ""));
}

#[test]
fn what_is_the_operators_is_not_there_for_buyers() {
    let check = |method, path, want| check_of(Surface::Buyers, method, path, want);
    check(Method::GET, "/v1/sales/drop", Ok((Endpoint::ShowSale, "drop", "")));
    check(Method::POST, "/v1/sales/drop/reservations", Ok((Endpoint::Reserve, "drop", "")));
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
fn a_wrong_method_is_told_the_right_ones() {
    let allow = |methods: &str| Err(Problem::method_not_allowed(methods.to_owned()));
    check(Method::PUT, "/v1/sales", allow("POST, GET, HEAD"));
    check(Method::DELETE, "/v1/sales/drop", allow("GET, HEAD"));
    check(Method::TRACE, "/v1/sales/drop/reservations", allow("POST, GET, HEAD"));
    check(Method::PUT, "/v1/sales/drop/reservations/7", allow("GET, HEAD, DELETE"));
    check(Method::HEAD, "/v1/sales/drop/restock", allow("POST"));
}
