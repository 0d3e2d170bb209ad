//! Who recovers a sale, and that a seal leaves nothing between.

use std::time::{Duration, Instant};

use flash_vault::{
    Claim, Client, RedisState, Sealed, Unsettled, Vault, Wanted, connect, end_recovery, heads, living, renew_recovery,
    settle_late, standing, unsettled_sales,
};

use crate::fixture::{Database, SALE, head, held, message, warmed};

const DEADLINE: Duration = Duration::from_secs(20);
const WAITS: &str = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";

/// Returns when `count` sessions wait for a lock.
pub(crate) async fn waiters(client: &Client, count: usize) {
    let begin = Instant::now();
    while client.query(WAITS, &[]).await.unwrap().len() < count {
        assert!(begin.elapsed() < DEADLINE, "fewer than {count} wait for a lock");
    }
}

#[tokio::test]
async fn each_recovery_has_a_term_of_its_own_and_only_the_newest_counts() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    let client = &database.client;
    let take = async |gateway| crate::fixture::take(client, gateway).await.unwrap();
    let first = take("a").await.unwrap();
    assert_eq!(take("b").await, None);
    let second = take("a").await.unwrap();
    assert!(first > 0 && second > first);
    assert!(!renew_recovery(client, SALE, "a", first).await.unwrap());
    assert!(renew_recovery(client, SALE, "a", second).await.unwrap());
    end_recovery(client, SALE, "a", first).await.unwrap();
    assert_eq!(take("b").await, None, "an older term ends nothing");
    end_recovery(client, SALE, "a", second).await.unwrap();
    let third = take("b").await.unwrap();
    assert!(third > second);
    assert!(!renew_recovery(client, SALE, "a", second).await.unwrap());
    let mut vault = Vault::open(&database.url).await.unwrap();
    for term in [first, second, third + 1] {
        let claim = database.claim(term).await;
        assert_eq!(vault.seal(SALE, claim, 1, Wanted::Exactly(2)).await.unwrap(), Sealed::Superseded, "{term}");
    }
    assert_eq!(living(client, "", 9).await.unwrap(), [(SALE.to_owned(), 1, third)]);
    assert_eq!(database.rows("SELECT epoch, sealed_at FROM epochs").await, ["(1,)"]);
}

/// A standby that has the term and not the barrier may lack what was queued before that as well.
#[tokio::test]
async fn nothing_is_sealed_or_restored_without_its_barrier() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    let term = crate::fixture::take(&database.client, "a").await.unwrap().unwrap();
    let mut vault = Vault::open(&database.url).await.unwrap();
    let before = database.rows("SELECT * FROM epochs").await;
    let gone = Claim { term, barrier: "recovery-9" };
    for wanted in [Wanted::Exactly(2), crate::epochs::anywhere(2)] {
        assert_eq!(vault.seal(SALE, gone, 1, wanted).await.unwrap(), Sealed::BarrierGone);
    }
    let (terms, reservations, ended) = (flash_wire::Terms::simple(5), Vec::new(), Vec::new());
    let from = RedisState { epoch: 1, seq: 9, acked: 9, terms, is_closed: false, reservations, ended };
    assert_eq!(vault.restore(SALE, gone, &from).await.unwrap(), Sealed::BarrierGone);
    let superseded = Claim { term: term + 1, ..gone };
    assert_eq!(vault.seal(SALE, superseded, 1, Wanted::Exactly(2)).await.unwrap(), Sealed::Superseded);
    assert_eq!(database.rows("SELECT * FROM epochs").await, before);
    let claim = database.claim(term).await;
    assert!(matches!(vault.seal(SALE, claim, 1, Wanted::Exactly(2)).await, Ok(Sealed::Next { .. })));
}

/// PostgreSQL goes back to before a term that it gave, while Redis knows it or has lost it too.
#[tokio::test]
async fn no_term_is_given_twice_even_where_postgresql_has_forgotten_it() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5)])]).await;
    let client = &database.client;
    let forget = "DELETE FROM recoveries";
    let forgotten = crate::fixture::take(client, "a").await.unwrap().unwrap();
    client.batch_execute(forget).await.unwrap();
    let again = crate::fixture::take(client, "a").await.unwrap().unwrap();
    assert_ne!(again, forgotten, "Redis has lost it too: the bits that are drawn differ");
    let seen = again + (9 << 20);
    let above = flash_vault::take_recovery(client, SALE, "a", again, seen).await.unwrap();
    assert!(above > Some(seen), "{above:?}");
    client.batch_execute(forget).await.unwrap();
    let first = flash_vault::take_recovery(client, SALE, "a", 0, seen).await.unwrap();
    assert!(first > Some(seen) && first != above, "{first:?}");
}

