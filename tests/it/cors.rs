//! Pages of other origins: those whose origin is named may use the API, and no others.

use flash_tests::http::{Answer, Http};

use crate::support::world::World;

const SHOP: &str = "https://shop.example";
const EVIL: &str = "https://evil.example";

fn allowed(answer: &Answer) -> Option<&str> {
    answer.header("access-control-allow-origin")
}

#[test]
fn only_pages_of_a_named_origin_may_use_the_api() {
    let mut world = World::start_direct("cors");
    world.start_second_gateway_with(&["--cors-origins", &format!("{SHOP},http://localhost:3000")]);
    let mut http = Http::connect(world.address).expect("a gateway");
    http.post("/v1/sales", r#"{"sale":"drop","total":10,"limit":10}"#).expect("an answer");
    let path = "/v1/sales/drop/reservations";
    let mut ask = |method: &str, origin: &str, headers: &[(&str, &str)], body: &str| {
        let headers: Vec<_> =
            [("origin", origin), ("sec-fetch-site", "cross-site")].iter().chain(headers).copied().collect();
        http.send(method, path, &headers, body).expect("an answer")
    };
    let asks = [("access-control-request-method", "POST"), ("access-control-request-headers", "idempotency-key")];
    let preflight = ask("OPTIONS", SHOP, &asks, "");
    assert_eq!((preflight.status, allowed(&preflight)), (204, Some(SHOP)));
    assert_eq!(preflight.header("access-control-max-age"), Some("7200"));
    let takes = preflight.header("access-control-allow-headers").expect("the headers");
    assert!(takes.contains("authorization") && takes.contains("idempotency-key"), "{takes}");
    let refused = ask("OPTIONS", EVIL, &asks, "");
    assert_eq!((refused.status, allowed(&refused)), (405, None));

    let json = [("content-type", "application/json")];
    let reserved = ask("POST", SHOP, &json, r#"{"buyer":"ada"}"#);
    assert_eq!((reserved.status, allowed(&reserved)), (201, Some(SHOP)), "{}", reserved.body);
    // A page reads the problem as well.
    let invalid = ask("POST", SHOP, &json, r#"{"buyer":"ada","quantity":0}"#);
    assert_eq!((invalid.status, allowed(&invalid)), (422, Some(SHOP)));
    for answer in [&preflight, &reserved, &invalid] {
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    let foreign = ask("POST", EVIL, &json, r#"{"buyer":"eve"}"#);
    assert_eq!((foreign.status, allowed(&foreign)), (403, None));
    let sale = http.get("/v1/sales/drop").expect("an answer");
    assert_eq!(sale.body["available"], 9, "one reservation alone was made");
}
