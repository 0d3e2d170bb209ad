//! What the constraints refuse, and what no one can write, is in its table and delays nothing.

use flash_vault::{Incoming, UNSIGNED_KEPT_MAX, Unreadable, Vault, sale_buyers};
use flash_wire::Message;
use flash_wire::message::MessageChange;
use serde_json::value::RawValue;

use crate::fixture::{Database, SALE, confirmed, expired, head, held, message, released, reserved, warmed};

/// Writes the messages in one batch, and each in its own: the orders and rejections must be these.
async fn check(messages: &[Message<'static>], orders: &[&str], rejections: &[&str], sold: &str) {
    let each: Vec<&[Message]> = messages.chunks(1).collect();
    for batches in [vec![messages], each] {
        let database = Database::new().await;
        for later in messages.iter().filter(|message| message.epoch > 1) {
            let first = later.events[0].seq.cast_signed();
            database.begin(later.epoch.cast_signed(), first - 1).await;
        }
        for batch in &batches {
            database.write(batch).await;
        }
        let batches = batches.len();
        assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, orders, "{batches} batches");
        let rejected = "SELECT epoch, id, buyer, reason FROM rejections";
        assert_eq!(database.rows(rejected).await, rejections, "{batches} batches");
        assert_eq!(database.rows("SELECT sold FROM skus WHERE sku = 'a'").await, [sold], "{batches} batches");
        assert_eq!(database.rows("SELECT * FROM quarantine").await, [""; 0], "{batches} batches");
    }
}

#[tokio::test]
async fn a_reservation_beyond_the_total_is_rejected_and_the_next_that_fits_is_not() {
    let changes = vec![warmed(2), held("ada"), held("bob"), held("cleo"), confirmed(4), released(2), held("dan")];
    let orders = ["(2,ada,released)", "(3,bob,held)", "(7,dan,held)"];
    check(&[message(1, 1, changes)], &orders, &["(1,4,cleo,oversold)"], "(2)").await;
}

#[tokio::test]
async fn a_second_active_order_of_a_buyer_is_rejected_until_the_first_has_ended() {
    let first = message(1, 1, vec![warmed(5), held("ada")]);
    let later = message(2, 10, vec![warmed(5), held("ada"), confirmed(11), released(2), held("ada")]);
    check(&[first, later], &["(14,ada,held)", "(2,ada,released)"], &["(2,11,ada,second_order)"], "(1)").await;
}

#[tokio::test]
async fn an_id_that_is_taken_is_rejected_and_its_end_leaves_the_other_order_alone() {
    let first = message(1, 1, vec![warmed(5), held("ada"), held("bob")]);
    let later = message(2, 2, vec![warmed(5), held("cleo"), expired(&[3]), held("dan")]);
    let orders = ["(2,ada,held)", "(3,bob,held)", "(5,dan,held)"];
    check(&[first, later], &orders, &["(2,3,cleo,id_taken)"], "(3)").await;
}

#[tokio::test]
async fn a_reservation_of_a_sku_that_the_sale_lacks_is_rejected() {
    let strange = reserved("ada".to_owned(), 0, &[("a", 1), ("z", 1)], true);
    let changes = vec![warmed(5), strange, confirmed(2), held("bob")];
    check(&[message(1, 1, changes)], &["(4,bob,held)"], &["(1,2,ada,unknown_sku)"], "(1)").await;
}

#[tokio::test]
async fn the_buyers_of_a_sale_are_listed_unless_one_may_be_missing() {
    let database = Database::new().await;
    let changes = vec![warmed(2), held("ada"), released(2), held("bob"), held("cleo"), held("dan")];
    database.write(&[message(1, 1, changes)]).await;
    let told = async |max| {
        let mut buyers = sale_buyers(&database.client, SALE, max).await.unwrap()?;
        buyers.sort_unstable();
        Some(buyers.join(" "))
    };
    assert_eq!(told(4).await.as_deref(), Some("ada bob cleo dan"), "dan was rejected");
    assert_eq!(told(3).await, None);
    assert_eq!(sale_buyers(&database.client, "other", 1).await.unwrap(), Some(vec![]));
    database.client.execute("INSERT INTO quarantine (reason, body) VALUES ('unreadable', '')", &[]).await.unwrap();
    assert_eq!(told(4).await, None, "the reservation's owner is unknown");
    assert_eq!(sale_buyers(&database.client, "other", 1).await.unwrap(), None);
}

