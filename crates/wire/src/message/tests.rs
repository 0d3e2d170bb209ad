//! Messages in both directions.

use flash_sale::{Details, Items, Reserved};

use super::*;
use crate::reserved::json;

fn events() -> Vec<Event<'static>> {
    let reserved = |data| {
        let items = Items::one(0, 2).unwrap();
        let details = Details { data, ..Details::NONE };
        let made = Reserved { buyer: "ada", slot: 0, items, expires_at_ms: Some(9), details };
        Change::Reserved(made)
    };
    let changes = vec![
        Change::Warmed(Terms::simple(5).into()),
        reserved(None),
        reserved(Some("{\"size\": 42}")),
        reserved(Some("not json")),
        Change::Confirmed { id: 2 },
        Change::Released { id: 3 },
        Change::Expired { ids: vec![4] },
    ];
    let event = |(at, change)| Event { epoch: 1, seq: at, at_ms: 1_000 + at, change };
    (1..).zip(changes).map(event).collect()
}

#[test]
fn a_message_reads_back() {
    let skus = ["default".to_owned()];
    let events = events();
    let message = Message::new("drop", 1, &skus, &events).unwrap();
    assert_eq!(Message::decode(&message.encode()), Ok(message.clone()));
    let published = message.clone().published(TIME_MS_MAX);
    assert_eq!(published.published_at_ms, Some(TIME_MS_MAX));
    assert_eq!(Message::decode(&published.encode()), Ok(published));
    assert_eq!(message.clone().published(TIME_MS_MAX + 1), message, "a message goes on, whatever a clock says");
}

#[test]
fn a_message_is_plain_json() {
    let skus = ["default".to_owned()];
    let message = Message::new("drop", 1, &skus, &events()[2..4]).unwrap().published(1_005);
    let json = String::from_utf8(message.encode()).unwrap();
    assert_eq!(
        json,
        "{\"version\":1,\"sale\":\"drop\",\"epoch\":1,\"published_at_ms\":1005,\"events\":[\
         {\"seq\":3,\"at_ms\":1003,\"change\":{\"reserved\":{\"buyer\":\"ada\",\"slot\":0,\
         \"items\":[{\"sku\":\"default\",\"quantity\":2}],\"expires_at_ms\":9,\"data\":{\"size\": 42}}}},\
         {\"seq\":4,\"at_ms\":1004,\"change\":{\"reserved\":{\"buyer\":\"ada\",\"slot\":0,\
         \"items\":[{\"sku\":\"default\",\"quantity\":2}],\"expires_at_ms\":9,\"data\":\"not json\"}}}]}"
    );
}

/// What releases before and after this one write: without the time, and with a field that is not known yet.
#[test]
fn a_message_is_read_with_and_without_what_other_releases_say_of_it() {
    let check = |said: &str, published_at_ms: Option<u64>| {
        let event = "{\"seq\":1,\"at_ms\":1,\"change\":\"closed\"}";
        let json = format!("{{\"version\":1,\"sale\":\"s\",\"epoch\":1,{said}\"events\":[{event}]}}");
        let message = Message::decode(json.as_bytes()).unwrap();
        assert_eq!(message.published_at_ms, published_at_ms, "{json}");
        let again = String::from_utf8(message.encode()).unwrap();
        assert_eq!(again.contains("published_at_ms"), published_at_ms.is_some(), "{again}");
    };
    check("", None);
    check("\"published_at_ms\":7,", Some(7));
    check("\"published_at_ms\":null,", None);
    check("\"of_a_later_release\":{\"a\":[1]},", None);
}

fn check_bad(json: &str, want: &str) {
    let error = Message::decode(json.as_bytes()).unwrap_err().to_string();
    assert!(error.contains(want), "{error} lacks {want}");
}

#[test]
fn a_bad_message_is_a_clear_error() {
    let of = |events: &str| format!("{{\"version\":1,\"sale\":\"s\",\"epoch\":1,\"events\":[{events}]}}");
    let confirmed =
        |seq: u64, id: u64| format!("{{\"seq\":{seq},\"at_ms\":1,\"change\":{{\"confirmed\":{{\"id\":{id}}}}}}}");
    check_bad("", "not a message");
    check_bad("{\"version\":2,\"what\":1}", "message version 2 is not 1");
    check_bad(&of(""), "events must be 1 to 1000");
    let beyond = format!("\"epoch\":1,\"published_at_ms\":{}", TIME_MS_MAX + 1);
    check_bad(&of(&confirmed(1, 1)).replace("\"epoch\":1", &beyond), "published_at_ms must be 0 to");
    check_bad(&of(&confirmed(1, 0)), "id must be 1 to");
    check_bad(&of(&format!("{},{}", confirmed(1, 1), confirmed(3, 1))), "seq must grow by one");
    check_bad(&of("{\"seq\":1,\"at_ms\":1,\"change\":{\"vanished\":{}}}"), "unknown variant");
    let reserved = "{\"seq\":1,\"at_ms\":1,\"change\":{\"reserved\":{\"buyer\":\"a\\u0000\",\"slot\":0,\"items\":[{\"sku\":\"s\",\"quantity\":1}]}}}";
    check_bad(&of(reserved), "buyer must not contain control characters");
}

#[test]
fn data_nested_too_deep_for_a_database_travels_as_text() {
    let deep = "[".repeat(5_000) + &"]".repeat(5_000);
    assert!(json(&deep).get().starts_with('"'));
}
