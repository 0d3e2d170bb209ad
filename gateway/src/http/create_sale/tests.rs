//! What a body may say of a sale.

use super::*;

fn check(json: &str, want: impl FnOnce(&mut Terms)) {
    let mut terms = Terms { journal_events_max: Some(JOURNAL_EVENTS_DEFAULT), ..Terms::simple(10) };
    want(&mut terms);
    let order = Order::read(json.as_bytes()).unwrap();
    assert_eq!((order.sale.as_ref(), order.terms), ("drop", terms), "{json}");
}

fn check_bad(json: &str, pointer: &str, detail: &str) {
    let error = FieldError { pointer: pointer.to_owned(), detail: detail.to_owned() };
    assert_eq!(Order::read(json.as_bytes()).map(|order| order.terms), Err(error.into()), "{json}");
}

#[test]
fn an_order_has_the_terms_that_it_says_and_defaults_for_the_rest() {
    check(r#"{"sale":"drop","total":10}"#, |_| ());
    let json = r#"{"sale":"drop","skus":[{"sku":"s","total":1},{"sku":"m","total":2}],"limit":2,"hold_ms":3,
        "opens_at_ms":400000000000,"closes_at_ms":500000000000,"journal_events_max":6}"#;
    check(json, |terms| {
        let sku = |name: &str, total| SkuTerms { name: name.to_owned(), total };
        *terms = Terms {
            skus: vec![sku("s", 1), sku("m", 2)],
            limit: 2,
            hold_ms: Some(3),
            opens_at_ms: Some(400_000_000_000),
            closes_at_ms: Some(500_000_000_000),
            journal_events_max: Some(6),
        };
    });
}

#[test]
fn a_sale_without_an_id_gets_one() {
    let ids = [(); 2].map(|()| Order::read(br#"{"total":1}"#).unwrap().sale);
    assert!(check_sale(&ids[0]).is_ok() && ids[0] != ids[1], "{ids:?}");
}

#[test]
fn an_order_that_breaks_a_rule_is_refused_by_its_field() {
    check_bad("{}", "/total", "total must be given");
    check_bad(r#"{"total":0}"#, "/total", "total must be 1 to 1000000000");
    check_bad(r#"{"total":1,"skus":[{"sku":"s","total":1}]}"#, "/total", "total cannot be combined with skus");
    check_bad(r#"{"skus":[]}"#, "/skus", "skus must be 1 to 64");
    check_bad(r#"{"skus":[{"sku":"s"}]}"#, "/skus/0/total", "total must be given");
    check_bad(
        r#"{"skus":[{"sku":"s","total":1},{"sku":"s","total":1}]}"#,
        "/skus",
        "skus must not name the same SKU twice",
    );
    let rule = "sale must be 1 to 64 letters, digits, '.', '_' or '-', and not . or ..";
    for time in ["1", "1796000000", "99999999999"] {
        let rule = "must be Unix milliseconds, 100000000000 to 253402300799999, not seconds";
        check_bad(&format!(r#"{{"total":1,"opens_at_ms":{time}}}"#), "/opens_at_ms", &format!("opens_at_ms {rule}"));
        check_bad(&format!(r#"{{"total":1,"closes_at_ms":{time}}}"#), "/closes_at_ms", &format!("closes_at_ms {rule}"));
    }
    check_bad(r#"{"total":1,"sale":"a b"}"#, "/sale", rule);
    check_bad(r#"{"total":1,"limit":0}"#, "/limit", "limit must be 1 to 1000000000");
    check_bad(r#"{"total":1,"hold_ms":0}"#, "/hold_ms", "hold_ms must be 1 to 2592000000");
    check_bad(
        r#"{"total":1,"opens_at_ms":500000000000,"closes_at_ms":500000000000}"#,
        "/closes_at_ms",
        "closes_at_ms must be later than opens",
    );
    check_bad(
        r#"{"total":1,"journal_events_max":0}"#,
        "/journal_events_max",
        "journal_events_max must be 1 to 1000000000",
    );
    let fields = "sale, total, skus, limit, hold_ms, opens_at_ms, closes_at_ms, journal_events_max, product, form";
    check_bad(r#"{"total":1,"stock":1}"#, "/stock", &format!("unknown field stock; the fields are {fields}"));
}
