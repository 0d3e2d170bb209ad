//! STATUS is read by name, so that a process of one release reads what one of another release writes.

use super::*;
use crate::message::{MessageItem, MessageReserved};

fn sale() -> SaleStatus<'static> {
    let sku = SkuStatus { name: "s".into(), total: 9, available: 4, held: 3, confirmed: 2 };
    SaleStatus {
        epoch: 1,
        seq: 9,
        acked: 8,
        phase: "open".into(),
        limit: 1,
        hold_ms: None,
        opens_at_ms: Some(1),
        closes_at_ms: None,
        journal_events: 1,
        journal_events_max: Some(100),
        relay: Some("gateway-1".into()),
        lease_until_ms: Some(5),
        is_closed: true,
        was_open: true,
        term: 3,
        instance: INSTANCE_MAX,
        reservations: 2,
        digest: digest::DIGEST_MAX,
        skus: vec![sku.clone(), sku],
    }
}

fn reservation() -> ReservationStatus<'static> {
    let made = MessageReserved {
        buyer: "ada".into(),
        slot: 3,
        items: vec![MessageItem { sku: "s".into(), quantity: 2 }],
        expires_at_ms: Some(5),
        ..MessageReserved::default()
    };
    ReservationStatus { id: 7, state: State::Held, made }
}

fn buyer() -> BuyerStatus<'static> {
    BuyerStatus { buyer: "ada".into(), units: 2, reservations: vec![reservation(), reservation()] }
}

/// Changes the pairs of each map in a reply.
fn change(value: Value, pairs: &impl Fn(&mut Vec<[Value; 2]>)) -> Value {
    let Value::Array(values) = value else { return value };
    let is_map = matches!(values.first(), Some(Value::Bytes(_)));
    let mut values: Vec<_> = values.into_iter().map(|value| change(value, pairs)).collect();
    if is_map {
        let mut map = Vec::new();
        while values.len() >= 2 {
            let rest = values.split_off(2);
            map.extend(<[Value; 2]>::try_from(std::mem::replace(&mut values, rest)));
        }
        pairs(&mut map);
        values = map.into_iter().flatten().collect();
    }
    Value::Array(values)
}

fn named(name: &str, value: Value) -> [Value; 2] {
    [Value::Bytes(name.as_bytes().to_vec()), value]
}

fn read<T: Answer + PartialEq + Debug>(status: &T, pairs: impl Fn(&mut Vec<[Value; 2]>)) -> Result<T, Unreadable> {
    let mut tree = Tree::default();
    status.write(&mut tree);
    let value = change(tree.finish().expect("a reply is one whole value"), &pairs);
    reply::read::<T>(value).map(|outcome| outcome.expect("a status is no refusal"))
}

fn check_any_order<T: Answer + PartialEq + Debug + Clone>(status: &T) {
    check_reply(Ok(status.clone()));
    assert_eq!(read(status, |map| map.reverse()).as_ref(), Ok(status));
    for by in 1..23 {
        let rotate = |map: &mut Vec<[Value; 2]>| {
            let by = by % map.len().max(1);
            map.rotate_left(by);
        };
        assert_eq!(read(status, rotate).as_ref(), Ok(status), "rotated by {by}");
    }
    for value in [Value::Null, Value::Int(-1), Value::Array(vec![Value::Null])] {
        let added = |map: &mut Vec<[Value; 2]>| {
            map.insert(map.len() / 2, named("later", value.clone()));
            map.insert(0, named("first", value.clone()));
        };
        // What is added to a list of SKUs and units is a SKU.
        let is_items = |map: &[[Value; 2]]| map.iter().any(|[name, _]| *name == Value::Bytes(b"s".to_vec()));
        assert_eq!(
            read(status, |map| if !is_items(map) {
                added(map);
            })
            .as_ref(),
            Ok(status),
            "{value:?}"
        );
    }
}

#[test]
fn statuses_are_read_in_any_order_and_with_fields_of_a_later_release() {
    check_any_order(&sale());
    check_any_order(&reservation());
    check_any_order(&buyer());
}

/// Without the field `name` it reads as `want`, or as an error that names it.
fn check_missing<T: Answer + PartialEq + Debug>(status: &T, name: &'static str, want: Option<T>) {
    let without = |map: &mut Vec<[Value; 2]>| map.retain(|[key, _]| *key != Value::Bytes(name.as_bytes().to_vec()));
    assert_eq!(read(status, without), want.ok_or(Unreadable { what: name }), "without {name}");
}

#[test]
fn a_field_that_is_missing_is_none_or_named() {
    let whole = sale();
    check_missing(&whole, "opens_at_ms", Some(SaleStatus { opens_at_ms: None, ..sale() }));
    check_missing(&whole, "journal_events_max", Some(SaleStatus { journal_events_max: None, ..sale() }));
    check_missing(&whole, "relay", Some(SaleStatus { relay: None, ..sale() }));
    check_missing(&whole, "lease_until_ms", Some(SaleStatus { lease_until_ms: None, ..sale() }));
    for name in ["epoch", "seq", "acked", "phase", "limit", "journal_events", "closed", "opened", "term", "instance"] {
        check_missing(&whole, name, None);
    }
    for name in ["reservations", "digest", "skus", "sku", "total", "available", "held", "confirmed"] {
        check_missing(&whole, name, None);
    }
    let made = || reservation().made;
    let with = |made| Some(ReservationStatus { made, ..reservation() });
    check_missing(&reservation(), "expires_at_ms", with(MessageReserved { expires_at_ms: None, ..made() }));
    check_missing(&reservation(), "slot", with(MessageReserved { slot: 0, ..made() }));
    for name in ["id", "state", "buyer", "items"] {
        check_missing(&reservation(), name, None);
    }
    for name in ["units", "reservations", "buyer"] {
        check_missing(&buyer(), name, None);
    }
}
