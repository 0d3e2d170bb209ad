//! Messages of an epoch that never began: of another Flash on the same queue, or made up.

use flash_vault::{Replay, Sealed, Standing, Vault, Wanted, maybe_foreign};
use flash_wire::limits::EPOCH_MAX;

use crate::fixture::{Database, SALE, confirmed, held, message, take, warmed};

const ORDERS: &str = "SELECT id, buyer FROM orders";
const ASIDE: &str = "SELECT sale, epoch, seq, reason FROM quarantine WHERE discarded_at IS NULL";

/// A sale in its first epoch, and a whole life of another Flash's that has its name.
async fn with_a_foreign_life() -> (Database, Vault) {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    vault.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await.unwrap();
    let foreign = message(99, 1, vec![warmed(7), held("mallory"), confirmed(2)]);
    vault.write(std::slice::from_ref(&foreign)).await.unwrap();
    vault.write(&[foreign]).await.unwrap();
    (database, vault)
}

#[tokio::test]
async fn nothing_of_it_is_applied_and_all_of_it_goes_to_the_quarantine_once() {
    let (database, mut vault) = with_a_foreign_life().await;
    assert_eq!(database.rows(ORDERS).await, ["(2,ada)"]);
    assert_eq!(database.rows("SELECT epoch FROM sales").await, ["(1)"]);
    let waiting = maybe_foreign(&database.client, 9).await.unwrap();
    assert_eq!(waiting.iter().map(|of| (of.sale.as_str(), of.epoch)).collect::<Vec<_>>(), [(SALE, 99)]);
    assert_eq!(vault.put_foreign_aside(SALE, 99).await.unwrap(), 0, "Redis is in it: PostgreSQL has forgotten it");
    assert_eq!(vault.put_foreign_aside(SALE, 1).await.unwrap(), 3);
    assert_eq!(database.rows(ASIDE).await, [r#"(drop,,,"nobody has begun epoch 99 of this sale")"#; 3]);
    assert!(maybe_foreign(&database.client, 9).await.unwrap().is_empty());
    vault.write(&[message(99, 2, vec![held("mallory")])]).await.unwrap();
    vault.put_foreign_aside(SALE, 1).await.unwrap();
    assert_eq!(database.rows(ASIDE).await.len(), 3, "the same again is there once");
    vault.write(&[message(1, 3, vec![confirmed(2)])]).await.unwrap();
    assert_eq!(database.rows("SELECT state FROM orders").await, ["(confirmed)"], "the sale goes on");
}

#[tokio::test]
async fn it_is_never_replayed_and_a_discard_rejects_no_reservation() {
    let (database, mut vault) = with_a_foreign_life().await;
    vault.put_foreign_aside(SALE, 1).await.unwrap();
    for id in 1..=3 {
        let no_state = async |_| Ok::<Option<Standing>, flash_vault::Error>(None);
        let replayed = vault.replay(id, no_state).await.unwrap();
        assert!(matches!(&replayed, Replay::Refused(why) if why.contains("epoch 99")), "{replayed:?}");
        assert!(vault.discard(id, "olga").await.unwrap().is_some_and(|counted| counted.is_empty()), "{id}");
    }
    assert!(database.rows("SELECT * FROM rejections").await.is_empty());
    assert_eq!(database.rows(ORDERS).await, ["(2,ada)"]);
}

#[tokio::test]
async fn a_seal_takes_none_of_it_over() {
    let (database, mut vault) = with_a_foreign_life().await;
    let term = take(&database.client, "a").await.unwrap().unwrap();
    let claim = database.claim(term).await;
    let sealed = vault.seal(SALE, claim, 1, Wanted::Exactly(2)).await.unwrap();
    let Sealed::Next { next, expected } = sealed else { panic!("{sealed:?}") };
    crate::epochs::check_next(&database, term, next).await;
    assert_eq!(expected.content.reservations, 1);
    assert_eq!(next.after, 3 + flash_vault::EPOCHS_APART_SEQS);
    assert_eq!(database.rows(ORDERS).await, ["(2,ada)"]);
    assert_eq!(database.rows(ASIDE).await.len(), 3);
}

/// The highest number that a message may have is not the end of the sale's lives.
#[tokio::test]
async fn a_made_up_epoch_uses_no_numbers_up() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    database.write(&[message(EPOCH_MAX, 2, vec![held("mallory")])]).await;
    let next = crate::epochs::seal(&database, 1, Wanted::Exactly(2)).await.unwrap();
    assert!(next.epoch < EPOCH_MAX / 2, "{next:?}");
    database.write(&[message(next.epoch, next.after + 1, vec![confirmed(2)])]).await;
    assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, ["(2,ada,confirmed)"]);
    assert_eq!(database.rows(ASIDE).await.len(), 1);
}
