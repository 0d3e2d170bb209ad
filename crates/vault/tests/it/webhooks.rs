//! What is to be delivered, to whom, and who delivers it.

use flash_vault::{
    WEBHOOKS_MAX, add_webhook, delivered, disable_webhook, forget_deliveries, not_delivered, remove_webhook, take_due,
    webhooks,
};

use crate::fixture::{Database, confirmed, expired, held, message, released, warmed};

const DELIVERIES: &str = "SELECT reservation, type FROM deliveries";

/// A reservation of each end, and one that is refused; by any writer, and however often.
async fn write(database: &Database) {
    let buyers = ["ada", "bob", "cleo", "dave", "ada"].map(held);
    let ends = [confirmed(2), released(3), expired(&[4])];
    let changes = [warmed(9)].into_iter().chain(buyers).chain(ends).collect();
    let message = message(1, 1, changes);
    database.write(std::slice::from_ref(&message)).await;
    database.write(&[message]).await;
}

const ENDED: [&str; 4] = ["(2,order.confirmed)", "(3,order.released)", "(4,order.expired)", "(6,order.rejected)"];

#[tokio::test]
async fn without_a_webhook_nothing_is_noted() {
    let database = Database::new().await;
    write(&database).await;
    assert_eq!(database.rows(DELIVERIES).await, [""; 0]);
}

#[tokio::test]
async fn each_end_is_noted_once_for_each_webhook() {
    let database = Database::new().await;
    add_webhook(&database.client, "http://a", "whsec_a").await.unwrap();
    write(&database).await;
    assert_eq!(database.rows(DELIVERIES).await, ENDED);
    let due = take_due(&database.client, 10, 60, &[]).await.unwrap();
    let mut told: Vec<_> = due.iter().map(|due| (due.reservation, due.made.buyer.as_ref(), due.attempt)).collect();
    told.sort_unstable();
    assert_eq!(told, [(2, "ada", 1), (3, "bob", 1), (4, "cleo", 1), (6, "ada", 1)]);
    assert!(due.iter().all(|due| due.url == "http://a" && due.secret == "whsec_a"), "{due:?}");
    assert!(!format!("{due:?}").contains("whsec"), "{due:?}");
    let reasons: Vec<_> = due.iter().filter_map(|due| due.reason.as_deref()).collect();
    assert_eq!(reasons, ["second_order"]);
}

#[tokio::test]
async fn a_claimed_delivery_belongs_to_one_gateway_until_it_returns() {
    let database = Database::new().await;
    add_webhook(&database.client, "http://a", "whsec_a").await.unwrap();
    write(&database).await;
    let take = async |count, hold_s| take_due(&database.client, count, hold_s, &[]).await.unwrap();
    let first = take(3, 60).await;
    let rest = take(10, 0).await;
    assert_eq!(
        (first.len(), rest.len(), take(10, 60).await.len()),
        (3, 1, 1),
        "who holds it for no time holds nothing"
    );
    delivered(&database.client, first[0].id).await.unwrap();
    not_delivered(&database.client, first[1].id, Some(0.0), "no").await.unwrap();
    not_delivered(&database.client, first[2].id, None, "never").await.unwrap();
    let again = take(10, 60).await;
    assert_eq!(again.iter().map(|due| (due.id, due.attempt)).collect::<Vec<_>>(), [(first[1].id, 2)]);
    let listed = webhooks(&database.client).await.unwrap();
    assert_eq!((listed[0].waiting, listed[0].dead), (2, 1));
}

#[tokio::test]
async fn each_webhook_has_places_of_its_own_and_one_that_is_busy_gets_nothing_more() {
    let database = Database::new().await;
    let mut ids = Vec::new();
    for url in ["http://a", "http://b", "http://c"] {
        ids.push(add_webhook(&database.client, url, "whsec_a").await.unwrap().unwrap());
    }
    write(&database).await;
    let take = async |count, busy: &[u64]| {
        let due = take_due(&database.client, count, 60, busy).await.unwrap();
        let mut whose: Vec<_> = due.iter().map(|due| due.webhook).collect();
        whose.sort_unstable();
        whose
    };
    let [a, b, c] = [ids[0], ids[1], ids[2]];
    assert_eq!(take(3, &[b]).await, [a, a, a, c, c, c]);
    assert_eq!(take(3, &[]).await, [a, b, b, b, c]);
    assert_eq!(take(3, &[a, c]).await, [b]);
    assert_eq!(take(3, &[]).await, [0; 0]);
}