#[tokio::test]
async fn a_recovery_that_is_sealing_is_not_taken_over() {
    let mut database = Database::new().await;
    let term = crate::fixture::take(&database.client, "a").await.unwrap().unwrap();
    end_recovery(&database.client, SALE, "a", term).await.unwrap();
    let other = connect(&database.url).await.unwrap();
    let sealing = database.client.transaction().await.unwrap();
    sealing.query_one("SELECT FROM recoveries FOR SHARE", &[]).await.unwrap();
    assert_eq!(crate::fixture::take(&other, "b").await.unwrap(), None);
    sealing.commit().await.unwrap();
    assert!(crate::fixture::take(&other, "b").await.unwrap() > Some(term));
}

/// A syncer that waits for the lock of the seal finds the epoch over: what it brings is not kept for a turn that never
/// comes.
#[tokio::test]
async fn what_comes_while_an_epoch_is_sealed_is_in_it_or_late() {
    let mut database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    let term = crate::fixture::take(&database.client, "a").await.unwrap().unwrap();
    let watcher = connect(&database.url).await.unwrap();
    let [mut sealer, mut writer] =
        [Vault::open(&database.url).await.unwrap(), Vault::open(&database.url).await.unwrap()];
    let claim = database.claim(term).await;
    let lock = database.client.transaction().await.unwrap();
    lock.query_one("SELECT FROM epochs FOR UPDATE", &[]).await.unwrap();
    let sealing = tokio::spawn(async move { sealer.seal(SALE, claim, 1, crate::epochs::anywhere(2)).await.unwrap() });
    waiters(&watcher, 1).await;
    let writing = tokio::spawn(async move { writer.write(&[message(1, 9, vec![held("eve")])]).await.unwrap() });
    waiters(&watcher, 2).await;
    lock.commit().await.unwrap();
    assert!(matches!(sealing.await.unwrap(), Sealed::Next { .. }));
    assert_eq!(writing.await.unwrap(), head(1, 2));
    assert_eq!(database.rows("SELECT seq FROM early").await, [""; 0]);
    assert_eq!(database.rows("SELECT id, reason FROM rejections").await, ["(9,late)"]);
}

#[tokio::test]
async fn unreadable_events_delay_no_other_event() {
    let database = Database::new().await;
    let many = |first: u64, count: u64| {
        message(1, first, (0..count).map(|_| flash_wire::message::MessageChange::Closed).collect())
    };
    database.write(&[message(1, 1, vec![warmed(5)])]).await;
    assert_eq!(database.write(&[many(3, 1_000)]).await, head(1, 1));
    assert_eq!(database.write(&[many(130_001, 500), message(1, 130_501, vec![held("ada")])]).await, head(1, 1));
    let next = crate::epochs::seal(&database, 1, crate::epochs::anywhere(130_600)).await;
    assert_eq!(next.unwrap().after, 130_600 + flash_vault::EPOCHS_APART_SEQS);
    let gaps = ["(1003,130000)", "(130502,130600)", "(2,2)"];
    assert_eq!(database.rows("SELECT first, last FROM gaps").await, gaps, "each seq is written, or counts as lost");
    assert_eq!(database.rows("SELECT head, sealed_at FROM epochs WHERE epoch = 1").await, ["(130501,130501)"]);
    assert_eq!(database.rows("SELECT id, buyer FROM orders").await, ["(130501,ada)"]);
}

