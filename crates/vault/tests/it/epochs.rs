//! An epoch ends, and the next one begins.

use flash_vault::{EPOCHS_APART_SEQS, Sealed, Seen, Vault, Wanted, active_page, maybe_foreign, standing};
use flash_wire::NextEpoch;
use flash_wire::limits::EPOCH_MAX;

use crate::fixture::{Database, SALE, confirmed, head, held, message, released, warmed};

const AFTER: u64 = 3 + EPOCHS_APART_SEQS;

/// Seals in a term of its own.
pub(crate) async fn seal(database: &Database, epoch: u64, wanted: Wanted) -> Option<NextEpoch> {
    let term = crate::fixture::take(&database.client, "gateway").await.unwrap().unwrap();
    seal_in(database, term, epoch, wanted).await
}

/// Seals in the newest term.
async fn seal_in(database: &Database, term: u64, epoch: u64, wanted: Wanted) -> Option<NextEpoch> {
    let claim = database.claim(term).await;
    match Vault::open(&database.url).await.unwrap().seal(SALE, claim, epoch, wanted).await.unwrap() {
        Sealed::Next { next, .. } => {
            check_next(database, term, next).await;
            Some(next)
        }
        Sealed::NotYet => None,
        Sealed::Superseded | Sealed::BarrierGone => panic!("no one else recovers it"),
    }
}

/// The epoch that a term has begun is above all others that are not made up, with the low bits of the term.
pub(crate) async fn check_next(database: &Database, term: u64, next: NextEpoch) {
    let older = format!("SELECT max(epoch) FROM epochs WHERE epoch NOT IN ({}, {EPOCH_MAX})", next.epoch);
    let older = database.rows(&older).await[0].trim_matches(['(', ')']).parse().unwrap();
    assert_eq!(next.epoch, flash_plan::epoch_of(term, older));
    assert_eq!(database.rows("SELECT epoch FROM sales").await, [format!("({})", next.epoch)]);
}

/// After which event an epoch begins.
fn after(next: Option<NextEpoch>) -> Option<u64> {
    next.map(|next| next.after)
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
    assert_eq!(after(seal(&database, 1, Wanted::Exactly(3)).await), Some(AFTER));
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
    let next = seal(&database, 1, Wanted::Exactly(3)).await.unwrap();
    assert_eq!(next.after, AFTER);
    let events = vec![released(2), held("ada"), confirmed(3)];
    assert_eq!(database.write(&[message(next.epoch, AFTER + 1, events)]).await, head(next.epoch, AFTER + 3));
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
    assert_eq!(after(seal(&database, 1, anywhere(9)).await), Some(9 + EPOCHS_APART_SEQS));
    assert_eq!(seal(&database, 1, anywhere(9)).await, None, "it is over already");
}

#[tokio::test]
async fn an_epoch_that_was_written_further_when_it_was_looked_at_is_not_sealed() {
    let database = sold_two().await;
    let seen = |head| Wanted::Anywhere(Seen { epoch: 1, seq: 3, head });
    assert_eq!(seal(&database, 1, seen(4)).await, None, "what was there then is forgotten");
    assert_eq!(after(seal(&database, 1, seen(3)).await), Some(AFTER));
}

/// Redis was warmed in an epoch that PostgreSQL has forgotten, and was never opened there.
#[tokio::test]
async fn an_epoch_that_only_redis_knows_is_sealed_before_the_next_one() {
    let database = sold_two().await;
    let next = seal(&database, 1, Wanted::Anywhere(Seen { epoch: 4, seq: 700, head: 3 })).await.unwrap();
    assert_eq!(next.after, 700 + EPOCHS_APART_SEQS);
    assert_eq!(database.rows("SELECT sealed_at FROM epochs WHERE epoch = 4").await, ["(0)"]);
    database.write(&[message(4, 701, vec![held("gus")])]).await;
    assert_eq!(database.rows("SELECT epoch, id, reason FROM rejections").await, ["(4,701,late)"]);
    assert_eq!(database.rows("SELECT id, state FROM orders").await, ["(2,held)", "(3,held)"], "nothing was taken back");
}

