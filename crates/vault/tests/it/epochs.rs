//! An epoch ends, and the next one begins.

use flash_vault::{EPOCHS_APART_SEQS, Sealed, Seen, Vault, Wanted, active_page, standing};
use flash_wire::NextEpoch;

use crate::fixture::{Database, SALE, confirmed, head, held, message, released, warmed};

const AFTER: u64 = 3 + EPOCHS_APART_SEQS;
const NEXT: NextEpoch = NextEpoch { epoch: 2, after: AFTER };

/// Seals in a term of its own.
pub(crate) async fn seal(database: &Database, epoch: u64, wanted: Wanted) -> Option<NextEpoch> {
    let term = crate::fixture::take(&database.client, "gateway").await.unwrap().unwrap();
    let claim = database.claim(term).await;
    match Vault::open(&database.url).await.unwrap().seal(SALE, claim, epoch, wanted).await.unwrap() {
        Sealed::Next { next, .. } => Some(next),
        Sealed::NotYet => None,
        Sealed::Superseded | Sealed::BarrierGone => panic!("no one else recovers it"),
    }
}

/// Redis is in the first epoch, and has numbers up to `seq`.
pub(crate) const fn anywhere(seq: u64) -> Wanted {
    Wanted::Anywhere(Seen { epoch: 1, seq, head: 0 })
}

/// A sale of five, of which ada and bob have one each.
async fn sold_two() -> Database {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada"), held("bob")])]).await;
    database
}

#[tokio::test]
async fn a_sealed_epoch_takes_nothing_more_and_says_what_came_late() {
    let database = sold_two().await;
    assert_eq!(seal(&database, 1, Wanted::Exactly(3)).await, Some(NEXT));
    let late = [message(1, 3, vec![held("bob"), held("cleo"), confirmed(2)])];
    for _ in 0..2 {
        assert_eq!(database.write(&late).await, head(1, 3));
        assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, ["(2,ada,held)", "(3,bob,held)"]);
        let rejected = "SELECT epoch, id, buyer, reason, settled_at IS NULL AS open FROM rejections";
        assert_eq!(database.rows(rejected).await, ["(1,4,cleo,late,t)"]);
        assert_eq!(database.rows("SELECT epoch, seq, reason FROM quarantine").await, ["(1,5,late)"]);
    }
}

#[tokio::test]
async fn the_next_epoch_continues_after_it_with_the_same_orders() {
    let database = sold_two().await;
    assert_eq!(seal(&database, 1, Wanted::Exactly(3)).await, Some(NEXT));
    let events = vec![released(2), held("ada"), confirmed(3)];
    assert_eq!(database.write(&[message(2, AFTER + 1, events)]).await, head(2, AFTER + 3));
    let orders = [format!("({},ada,held)", AFTER + 2), "(2,ada,released)".to_owned(), "(3,bob,confirmed)".to_owned()];
    assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, orders);
    assert_eq!(database.rows("SELECT sold FROM skus WHERE sku = 'a'").await, ["(2)"]);
}

#[tokio::test]
async fn only_the_newest_epoch_is_sealed_and_only_where_it_was_expected_to_be() {
    let database = sold_two().await;
    for (epoch, wanted) in [(1, Wanted::Exactly(2)), (1, Wanted::Exactly(4)), (2, anywhere(0))] {
        assert_eq!(seal(&database, epoch, wanted).await, None, "{epoch} {wanted:?}");
    }
    let life = standing(&database.client, SALE, 1).await.unwrap().unwrap().life;
    assert_eq!((life.epoch, life.head, life.sealed_at, life.is_closed), (1, Some(3), None, false));
    let after_redis = NextEpoch { epoch: 2, after: 9 + EPOCHS_APART_SEQS };
    assert_eq!(seal(&database, 1, anywhere(9)).await, Some(after_redis));
    assert_eq!(seal(&database, 1, anywhere(9)).await, None, "it is over already");
}

