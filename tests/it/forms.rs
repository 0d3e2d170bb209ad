//! Forms: what a sale asks its buyers to say, and products, which a sale may be of.

use serde_json::{Value, json};

use crate::support::http::{Answer, Http};
use crate::support::wait;
use crate::support::world::World;

const RESERVE: &str = "/v1/sales/drop/reservations";

fn check(http: &mut Http, path: &str, body: &Value, want: (u16, &str, &[&str])) -> Answer {
    let answer = wait::until("an answer", || {
        let answer = http.post(path, &body.to_string()).expect("an answer");
        // On a busy machine a gateway that was started a moment ago may not have got to PostgreSQL yet.
        (answer.status != 503 || want.0 == 503).then_some(answer)
    });
    let errors = answer.body["errors"].as_array().cloned().unwrap_or_default();
    let pointers: Vec<&str> = errors.iter().filter_map(|error| error["pointer"].as_str()).collect();
    assert_eq!((answer.status, answer.problem(), pointers.as_slice()), want, "{body}: {answer:?}");
    answer
}

fn form() -> Value {
    json!({
        "type": "object",
        "properties": {"size": {"enum": ["s", "m"]}, "email": {"type": "string", "pattern": "^[^@ ]+@[^@ ]+$"}},
        "required": ["size"],
        "additionalProperties": false,
    })
}

#[test]
fn a_sale_s_form_is_kept_by_every_gateway_and_what_follows_it_comes_to_postgresql() {
    let mut world = World::start();
    let sale = json!({"sale": "drop", "total": 9, "form": form()});
    check(&mut world.http(), "/v1/sales", &sale, (201, "", &[]));
    check(&mut world.http(), "/v1/sales", &sale, (200, "", &[]));
    let mut other = sale.clone();
    other["form"]["required"] = json!(["email"]);
    check(&mut world.http(), "/v1/sales", &other, (409, "sale-differs", &[]));
    check(&mut world.http(), "/v1/sales", &json!({"sale": "drop", "total": 9}), (409, "sale-differs", &[]));
    assert_eq!(world.http().get("/v1/sales/drop/form").expect("an answer").body, form());
    for gateway in 0..2 {
        let http = &mut world.http();
        let buyer = format!("buyer-{gateway}");
        let mut reserve = |data: Value, want| {
            check(http, RESERVE, &json!({"buyer": buyer, "data": data}), want);
        };
        reserve(json!({"size": "xl", "email": 7}), (422, "invalid", &["/data/email", "/data/size"]));
        reserve(json!({"size": "s", "colour": "red"}), (422, "invalid", &["/data"]));
        reserve(json!("s"), (422, "invalid", &["/data"]));
        reserve(Value::Null, (422, "invalid", &["/data"]));
        reserve(json!({"size": "m", "email": "a@b"}), (201, "", &[]));
        if gateway == 0 {
            world.start_second_gateway();
        }
    }
    world.wait_for_orders("drop", 2);
    let data = world.rows("SELECT data->>'size' FROM orders WHERE sale = 'drop'");
    assert_eq!(data, ["m", "m"]);
}

#[test]
fn a_schema_that_is_none_is_refused_where_it_is_wrong_and_no_sale_is_made() {
    let world = World::start_without_syncer();
    let http = &mut world.http();
    let mut create = |form: Value, pointer: &str| {
        check(http, "/v1/sales", &json!({"sale": "drop", "total": 9, "form": form}), (422, "invalid", &[pointer]));
    };
    create(json!({"properties": {"size": {"type": "text"}}}), "/form/properties/size/type");
    create(json!({"properties": {"size": {"pattern": "("}}}), "/form/properties/size/pattern");
    create(json!({"$ref": "https://example.com/schema.json"}), "/form/$ref");
    create(json!({"items": {"$ref": "#"}}), "/form/items/$ref");
    create(json!({"title": "a".repeat(8 * 1024)}), "/form");
    create(json!(7), "/form");
    assert_eq!(world.rows("SELECT sale FROM sales"), [""; 0]);
}

#[test]
fn a_sale_without_a_form_takes_any_data_and_says_that_it_has_none() {
    let world = World::start_without_syncer();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let http = &mut world.http();
    check(http, RESERVE, &json!({"buyer": "ada", "data": [7, {"a": null}]}), (201, "", &[]));
    check(http, RESERVE, &json!({"buyer": "bob"}), (201, "", &[]));
    let answer = http.get("/v1/sales/drop/form").expect("an answer");
    assert_eq!((answer.status, answer.problem()), (404, "not-found"));
}