#[tokio::test]
async fn a_disabled_webhook_gets_nothing_and_a_removed_one_is_forgotten() {
    let database = Database::new().await;
    let [one, other] = ["http://a", "http://b"].map(|url| add_webhook(&database.client, url, "whsec_a"));
    let (one, other) = (one.await.unwrap().unwrap(), other.await.unwrap().unwrap());
    write(&database).await;
    assert_eq!(database.rows(DELIVERIES).await.len(), 8);
    disable_webhook(&database.client, one, "it answered 410").await.unwrap();
    assert_eq!(database.rows(DELIVERIES).await.len(), 4);
    let listed = webhooks(&database.client).await.unwrap();
    assert_eq!(listed[0].disabled_because.as_deref(), Some("it answered 410"));
    assert!(remove_webhook(&database.client, other).await.unwrap());
    assert!(!remove_webhook(&database.client, other).await.unwrap());
    assert_eq!(database.rows(DELIVERIES).await, [""; 0]);
}

#[tokio::test]
async fn there_are_only_so_many_webhooks() {
    let database = Database::new().await;
    for _ in 0..WEBHOOKS_MAX {
        assert!(add_webhook(&database.client, "http://a", "whsec_a").await.unwrap().is_some());
    }
    assert_eq!(add_webhook(&database.client, "http://a", "whsec_a").await.unwrap(), None);
}

#[tokio::test]
async fn an_end_that_was_delivered_is_not_announced_again() {
    let database = Database::new().await;
    add_webhook(&database.client, "http://a", "whsec_a").await.unwrap();
    write(&database).await;
    for due in take_due(&database.client, 10, 60, &[]).await.unwrap() {
        delivered(&database.client, due.id).await.unwrap();
    }
    // Something has happened to them again: a late event of an epoch that is over.
    database.client.batch_execute("UPDATE epochs SET sealed_at = head").await.unwrap();
    database.write(&[message(1, 20, vec![confirmed(2)])]).await;
    database.client.batch_execute("UPDATE deliveries SET due_at = now() - interval '1 day'").await.unwrap();
    assert_eq!(take_due(&database.client, 10, 60, &[]).await.unwrap(), []);
    assert_eq!(database.rows(DELIVERIES).await, ENDED);
    assert_eq!(webhooks(&database.client).await.unwrap()[0].waiting, 0);
}

/// The table has a bound: what is old and over is forgotten, the oldest first, and what waits is not.
#[tokio::test]
async fn old_deliveries_that_are_over_are_forgotten() {
    let database = Database::new().await;
    add_webhook(&database.client, "http://a", "whsec_a").await.unwrap();
    write(&database).await;
    let due = take_due(&database.client, 10, 60, &[]).await.unwrap();
    assert_eq!(due.len(), 4);
    delivered(&database.client, due[0].id).await.unwrap();
    delivered(&database.client, due[1].id).await.unwrap();
    not_delivered(&database.client, due[2].id, None, "never").await.unwrap();
    let forget = async |count| forget_deliveries(&database.client, count, 3_600).await.unwrap();
    assert_eq!(forget(10).await, 0, "nothing is old");
    let age = "UPDATE deliveries SET delivered_at = delivered_at - interval '2 hours',
        dead_at = dead_at - interval '2 hours', due_at = due_at - interval '2 hours'";
    database.client.batch_execute(age).await.unwrap();
    assert!(forget(1).await <= 1, "only so many rows are read");
    forget(10).await;
    assert_eq!(forget(10).await, 0);
    let left = format!("({},{})", due[3].reservation, due[3].kind);
    assert_eq!(database.rows(DELIVERIES).await, [left], "it still waits");
}