#[tokio::test]
async fn an_unreadable_kept_event_goes_to_the_quarantine() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5)]), message(1, 3, vec![held("ada"), held("bob")])]).await;
    database.client.execute("UPDATE early SET event = '{}' WHERE seq = 3", &[]).await.unwrap();
    crate::epochs::seal(&database, 1, crate::epochs::anywhere(0)).await.unwrap();
    assert_eq!(database.rows("SELECT sale, epoch, seq FROM quarantine").await, ["(drop,1,3)"]);
    assert_eq!(database.rows("SELECT id FROM orders").await, ["(4)"]);
    assert_eq!(database.rows("SELECT first, last FROM gaps").await, ["(2,2)"]);
    assert_eq!(database.rows("SELECT * FROM early").await, [""; 0]);
}

/// An epoch that PostgreSQL had not begun came by the queue, and Redis is not in it: both have forgotten it, or it is
/// foreign.
#[tokio::test]
async fn a_number_that_any_epoch_has_is_not_begun_again() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")]), message(4, 900, vec![held("eve")])]).await;
    let next = crate::epochs::seal(&database, 1, Wanted::Exactly(2)).await.unwrap();
    assert_eq!(next.after, 900 + flash_vault::EPOCHS_APART_SEQS);
    let epochs = ["(1,2)".to_owned(), format!("({},)", next.epoch), "(4,0)".to_owned()];
    assert_eq!(database.rows("SELECT epoch, sealed_at FROM epochs").await, epochs);
    assert_eq!(database.rows("SELECT id, epoch, buyer FROM orders").await, ["(2,1,ada)"]);
    assert_eq!(database.rows("SELECT sale, reason FROM quarantine").await.len(), 1, "it is not lost");
}

#[tokio::test]
async fn what_came_late_is_marked_until_redis_is_seen_in_a_later_epoch() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    crate::epochs::seal(&database, 1, Wanted::Exactly(2)).await.unwrap();
    database.write(&[message(1, 3, vec![held("bob")])]).await;
    let unsettled = async || unsettled_sales(&database.client, 9).await.unwrap();
    let marked = Unsettled { sale: SALE.to_owned(), epoch: 1, only_late: true };
    assert_eq!(unsettled().await, std::slice::from_ref(&marked));
    settle_late(&database.client, SALE, 1).await.unwrap();
    assert_eq!(unsettled().await, [marked]);
    settle_late(&database.client, SALE, 2).await.unwrap();
    assert_eq!(unsettled().await, []);
}

#[tokio::test]
async fn a_number_that_two_buyers_got_is_the_first_ones_and_the_second_is_refused() {
    let rejected = "SELECT id, buyer, reason FROM rejections";
    let twins = [message(1, 2, vec![held("ada")]), message(1, 2, vec![held("eve")])];
    let warm = message(1, 1, vec![warmed(5)]);
    let [one, other] = twins;
    for batches in [
        vec![vec![warm.clone(), one.clone()], vec![other.clone()], vec![other.clone(), one.clone()]],
        vec![vec![warm.clone(), one.clone(), other.clone()]],
        vec![vec![one.clone()], vec![other.clone()], vec![warm.clone()]],
        vec![vec![one, other], vec![warm]],
    ] {
        let database = Database::new().await;
        for batch in &batches {
            database.write(batch).await;
        }
        assert_eq!(database.rows("SELECT id, buyer FROM orders").await, ["(2,ada)"], "{batches:?}");
        assert_eq!(database.rows(rejected).await, ["(2,eve,id_taken)"], "{batches:?}");
    }
}

#[tokio::test]
async fn a_standing_says_all_that_a_decision_needs() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(1), held("ada"), held("bob")]), message(1, 9, vec![held("eve")])]).await;
    crate::fixture::take(&database.client, "a").await.unwrap();
    let found = standing(&database.client, SALE, 1).await.unwrap().unwrap();
    let life = &found.life;
    assert_eq!((life.epoch, life.head, life.sealed_at, life.is_closed), (1, Some(3), None, false));
    assert!(life.term > 0);
    assert_eq!((life.early, life.unsettled, life.content.reservations), (1, 1, 1));
    assert_eq!((found.sold[0].sku.as_str(), found.sold[0].total, found.sold[0].sold), ("a", 1, 1));
    assert_eq!(standing(&database.client, "other", 1).await.unwrap(), None);
    let asked = heads(&database.client, &[("other", 1), (SALE, 1), (SALE, 2)]).await.unwrap();
    assert_eq!(asked.iter().map(|head| head.seq).collect::<Vec<_>>(), [0, 3, 0]);
}
