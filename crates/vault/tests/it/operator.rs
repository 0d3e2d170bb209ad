//! What an operator changes while a sale sells.

use flash_vault::{Creation, Extras, create_sale, terms};
use flash_wire::message::{MessageChange, MessageSku};

use crate::fixture::{Database, SALE, held, message, released, warmed};

fn total(total: u64) -> MessageChange<'static> {
    MessageChange::Restocked(MessageSku { sku: "a".to_owned(), total })
}

/// Writes the changes in batches of `size`, and compares (sku, total, sold).
async fn check(changes: &[MessageChange<'static>], size: usize, want: &[&str]) {
    let database = Database::new().await;
    let events = (1..).zip(changes).map(|(seq, change)| message(1, seq, vec![change.clone()]));
    for batch in events.collect::<Vec<_>>().chunks(size) {
        database.write(batch).await;
    }
    assert_eq!(database.rows("SELECT sku, total, sold FROM skus").await, want, "{size} in a batch");
    assert_eq!(database.rows("SELECT reason FROM rejections").await, [""; 0]);
    assert_eq!(database.rows("SELECT reason FROM quarantine").await, [""; 0]);
}

#[tokio::test]
async fn a_restock_and_the_orders_around_it_are_right_however_they_are_batched() {
    // Sold out, more units for one more buyer, and fewer once a hold is given back.
    let changes = [warmed(2), held("ada"), held("bob"), total(3), held("eve"), released(2), total(2)];
    for size in 1..=changes.len() {
        check(&changes, size, &["(a,2,2)", "(b,2,0)"]).await;
    }
}

#[tokio::test]
async fn a_sale_is_closed_and_opened_and_its_terms_stay_what_they_were() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(2), total(5), MessageChange::Closed])]).await;
    assert_eq!(database.rows("SELECT closed FROM sales").await, ["(t)"]);
    database.write(&[message(1, 4, vec![MessageChange::Opened])]).await;
    assert_eq!(database.rows("SELECT closed FROM sales").await, ["(f)"]);
    let terms = terms(&database.client, SALE).await.unwrap().unwrap();
    assert_eq!(terms.skus[0].total, 2);
    assert_eq!(create_sale(&database.client, SALE, &terms, Extras::default(), 1).await.unwrap(), Creation::Exists);
}

#[tokio::test]
async fn a_restock_of_a_sku_that_is_not_the_sale_s_is_put_aside() {
    let database = Database::new().await;
    let unknown = MessageChange::Restocked(MessageSku { sku: "c".to_owned(), total: 5 });
    database.write(&[message(1, 1, vec![warmed(2), unknown, held("ada")])]).await;
    assert_eq!(database.rows("SELECT reason FROM quarantine").await, ["(unknown_sku)"]);
    assert_eq!(database.rows("SELECT sku, total, sold FROM skus").await, ["(a,2,1)", "(b,2,0)"]);
}
