//! A number that comes again with other content: of the same buyer, or of no reservation at all.

use flash_vault::{Replay, Standing, Vault};
use flash_wire::Message;
use flash_wire::message::MessageChange;

use crate::fixture::{Database, confirmed, held, message, released, reserved, warmed};

const ORDERS: &str = "SELECT id, buyer, state, items FROM orders";
const ASIDE: &str = "SELECT sale, seq, reason, is_authentic FROM quarantine WHERE discarded_at IS NULL";

/// What contradicts event 3, a hold of ada's on one unit of SKU a.
fn contradictions() -> [MessageChange<'static>; 5] {
    [
        reserved("ada".to_owned(), 0, &[("a", 2)], true),
        reserved("ada".to_owned(), 0, &[("b", 1)], true),
        reserved("ada".to_owned(), 1, &[("a", 1)], true),
        confirmed(2),
        MessageChange::Closed,
    ]
}

/// Writes the batches: each contradiction is aside once, and the orders are what they are without it.
async fn check(batches: impl Fn(&Message<'static>) -> Vec<Vec<Message<'static>>>) {
    for change in contradictions() {
        let database = Database::new().await;
        let mut vault = Vault::open(&database.url).await.unwrap();
        let other = message(1, 3, vec![change.clone()]);
        for batch in batches(&other) {
            vault.write(&batch).await.unwrap();
        }
        let orders = [
            r#"(2,bob,held,"[{""sku"": ""a"", ""quantity"": 1}]")"#,
            r#"(3,ada,held,"[{""sku"": ""a"", ""quantity"": 1}]")"#,
        ];
        assert_eq!(database.rows(ORDERS).await, orders, "{change:?}");
        let aside = r#"(,,"event 3 of epoch 1 of the sale drop is known with other content",f)"#;
        assert_eq!(database.rows(ASIDE).await, [aside], "{change:?}");
        assert!(database.rows("SELECT * FROM rejections").await.is_empty(), "{change:?}");
    }
}

fn all() -> Message<'static> {
    message(1, 1, vec![warmed(9), held("bob"), held("ada")])
}

fn third() -> Message<'static> {
    message(1, 3, vec![held("ada")])
}

#[tokio::test]
async fn other_content_under_a_number_that_is_written_is_put_aside_once() {
    check(|other| vec![vec![all()], vec![other.clone()], vec![other.clone(), all()]]).await;
    check(|other| vec![vec![all(), other.clone()], vec![other.clone()]]).await;
}

#[tokio::test]
async fn other_content_under_a_number_that_waits_for_its_turn_is_put_aside_once() {
    check(|other| vec![vec![third()], vec![other.clone()], vec![all()]]).await;
    check(|other| vec![vec![third(), other.clone()], vec![all()], vec![other.clone()]]).await;
}

#[tokio::test]
async fn it_is_never_replayed_and_a_discard_rejects_no_reservation() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    vault.write(&[all(), message(1, 3, vec![confirmed(2)])]).await.unwrap();
    let replayed = vault.replay(1, async |_| Ok::<Option<Standing>, flash_vault::Error>(None)).await.unwrap();
    assert!(matches!(replayed, Replay::Refused(_)), "{replayed:?}");
    assert!(vault.discard(1, "olga").await.unwrap().is_some_and(|counted| counted.is_empty()));
    assert!(database.rows("SELECT * FROM rejections").await.is_empty());
    assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, ["(2,bob,held)", "(3,ada,held)"]);
}

#[tokio::test]
async fn what_comes_again_as_it_was_is_a_repeat_whatever_became_of_it() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    let changes = vec![warmed(9), held("bob"), held("ada"), confirmed(2), released(3), MessageChange::Closed];
    for _ in 0..3 {
        vault.write(&[message(1, 1, changes.clone())]).await.unwrap();
        vault.write(&[message(1, 5, vec![released(3)]), third()]).await.unwrap();
    }
    assert!(database.rows("SELECT * FROM quarantine").await.is_empty());
}
