//! What it costs to write orders, and to bring them back: to be read, not to be passed or failed.
//! `cargo test -p flash-vault -- --ignored --nocapture`

use std::time::Instant;

use flash_vault::{RedisState, Sealed, Vault, Wanted, active_page, standing};
use flash_wire::{Message, SkuTerms, Terms};

use crate::fixture::{Database, SALE, confirmed, message, reserved, warmed};

const ORDERS: u64 = 40_000;
const BATCH: u64 = 1_000;

/// Holds of as many buyers, in batches.
fn holds() -> Vec<Message<'static>> {
    let held = |id: u64| reserved(format!("buyer-{id:011}"), 0, &[("a", 1)], true);
    let batch = |at: u64| message(1, 2 + at * BATCH, (2 + at * BATCH..2 + (at + 1) * BATCH).map(held).collect());
    (0..ORDERS / BATCH).map(batch).collect()
}

fn confirmations() -> Vec<Message<'static>> {
    let batch = |at: u64| {
        let first = 2 + at * BATCH;
        message(1, first + ORDERS, (first..first + BATCH).map(confirmed).collect())
    };
    (0..ORDERS / BATCH).map(batch).collect()
}

/// Writes one by one, and prints the time of each event.
async fn write(vault: &mut Vault, what: &str, batches: &[Message<'static>]) {
    let begin = Instant::now();
    for batch in batches {
        vault.write(std::slice::from_ref(batch)).await.unwrap();
    }
    println!("{what}: {} ns", begin.elapsed().as_nanos() / u128::from(ORDERS));
}

async fn sale() -> (Database, Vault) {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    vault.write(&[message(1, 1, vec![warmed(ORDERS)])]).await.unwrap();
    (database, vault)
}

#[tokio::test]
#[ignore = "it prints a figure"]
async fn what_an_order_costs() {
    let (_database, mut vault) = sale().await;
    write(&mut vault, "an order", &holds()).await;
    write(&mut vault, "its end", &confirmations()).await;
}

#[tokio::test]
#[ignore = "it prints a figure"]
async fn what_a_repeat_costs() {
    let (_database, mut vault) = sale().await;
    write(&mut vault, "an order", &holds()).await;
    write(&mut vault, "the same again", &holds()).await;
}

#[tokio::test]
#[ignore = "it prints a figure"]
async fn what_a_recovery_costs() {
    let (database, mut vault) = sale().await;
    write(&mut vault, "an order", &holds()).await;
    let client = &database.client;
    let reservations = active_page(client, SALE, 0, u32::MAX).await.unwrap();
    let took = |what: &str, begin: Instant| println!("{what}, {ORDERS} orders: {:?}", begin.elapsed());
    let begin = Instant::now();
    standing(client, SALE, 1).await.unwrap();
    took("a standing", begin);
    let term = crate::fixture::take(client, "a").await.unwrap().unwrap();
    let begin = Instant::now();
    let sealed = vault.seal(SALE, term, 1, Wanted::Exactly(ORDERS + 1)).await.unwrap();
    took("a seal", begin);
    let Sealed::Next { next, .. } = sealed else { panic!("{sealed:?}") };
    client.batch_execute("TRUNCATE orders; UPDATE epochs SET digest = NULL; UPDATE skus SET sold = 0").await.unwrap();
    let skus = ["a", "b"].map(|name| SkuTerms { name: name.to_owned(), total: ORDERS }).to_vec();
    let terms = Terms { skus, limit: 2, hold_ms: Some(60_000), ..Terms::simple(1) };
    let (epoch, seq) = (next.epoch, next.after + 9);
    let from = RedisState { epoch, seq, acked: seq, terms, is_closed: false, reservations, ended: Vec::new() };
    let begin = Instant::now();
    let restored = vault.restore(SALE, term, &from).await.unwrap();
    took("a restoring of all", begin);
    assert!(matches!(restored, Sealed::Next { .. }), "{restored:?}");
}
