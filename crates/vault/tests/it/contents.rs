//! What the epochs say of a sale's content is what its orders say.

use flash_vault::{Replay, Sealed, Snapshot, Standing, Vault, Wanted, connect, standing};
use flash_wire::message::{MessageChange, MessageSku};
use flash_wire::{Expected, State};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::fixture::{Database, SALE, confirmed, expired, held, message, released, reserved, warmed};
use crate::history::History;
use crate::quarantine::replay;

/// Both are the same, and so many are active.
pub(crate) async fn check_content(database: &Database) -> u64 {
    let mut client = connect(&database.url).await.unwrap();
    let snapshot = Snapshot::begin(&mut client).await.unwrap();
    let counted = snapshot.counted_content(SALE).await.unwrap();
    assert_eq!(snapshot.content(SALE).await.unwrap(), Some(counted));
    let active = database.rows("SELECT count(*) FROM orders WHERE state IN ('held', 'confirmed')").await;
    assert_eq!(active, [format!("({})", counted.reservations)]);
    counted.reservations
}

#[tokio::test]
async fn a_random_history_keeps_its_content_exact_over_all_its_epochs() {
    let seed = rand::random();
    println!("seed {seed}");
    let (history, rng) = (History::random(seed, 60), &mut StdRng::seed_from_u64(seed));
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    let (mut epoch, mut skipped) = (1, 0);
    for event in &history.events {
        let mut event = event.clone();
        event.epoch = epoch;
        event.events[0].seq += skipped;
        vault.write(&[event.clone()]).await.unwrap();
        if rng.random_bool(0.1) {
            let seq = event.events[0].seq;
            let next = crate::epochs::seal(&database, epoch, Wanted::Exactly(seq)).await.unwrap();
            skipped += next.after - seq;
            epoch = next.epoch;
        }
        check_content(&database).await;
    }
}

#[tokio::test]
async fn what_is_refused_counts_nothing() {
    let database = Database::new().await;
    let strange = reserved("zoe".to_owned(), 0, &[("z", 1)], true);
    let first =
        vec![warmed(2), held("ada"), held("bob"), held("cleo"), confirmed(4), held("ada"), strange, expired(&[4])];
    database.write(&[message(1, 1, first), message(1, 11, vec![held("dan")])]).await;
    assert_eq!(check_content(&database).await, 2);
    database.write(&[message(1, 9, vec![released(2), released(2)])]).await;
    assert_eq!(check_content(&database).await, 2, "dan in the place of ada");
    let next = crate::epochs::seal(&database, 1, Wanted::Exactly(11)).await.unwrap();
    database.write(&[message(1, 12, vec![held("eve"), confirmed(3)])]).await;
    assert_eq!(check_content(&database).await, 2);
    database.write(&[message(next.epoch, next.after + 1, vec![confirmed(3), released(11)])]).await;
    assert_eq!(check_content(&database).await, 1);
}

#[tokio::test]
async fn a_replay_counts_as_well() {
    let database = Database::new().await;
    let strict = "ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')";
    database.client.batch_execute(strict).await.unwrap();
    database.write(&[message(1, 1, vec![warmed(9), held("ada"), held("eve")])]).await;
    database.client.batch_execute("ALTER TABLE orders DROP CONSTRAINT no_eve").await.unwrap();
    assert_eq!(check_content(&database).await, 1);
    let id = database.client.query_one("SELECT id FROM quarantine", &[]).await.unwrap().get::<_, i64>(0);
    let standing = Some(Standing { state: State::Confirmed, at_ms: 9_000 });
    let mut vault = Vault::open(&database.url).await.unwrap();
    assert_eq!(replay(&mut vault, id.cast_unsigned(), standing).await, Replay::Written);
    assert_eq!(check_content(&database).await, 2);
}

/// An epoch that was begun by an older release says nothing.
#[tokio::test]
async fn a_content_that_no_epoch_says_is_counted_once() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(9), held("ada"), held("bob")])]).await;
    let known = standing(&database.client, SALE, 1).await.unwrap().unwrap().life.content;
    database.client.batch_execute("UPDATE epochs SET digest = NULL, reservations = NULL").await.unwrap();
    assert_eq!(standing(&database.client, SALE, 1).await.unwrap().unwrap().life.content, known);
    database.write(&[message(1, 4, vec![held("cleo"), released(2)])]).await;
    let term = crate::fixture::take(&database.client, "a").await.unwrap().unwrap();
    let claim = database.claim(term).await;
    let sealed = Vault::open(&database.url).await.unwrap().seal(SALE, claim, 1, Wanted::Exactly(5)).await.unwrap();
    let Sealed::Next { expected, .. } = sealed else { panic!("{sealed:?}") };
    assert_eq!(check_content(&database).await, 2);
    assert_eq!(standing(&database.client, SALE, 1).await.unwrap().unwrap().life.content, expected.content);
    assert_eq!(expected.skus.iter().map(|sku| (sku.name.as_str(), sku.total, sku.taken)).next(), Some(("a", 9, 2)));
}

/// Redis and PostgreSQL are compared by it.
#[tokio::test]
async fn a_state_is_shown_with_its_head_unless_something_waits_in_the_quarantine() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    let shown = async || {
        let epochs = [("none", 1), (SALE, 1)];
        let shown = flash_vault::heads_and_states(&database.client, &epochs).await.unwrap();
        assert_eq!((shown[0].head, &shown[0].state), (0, &None));
        let life = standing(&database.client, SALE, 1).await.unwrap().unwrap().life;
        assert_eq!((shown[1].state.is_none(), life.content.reservations), (life.has_quarantined, 1));
        let state = shown[1].state.as_ref();
        let of =
            |state: &Expected| (state.content.reservations, state.is_closed, state.skus[0].total, state.skus.len());
        (shown[1].head, state.map(of))
    };
    assert_eq!(shown().await, (2, Some((1, false, 5, 2))));
    let changed = vec![MessageChange::Restocked(MessageSku { sku: "a".to_owned(), total: 7 }), MessageChange::Closed];
    database.write(&[message(1, 3, changed)]).await;
    assert_eq!(shown().await, (4, Some((1, true, 7, 2))));
    let aside = "INSERT INTO quarantine (sale, epoch, seq, reason, body) VALUES ('drop', 1, 2, 'bad', '')";
    database.client.batch_execute(aside).await.unwrap();
    assert_eq!(shown().await, (4, None));
}