#[tokio::test]
async fn a_rejection_holds_its_event_to_be_sent_again() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(1), held("ada"), held("bob")])]).await;
    let row = database.client.query_one("SELECT event FROM rejections", &[]).await.unwrap();
    let event = Message::decode(row.get::<_, &str>(0).as_bytes()).unwrap().encode();
    assert_eq!(event, message(1, 3, vec![held("bob")]).encode());
}

/// PostgreSQL reads JSON recursively, and refuses more levels than its stack has room for.
fn nested_too_deep() -> MessageChange<'static> {
    let mut change = held("ada");
    if let MessageChange::Reserved(reserved) = &mut change {
        let json = "[".repeat(1_000_000) + &"]".repeat(1_000_000);
        reserved.data = Some(std::borrow::Cow::Owned(RawValue::from_string(json).unwrap()));
    }
    change
}

#[tokio::test]
async fn an_event_that_no_one_can_write_is_quarantined_and_the_rest_goes_on() {
    let database = Database::new().await;
    let changes = vec![warmed(5), held("bob"), nested_too_deep(), confirmed(3), held("cleo")];
    assert_eq!(database.write(&[message(1, 1, changes)]).await, head(1, 5));
    assert_eq!(database.rows("SELECT id, buyer FROM orders").await, ["(2,bob)", "(5,cleo)"]);
    assert_eq!(database.rows("SELECT sold FROM skus WHERE sku = 'a'").await, ["(2)"]);
    let row = database.client.query_one("SELECT seq, reason, body FROM quarantine", &[]).await.unwrap();
    assert_eq!(row.get::<_, i64>(0), 3);
    assert!(row.get::<_, &str>(1).contains("stack depth"), "{}", row.get::<_, &str>(1));
    assert_eq!(row.get::<_, &[u8]>(2), message(1, 3, vec![nested_too_deep()]).encode());
}

#[tokio::test]
async fn an_event_that_no_one_can_write_waits_for_its_turn_like_any_other() {
    let database = Database::new().await;
    assert_eq!(database.write(&[message(1, 2, vec![nested_too_deep(), held("bob")])]).await, head(1, 0));
    assert_eq!(database.write(&[message(1, 1, vec![warmed(5)])]).await, head(1, 3));
    assert_eq!(database.rows("SELECT seq FROM quarantine").await, ["(2)"]);
    assert_eq!(database.rows("SELECT id FROM orders").await, ["(3)"]);
}

/// Anyone who can publish to the queue could fill the disk otherwise.
#[tokio::test]
async fn unsigned_messages_do_not_fill_the_quarantine() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    let bodies: Vec<String> = (0..=UNSIGNED_KEPT_MAX).map(|number| number.to_string()).collect();
    let of = |body, is_authentic| Unreadable { reason: "unsigned".to_owned(), body, is_authentic };
    let unsigned: Vec<_> = bodies.iter().map(|body| of(body.as_bytes(), false)).collect();
    let count = async |is_authentic: bool| {
        let row = "SELECT count(*) FROM quarantine WHERE discarded_at IS NULL AND is_authentic = $1";
        u64::try_from(database.client.query_one(row, &[&is_authentic]).await.unwrap().get::<_, i64>(0)).unwrap()
    };
    for unreadable in unsigned.chunks(unsigned.len() / 2) {
        vault.write_incoming(Incoming { unreadable, ..Incoming::default() }).await.unwrap();
    }
    assert_eq!(count(false).await, UNSIGNED_KEPT_MAX);
    let signed = [of(b"{}", true)];
    vault.write_incoming(Incoming { unreadable: &signed, ..Incoming::default() }).await.unwrap();
    assert_eq!(count(true).await, 1, "a signed message has its place");
    database.client.batch_execute("UPDATE quarantine SET discarded_at = now()").await.unwrap();
    let later = [of(b"later", false)];
    vault.write_incoming(Incoming { unreadable: &later, ..Incoming::default() }).await.unwrap();
    assert_eq!(count(false).await, 1, "discarding makes room");
}

#[tokio::test]
async fn an_unreadable_message_is_kept_once() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    let unreadable = [b"\0\xff".as_slice(), b"{}", b"\0\xff"].map(|body| Unreadable {
        reason: "not a message".to_owned(),
        body,
        is_authentic: true,
    });
    let incoming = Incoming { unreadable: &unreadable, ..Incoming::default() };
    vault.write_incoming(incoming).await.unwrap();
    vault.write_incoming(incoming).await.unwrap();
    let kept = database.rows("SELECT sale, seq, reason, body FROM quarantine").await;
    assert_eq!(kept, ["(,,\"not a message\",\"\\\\x00ff\")", "(,,\"not a message\",\"\\\\x7b7d\")"]);
}