#[tokio::test]
async fn an_epoch_that_was_written_further_when_it_was_looked_at_is_not_sealed() {
    let database = sold_two().await;
    let seen = |head| Wanted::Anywhere(Seen { epoch: 1, seq: 3, head });
    assert_eq!(seal(&database, 1, seen(4)).await, None, "what was there then is forgotten");
    assert_eq!(seal(&database, 1, seen(3)).await, Some(NEXT));
}

/// Redis was warmed in an epoch that PostgreSQL has forgotten, and was never opened there.
#[tokio::test]
async fn an_epoch_that_only_redis_knows_is_sealed_before_the_next_one() {
    let database = sold_two().await;
    let next = NextEpoch { epoch: 5, after: 700 + EPOCHS_APART_SEQS };
    assert_eq!(seal(&database, 1, Wanted::Anywhere(Seen { epoch: 4, seq: 700, head: 3 })).await, Some(next));
    assert_eq!(database.rows("SELECT epoch FROM epochs WHERE sealed_at IS NULL").await, ["(5)"]);
    assert_eq!(database.rows("SELECT epoch FROM sales").await, ["(5)"]);
    database.write(&[message(4, 701, vec![held("gus")])]).await;
    assert_eq!(database.rows("SELECT epoch, id, reason FROM rejections").await, ["(4,701,late)"]);
    assert_eq!(database.rows("SELECT id, state FROM orders").await, ["(2,held)", "(3,held)"], "nothing was taken back");
}

#[tokio::test]
async fn a_life_of_which_nothing_was_written_is_sealed_too() {
    let database = Database::new().await;
    database.client.execute("INSERT INTO sales (sale, epoch, buyer_limit) VALUES ('drop', 1, 1)", &[]).await.unwrap();
    assert_eq!(seal(&database, 1, anywhere(0)).await, Some(NextEpoch { epoch: 2, after: EPOCHS_APART_SEQS }));
    assert_eq!(database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await, head(1, 0));
    assert_eq!(database.rows("SELECT id, reason FROM rejections").await, ["(2,late)"]);
}

#[tokio::test]
async fn what_lies_beyond_a_gap_is_saved_and_the_gap_is_written_down() {
    let database = sold_two().await;
    database.write(&[message(1, 6, vec![held("dan"), confirmed(6)]), message(1, 9, vec![held("eve")])]).await;
    let next = NextEpoch { epoch: 2, after: 9 + EPOCHS_APART_SEQS };
    assert_eq!(seal(&database, 1, Wanted::Exactly(3)).await, None, "somebody knows more than Redis");
    assert_eq!(seal(&database, 1, anywhere(3)).await, Some(next));
    let orders = ["(2,ada,held)", "(3,bob,held)", "(6,dan,confirmed)", "(9,eve,held)"];
    assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, orders);
    assert_eq!(database.rows("SELECT first, last FROM gaps").await, ["(4,5)", "(8,8)"]);
    assert_eq!(database.rows("SELECT * FROM early").await, [""; 0]);
    database.write(&[message(1, 4, vec![held("cleo")])]).await;
    assert_eq!(database.rows("SELECT id, buyer, reason FROM rejections").await, ["(4,cleo,late)"]);
}

#[tokio::test]
async fn the_active_orders_come_by_id_page_by_page() {
    let database = sold_two().await;
    database.write(&[message(1, 4, vec![held("cleo"), released(3), confirmed(2)])]).await;
    let page = |after, count| active_page(&database.client, SALE, after, count);
    let all = page(0, 10).await.unwrap();
    let seen: Vec<_> = all.iter().map(|order| (order.id, &*order.made.buyer, &*order.state, order.made.slot)).collect();
    assert_eq!(seen, [(2, "ada", "confirmed", 0), (4, "cleo", "held", 0)]);
    assert_eq!((all[1].made.expires_at_ms, all[1].made.items[0].quantity), (Some(61_000), 1));
    assert_eq!(page(0, 1).await.unwrap(), all[..1]);
    assert_eq!(page(2, 1).await.unwrap(), all[1..]);
    assert_eq!(page(4, 1).await.unwrap(), []);
}
