//! Sales and orders as the gateway and the demo read them.

use flash_vault::{
    Creation, Extras, Order, SkuSold, active_orders, create_sale, order, sold_units, terms, twice_served_buyers,
};
use flash_wire::message::{MessageChange, MessageReserved};
use flash_wire::{State, Terms};

use crate::fixture::{Database, SALE, confirmed, held, message, released, reserved, warmed};

#[tokio::test]
async fn a_sale_is_created_once_under_one_set_of_terms() {
    let database = Database::new().await;
    let wanted = Terms { hold_ms: Some(9), ..Terms::simple(5) };
    let create = async |terms: &Terms| create_sale(&database.client, SALE, terms, Extras::default(), 1).await.unwrap();
    assert_eq!(terms(&database.client, SALE).await.unwrap(), None);
    assert_eq!(create(&wanted).await, Creation::Created);
    assert_eq!(create(&wanted).await, Creation::Exists);
    assert_eq!(create(&Terms { hold_ms: None, ..wanted.clone() }).await, Creation::Differs);
    assert_eq!(create(&Terms { hold_ms: Some(9), ..Terms::simple(6) }).await, Creation::Differs);
    assert_eq!(terms(&database.client, SALE).await.unwrap(), Some(wanted));
}

#[tokio::test]
async fn a_sale_that_was_warmed_without_the_gateway_gets_its_rows() {
    let database = Database::new().await;
    let MessageChange::Warmed(warmed_terms) = warmed(5) else { unreachable!() };
    database.write(&[message(1, 1, vec![warmed(5)])]).await;
    assert_eq!(terms(&database.client, SALE).await.unwrap(), Some((&warmed_terms).into()));
}

#[tokio::test]
async fn warming_does_not_change_the_terms_of_a_sale_that_is_there() {
    let database = Database::new().await;
    create_sale(&database.client, SALE, &Terms::simple(3), Extras::default(), 1).await.unwrap();
    database.write(&[message(1, 1, vec![warmed(5)])]).await;
    assert_eq!(terms(&database.client, SALE).await.unwrap(), Some(Terms::simple(3)));
    assert_eq!(database.rows("SELECT sku FROM skus").await, ["(default)"]);
}

#[tokio::test]
async fn an_order_reads_back() {
    let database = Database::new().await;
    let mut change = reserved("Zo\u{eb} \u{1f600}".to_owned(), 1, &[("a", 2), ("b", 1)], true);
    if let MessageChange::Reserved(reserved) = &mut change {
        reserved.request = Some("request-1".into());
        reserved.data = serde_json::from_str("{\"note\": \"\\u0000\"}").unwrap();
    }
    database.write(&[message(1, 1, vec![warmed(5), change.clone(), confirmed(2)])]).await;
    let MessageChange::Reserved(made) = change else { unreachable!("made above") };
    let made = MessageReserved { data: None, ..made };
    let want = Order { id: 2, state: State::Confirmed, made, reserved_at_ms: 1_002, ended_at_ms: Some(1_003) };
    assert_eq!(order(&database.client, SALE, 2).await.unwrap(), Some(want));
    assert_eq!(order(&database.client, SALE, 3).await.unwrap(), None);
    assert_eq!(order(&database.client, "other", 2).await.unwrap(), None);
    assert_eq!(database.rows("SELECT data::text FROM orders").await, ["(\"{\"\"note\"\": \"\"\\\\u0000\"\"}\")"]);
    let items = database.rows("SELECT id, sku, quantity FROM order_items").await;
    assert_eq!(items, ["(2,a,2)", "(2,b,1)"]);
}

#[tokio::test]
async fn orders_buyers_and_units_are_counted() {
    let database = Database::new().await;
    let second = reserved("ada".to_owned(), 1, &[("a", 3), ("b", 1)], false);
    let changes = vec![warmed(5), held("ada"), second, held("bob"), released(4)];
    database.write(&[message(1, 1, changes)]).await;
    assert_eq!(active_orders(&database.client, SALE).await.unwrap(), 2);
    assert_eq!(twice_served_buyers(&database.client, SALE).await.unwrap(), 1);
    let sold = |sku: &str, sold| SkuSold { sku: sku.to_owned(), total: 5, sold };
    assert_eq!(sold_units(&database.client, SALE).await.unwrap(), [sold("a", 4), sold("b", 1)]);
    assert_eq!(active_orders(&database.client, "other").await.unwrap(), 0);
}