#[test]
fn the_form_of_the_manual_refuses_what_the_manual_says() {
    const PAGE: &str = include_str!("../../docs/how-to/forms.md");
    let sale = PAGE.lines().find_map(|line| {
        line.strip_prefix("$ curl --json '")?.split_once('\'').filter(|(body, _)| body.contains("\"form\""))
    });
    let (sale, _) = sale.expect("the page creates a sale with a form");
    let world = World::start();
    check(&mut world.http(), "/v1/sales", &serde_json::from_str(sale).expect("JSON"), (201, "", &[]));
    let http = &mut world.http();
    let mut reserve = |body: Value, want| drop(check(http, "/v1/sales/fit/reservations", &body, want));
    reserve(json!({"buyer": "ada", "data": {"size": "xl"}}), (422, "invalid", &["/data/size"]));
    for data in [json!({}), json!([]), json!("s"), json!(7)] {
        reserve(json!({"buyer": "ada", "data": data}), (422, "invalid", &["/data"]));
    }
    reserve(json!({"buyer": "ada", "data": null}), (422, "invalid", &["/data"]));
    reserve(json!({"buyer": "ada"}), (422, "invalid", &["/data"]));
    reserve(json!({"buyer": "ada", "data": {"size": "s"}}), (201, "", &[]));
    world.wait_for_orders("fit", 1);
}

