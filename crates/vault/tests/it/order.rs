//! The same events, in whatever order, how often and by how many, leave the same rows.

use std::time::{Duration, Instant};

use flash_vault::{Error, Vault};
use flash_wire::Message;
use futures_util::future::join_all;
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

use crate::contents::check_content;
use crate::fixture::{Database, confirmed, expired, head, held, message, released, reserved, warmed};
use crate::history::History;

const EVENTS: u64 = 150;
const DEADLINE: Duration = Duration::from_secs(20);

/// What one syncer writes: batches of messages.
type Batches = Vec<Vec<Message<'static>>>;

/// Writes a random history as `arrange` splits it among syncers that work at once, and compares the rows.
async fn check(arrange: impl Fn(&[Message<'static>], &mut StdRng) -> Vec<Batches>) {
    let seed = rand::random();
    println!("seed {seed}");
    let history = History::random(seed, EVENTS);
    let syncers = arrange(&history.events, &mut StdRng::seed_from_u64(seed));
    let database = Database::new().await;
    join_all(syncers.iter().map(|batches| sync(&database.url, batches))).await;
    assert_eq!(database.rows("SELECT id, buyer, slot, state FROM orders").await, history.orders);
    assert_eq!(database.rows("SELECT sku, sold FROM skus").await, history.sold);
    assert_eq!(database.rows("SELECT epoch, head FROM epochs").await, [format!("(1,{EVENTS})")]);
    check_content(&database).await;
    for empty in ["early", "rejections", "quarantine"] {
        assert_eq!(database.rows(&format!("SELECT * FROM {empty}")).await, [""; 0], "{empty}");
    }
}

/// Writes as a syncer does: what meets passing trouble is written again.
async fn sync(url: &str, batches: &Batches) {
    let mut vault = Vault::open(url).await.unwrap();
    for batch in batches {
        while let Err(error) = vault.write(batch).await {
            assert!(matches!(error, Error::Passing(_)), "{error}");
            vault = Vault::open(url).await.unwrap();
        }
    }
}

/// Batches of one to nine messages.
fn split(messages: Vec<Message<'static>>, rng: &mut StdRng) -> Batches {
    let mut batches = Batches::new();
    let mut messages = messages.into_iter().peekable();
    while messages.peek().is_some() {
        batches.push(messages.by_ref().take(rng.random_range(1..10)).collect());
    }
    batches
}

fn shuffled(events: &[Message<'static>], rng: &mut StdRng) -> Vec<Message<'static>> {
    let mut events = events.to_vec();
    events.shuffle(rng);
    events
}

/// Runs of 1 to 20 consecutive events, as the relay sends them.
fn runs(events: &[Message<'static>], rng: &mut StdRng) -> Vec<Message<'static>> {
    let mut runs: Vec<Message> = Vec::new();
    for event in events {
        match runs.last_mut().filter(|run| run.events.len() < rng.random_range(1..20)) {
            Some(run) => run.events.extend(event.events.clone()),
            None => runs.push(event.clone()),
        }
    }
    runs
}

#[tokio::test]
async fn events_in_one_batch() {
    check(|events, _| vec![vec![events.to_vec()]]).await;
}

#[tokio::test]
async fn events_one_by_one() {
    check(|events, _| vec![events.chunks(1).map(<[_]>::to_vec).collect()]).await;
}

#[tokio::test]
async fn runs_of_events_in_batches() {
    check(|events, rng| vec![split(runs(events, rng), rng)]).await;
}

#[tokio::test]
async fn every_event_twice() {
    check(|events, rng| {
        let twice = events.iter().flat_map(|event| [event.clone(), event.clone()]).collect();
        vec![split(twice, rng)]
    })
    .await;
}

#[tokio::test]
async fn the_whole_history_twice() {
    check(|events, rng| vec![split([events, events].concat(), rng)]).await;
}

#[tokio::test]
async fn events_in_reverse() {
    check(|events, rng| vec![split(events.iter().rev().cloned().collect(), rng)]).await;
}

#[tokio::test]
async fn events_in_any_order() {
    check(|events, rng| vec![split(shuffled(events, rng), rng)]).await;
}

#[tokio::test]
async fn runs_that_overlap_in_any_order() {
    check(|events, rng| {
        let overlapping = [runs(events, rng), runs(events, rng)].concat();
        vec![split(shuffled(&overlapping, rng), rng)]
    })
    .await;
}

#[tokio::test]
async fn two_syncers_with_half_of_the_events_each() {
    check(|events, rng| {
        let mut events = shuffled(events, rng);
        let half = events.split_off(events.len() / 2);
        vec![split(events, rng), split(half, rng)]
    })
    .await;
}

#[tokio::test]
async fn two_syncers_with_all_events_each() {
    check(|events, rng| vec![split(shuffled(events, rng), rng), split(runs(events, rng), rng)]).await;
}

#[tokio::test]
async fn two_epochs_that_are_written_at_once_are_counted_together() {
    let database = Database::new().await;
    let part = |epoch, first: u64| {
        let buyer = |id: u64| reserved(format!("buyer-{id}"), 0, &[("a", 1), ("b", 2)], true);
        let make = move |id: u64| vec![message(epoch, id, vec![buyer(id)])];
        let warm = vec![message(epoch, first, vec![warmed(1_000)])];
        std::iter::once(warm).chain((first + 1..=first + 60).map(make)).collect::<Batches>()
    };
    let (earlier, later) = (part(1, 1), part(2, 1_001));
    database.begin(2, 1_000).await;
    tokio::join!(sync(&database.url, &earlier), sync(&database.url, &later));
    assert_eq!(database.rows("SELECT sku, sold FROM skus").await, ["(a,120)", "(b,240)"]);
    assert_eq!(database.rows("SELECT count(*) FROM orders").await, ["(120)"]);
}

#[tokio::test]
async fn a_head_is_the_highest_seq_without_a_gap() {
    let database = Database::new().await;
    let one = |seq, change| message(1, seq, vec![change]);
    assert_eq!(database.write(&[one(2, held("ada"))]).await, head(1, 0));
    assert_eq!(database.write(&[one(4, confirmed(2))]).await, head(1, 0));
    assert_eq!(database.rows("SELECT seq FROM early").await, ["(2)", "(4)"]);
    assert_eq!(database.write(&[one(1, warmed(5))]).await, head(1, 2));
    assert_eq!(database.write(&[one(1, warmed(5))]).await, head(1, 2));
    assert_eq!(database.write(&[one(3, held("bob"))]).await, head(1, 4));
    assert_eq!(database.rows("SELECT id, state FROM orders").await, ["(2,confirmed)", "(3,held)"]);
    assert_eq!(database.rows("SELECT * FROM early").await, [""; 0]);
}

/// An event that waits for its turn is kept with what its message said. Of one that comes twice, the first is kept.
#[tokio::test]
async fn an_order_says_when_its_message_was_published_also_where_that_came_early() {
    let database = Database::new().await;
    let published = |seq, change, at_ms| message(1, seq, vec![change]).published(at_ms);
    database.write(&[published(4, held("eve"), 7_004)]).await;
    database.write(&[published(4, held("eve"), 9_999)]).await;
    database.write(&[message(1, 1, vec![warmed(5)]), published(2, held("ada"), 7_002)]).await;
    database.write(&[message(1, 3, vec![held("bob")])]).await;
    let want = ["(2,7002)", "(3,)", "(4,7004)"];
    assert_eq!(database.rows("SELECT id, published_at_ms FROM orders").await, want);
}

/// Does what a syncer does that keeps event 2 while another one, with event 1, waits for its lock.
#[tokio::test]
async fn what_was_kept_while_a_syncer_waited_for_the_lock_is_taken_up() {
    let mut database = Database::new().await;
    let one = |seq, change| message(1, seq, vec![change]);
    database.write(&[one(3, held("bob"))]).await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    let other = database.client.transaction().await.unwrap();
    other.execute("SELECT FROM epochs FOR UPDATE", &[]).await.unwrap();
    let waiting = tokio::spawn(async move { vault.write(&[one(1, warmed(5))]).await.unwrap() });
    let waits = "SELECT FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    let begin = Instant::now();
    while other.query(waits, &[]).await.unwrap().is_empty() {
        assert!(begin.elapsed() < DEADLINE, "nothing waits for the lock");
    }
    let event = String::from_utf8(message(1, 2, vec![held("ada")]).encode()).unwrap();
    other.execute("INSERT INTO early VALUES ('drop', 1, 2, $1)", &[&event]).await.unwrap();
    other.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap(), head(1, 3));
}

#[tokio::test]
async fn a_gap_that_closes_lets_more_follow_than_one_transaction_takes() {
    let database = Database::new().await;
    let mut early = Vec::new();
    for first in (2..=12_001).step_by(1_000) {
        early.push(message(1, first, vec![expired(&[1]); 1_000]));
    }
    assert_eq!(database.write(&early).await, head(1, 0));
    assert_eq!(database.write(&[message(1, 1, vec![warmed(5)])]).await, head(1, 12_001));
    assert_eq!(database.rows("SELECT * FROM early").await, [""; 0]);
}

#[tokio::test]
async fn a_later_epoch_goes_on_where_it_was_warmed_and_ends_what_the_earlier_one_held() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada"), held("bob")])]).await;
    database.begin(2, 899).await;
    let later = message(2, 900, vec![warmed(5), released(2), confirmed(3), held("ada")]);
    assert_eq!(database.write(&[later]).await, head(2, 903));
    let orders = database.rows("SELECT id, epoch, buyer, state FROM orders").await;
    assert_eq!(orders, ["(2,1,ada,released)", "(3,1,bob,confirmed)", "(903,2,ada,held)"]);
    assert_eq!(database.rows("SELECT sku, sold FROM skus").await, ["(a,2)", "(b,0)"]);
    assert_eq!(database.rows("SELECT epoch FROM sales").await, ["(2)"]);
}