#[tokio::test]
async fn a_life_of_which_nothing_was_written_is_sealed_too() {
    let database = Database::new().await;
    database.client.execute("INSERT INTO sales (sale, epoch, buyer_limit) VALUES ('drop', 1, 1)", &[]).await.unwrap();
    assert_eq!(after(seal(&database, 1, anywhere(0)).await), Some(EPOCHS_APART_SEQS));
    assert_eq!(database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await, head(1, 0));
    assert_eq!(database.rows("SELECT id, reason FROM rejections").await, ["(2,late)"]);
}

/// Redis loses the sale, and PostgreSQL goes back to before the seal: the terms begin to count anew.
async fn forget(database: &Database, term: u64) {
    let forget = format!(
        "DELETE FROM epochs WHERE epoch > 1; UPDATE epochs SET sealed_at = NULL; UPDATE sales SET epoch = 1;
         DELETE FROM recoveries;
         INSERT INTO recoveries (sale, gateway, until, term) VALUES ('drop', 'a', now(), {term})"
    );
    database.client.batch_execute(&forget).await.unwrap();
}

/// By what the terms drew, the forgotten life has the higher number or the lower one.
#[tokio::test]
async fn no_event_of_a_life_that_both_servers_forgot_is_taken_for_one_of_the_next() {
    for (was, is) in [(5, 9), (9, 5)] {
        let database = sold_two().await;
        let mut lives = Vec::new();
        for drawn in [was, is] {
            let term = (1 << flash_plan::EPOCH_DRAWN_BITS) + drawn;
            forget(&database, term).await;
            lives.push(seal_in(&database, term, 1, Wanted::Exactly(3)).await.unwrap());
        }
        let first = message(lives[0].epoch, AFTER + 1, vec![warmed(5), held("eve")]);
        let second = message(lives[1].epoch, AFTER + 1, vec![warmed(5), held("fay")]);
        database.write(&[first]).await;
        assert_eq!(database.write(&[second]).await, head(lives[1].epoch, AFTER + 2), "{was} {is}");
        let waiting = maybe_foreign(&database.client, 9).await.unwrap();
        assert_eq!(waiting.len(), usize::from(was > is), "{waiting:?}");
        let mut vault = Vault::open(&database.url).await.unwrap();
        vault.put_foreign_aside(SALE, lives[1].epoch).await.unwrap();
        let orders = ["(2,ada)".to_owned(), "(3,bob)".to_owned(), format!("({},fay)", AFTER + 2)];
        let sorted = |mut rows: Vec<String>| {
            rows.sort_unstable();
            rows
        };
        assert_eq!(database.rows("SELECT id, buyer FROM orders").await, sorted(orders.to_vec()));
        let late = database.rows("SELECT buyer, reason FROM rejections").await;
        let aside = database.rows("SELECT seq IS NULL FROM quarantine").await.len();
        let recorded = if was > is { (Vec::new(), 2) } else { (vec!["(eve,late)".to_owned()], 1) };
        assert_eq!((late, aside), recorded, "each event is recorded");
        assert_eq!(database.rows("SELECT * FROM early").await, [""; 0]);
    }
}

#[tokio::test]
async fn what_lies_beyond_a_gap_is_saved_and_the_gap_is_written_down() {
    let database = sold_two().await;
    database.write(&[message(1, 6, vec![held("dan"), confirmed(6)]), message(1, 9, vec![held("eve")])]).await;
    assert_eq!(seal(&database, 1, Wanted::Exactly(3)).await, None, "somebody knows more than Redis");
    assert_eq!(after(seal(&database, 1, anywhere(3)).await), Some(9 + EPOCHS_APART_SEQS));
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