#[test]
fn whatever_data_is_accepted_is_readable_as_jsonb_and_the_rest_is_refused_where_it_is_wrong() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":99}");
    let mut accepted = 0;
    let mut reserve = |data: &str, pointer: Option<&str>| {
        let body = format!("{{\"buyer\":\"buyer-{}\",\"data\":{data}}}", data.len());
        let answer = world.http().post(RESERVE, &body).expect("an answer");
        let got = answer.body["errors"][0]["pointer"].as_str();
        assert_eq!((answer.status, got), (if pointer.is_some() { 422 } else { 201 }, pointer), "{data}: {answer:?}");
        accepted += u64::from(pointer.is_none());
    };
    reserve(r#"{"size":"a\u0000b"}"#, Some("/data/size"));
    reserve(r#"{"a\u0000b":1}"#, Some("/data/a\0b"));
    reserve(r#"["\ud800"]"#, Some("/data/0"));
    reserve(r#"{"\udc00x":1}"#, Some("/data"));
    reserve(r#"{"a":1e400}"#, Some("/data/a"));
    reserve(r#"[-0]"#, Some("/data/0"));
    reserve(r#"[9007199254740993]"#, Some("/data/0"));
    reserve(r#"{"a":1,"a":2}"#, Some("/data/a"));
    reserve(&format!("{}{}", "[".repeat(1_000), "]".repeat(1_000)), Some(&format!("/data{}", "/0".repeat(32))));
    reserve(r#"{"size":"\ud83d\ude00 \u0001","n":[1.50,1e2,0.1,5e-324,1.7976931348623157e308]}"#, None);
    reserve(r#""text""#, None);
    reserve("7", None);
    reserve("[null,true,{}]", None);
    world.wait_for_orders("drop", accepted);
    let read = "SELECT count(*) FROM orders WHERE sale = 'drop' AND data::jsonb IS NOT NULL \
                AND coalesce(data->>'size', data->>'n', data->>0, '') IS NOT NULL";
    assert_eq!(world.rows(read), [accepted.to_string()]);
}

#[test]
fn a_check_that_is_long_work_is_refused_by_its_limit_and_keeps_no_other_request_waiting() {
    let world = World::start_without_syncer();
    let consts: Vec<Value> = (1..401).map(|at| json!({"const": at})).collect();
    let sale = json!({"sale": "drop", "total": 9, "form": {"properties": {"a": {"items": {"anyOf": consts}}}}});
    check(&mut world.http(), "/v1/sales", &sale, (201, "", &[]));
    let data = |zeros: usize| json!({"buyer": "ada", "data": {"a": vec![0; zeros]}});
    check(&mut world.http(), RESERVE, &data(8_000), (422, "invalid", &["/data"]));
    let places: Vec<String> = (0..32).map(|at| format!("/data/a/{at}")).collect();
    let places: Vec<&str> = places.iter().map(String::as_str).collect();
    check(&mut world.http(), RESERVE, &data(40), (422, "invalid", &places));
}

#[test]
fn a_sale_that_was_made_by_hand_sells_and_has_no_form() {
    let world = World::start();
    let warmed: String = redis::cmd("FLASH.WARM")
        .arg("flash:drop")
        .arg(["9", "JOURNAL", "100"].as_slice())
        .query::<Vec<String>>(&mut world.redis.connect())
        .expect("the module answers")
        .swap_remove(0);
    assert_eq!(warmed, "WARMED");
    check(&mut world.http(), RESERVE, &json!({"buyer": "ada", "data": 7}), (201, "", &[]));
    world.wait_for_orders("drop", 1);
}

#[test]
fn a_gateway_that_meets_a_sale_while_postgresql_is_away_sells_it_by_its_form() {
    let mut world = World::start_without_syncer();
    let sale = json!({"sale": "drop", "total": 9, "form": form()});
    check(&mut world.http(), "/v1/sales", &sale, (201, "", &[]));
    start_without_postgres(&mut world);
    let (good, bad) = (json!({"buyer": "ada", "data": {"size": "s"}}), json!({"buyer": "ada", "data": {"size": 7}}));
    check(&mut world.http(), RESERVE, &bad, (422, "invalid", &["/data/size"]));
    check(&mut world.http(), RESERVE, &good, (201, "", &[]));
}

#[test]
fn a_sale_with_an_unknown_form_is_not_sold_until_postgresql_is_back() {
    let mut world = World::start_without_syncer();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let told: u64 = redis::cmd("DEL").arg("flash:facts:drop").query(&mut world.redis.connect()).expect("deleted");
    assert_eq!(told, 1, "the gateway that made the sale told the others");
    let postgres = start_without_postgres(&mut world);
    check(&mut world.http(), RESERVE, &json!({"buyer": "ada"}), (503, "postgres-away", &[]));
    world.postgres = postgres;
    world.kill_gateway();
    world.start_gateway();
    wait::until("a reservation", || {
        let answer = world.http().post(RESERVE, "{\"buyer\":\"ada\"}").ok()?;
        (answer.status == 201).then_some(())
    });
}

/// Starts one more gateway, which cannot reach PostgreSQL; the address that it should have had.
fn start_without_postgres(world: &mut World) -> String {
    let postgres = std::mem::replace(&mut world.postgres, "postgres://flash:flash@127.0.0.1:1/none".to_owned());
    world.start_second_gateway();
    postgres
}

#[test]
fn a_product_is_made_once_and_a_sale_of_it_sells_its_skus() {
    let world = World::start_without_syncer();
    let http = &mut world.http();
    let product = json!({"product": "shirt", "name": "A shirt", "price": 1999, "currency": "EUR", "skus": ["s", "m"]});
    let made = check(http, "/v1/products", &product, (201, "", &[]));
    assert_eq!(made.header("location"), Some("/v1/products/shirt"));
    check(http, "/v1/products", &product, (200, "", &[]));
    let mut dearer = product.clone();
    dearer["price"] = json!(2999);
    check(http, "/v1/products", &dearer, (409, "product-differs", &[]));
    assert_eq!(http.get("/v1/products/shirt").expect("an answer").body, product);
    for path in ["/v1/products/none", "/v1/products/a%20b"] {
        let answer = http.get(path).expect("an answer");
        assert_eq!((answer.status, answer.problem()), (404, "unknown-product"), "{path}");
    }
    let sale = |product: &str, sku: &str| json!({"sale": "drop", "skus": [{"sku": sku, "total": 1}], "product": product, "hold_ms": 60_000});
    check(http, "/v1/sales", &sale("none", "s"), (422, "invalid", &["/product"]));
    check(http, "/v1/sales", &sale("a b", "s"), (422, "invalid", &["/product"]));
    check(http, "/v1/sales", &sale("shirt", "xl"), (422, "invalid", &["/skus"]));
    let mut unheld = sale("shirt", "s");
    unheld.as_object_mut().expect("an object").remove("hold_ms");
    check(http, "/v1/sales", &unheld, (422, "invalid", &["/hold_ms"]));
    check(http, "/v1/sales", &sale("shirt", "s"), (201, "", &[]));
    check(http, "/v1/sales", &sale("shirt", "s"), (200, "", &[]));
    let other = json!({"sale": "drop", "skus": [{"sku": "s", "total": 1}]});
    check(http, "/v1/sales", &other, (409, "sale-differs", &[]));
}

#[test]
fn a_product_or_an_account_that_breaks_a_rule_is_refused_by_its_field() {
    let world = World::start_without_syncer();
    let http = &mut world.http();
    let mut check = |path: &str, changed: &str, value: Value, pointer: &str| {
        let mut body = match path {
            "/v1/products" => json!({"product": "shirt", "name": "A shirt", "price": 1, "currency": "EUR"}),
            _ => json!({"buyer": "ada", "balance": 1, "currency": "EUR"}),
        };
        body[changed] = value;
        check(http, path, &body, (422, "invalid", &[pointer]));
    };
    check("/v1/products", "product", json!("a/b"), "/product");
    check("/v1/products", "name", json!(""), "/name");
    check("/v1/products", "price", json!(-1), "/price");
    check("/v1/products", "price", json!(1_000_000_001), "/price");
    check("/v1/products", "currency", json!("eur"), "/currency");
    check("/v1/products", "skus", json!([]), "/skus");
    check("/v1/products", "skus", json!(["s", ""]), "/skus/1");
    check("/v1/products", "skus", json!(["s", "s"]), "/skus");
    check("/v1/products", "stock", json!(1), "/stock");
    check("/v1/buyers", "buyer", json!("a".repeat(129)), "/buyer");
    check("/v1/buyers", "balance", json!(1.5), "/balance");
    check("/v1/buyers", "currency", json!("EURO"), "/currency");
}
