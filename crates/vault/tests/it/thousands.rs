//! A sale of thousands is sealed, lost and restored whole.

use flash_vault::{RedisState, Sealed, Vault, Wanted, active_page, standing};
use flash_wire::{Message, SkuTerms, Terms};

use crate::contents::check_content;
use crate::fixture::{Database, SALE, message, reserved, warmed};

const ORDERS: u64 = 3_000;
const BATCH: u64 = 500;

/// Holds of as many buyers, in batches.
fn holds() -> Vec<Message<'static>> {
    let held = |id: u64| reserved(format!("buyer-{id:011}"), 0, &[("a", 1)], true);
    let batch = |at: u64| message(1, 2 + at * BATCH, (2 + at * BATCH..2 + (at + 1) * BATCH).map(held).collect());
    (0..ORDERS / BATCH).map(batch).collect()
}

#[tokio::test]
async fn a_sale_of_thousands_is_restored_whole() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    vault.write(&[message(1, 1, vec![warmed(ORDERS)])]).await.unwrap();
    for _ in ["once", "and again"] {
        for batch in &holds() {
            vault.write(std::slice::from_ref(batch)).await.unwrap();
        }
        assert_eq!(check_content(&database).await, ORDERS, "a repeat changes nothing");
    }
    let client = &database.client;
    let reservations = active_page(client, SALE, 0, u32::MAX).await.unwrap();
    let term = crate::fixture::take(client, "a").await.unwrap().unwrap();
    let claim = database.claim(term).await;
    let sealed = vault.seal(SALE, claim, 1, Wanted::Exactly(ORDERS + 1)).await.unwrap();
    let Sealed::Next { next, expected } = sealed else { panic!("{sealed:?}") };
    client.batch_execute("TRUNCATE orders; UPDATE epochs SET digest = NULL; UPDATE skus SET sold = 0").await.unwrap();
    let skus = ["a", "b"].map(|name| SkuTerms { name: name.to_owned(), total: ORDERS }).to_vec();
    let terms = Terms { skus, limit: 2, hold_ms: Some(60_000), ..Terms::simple(1) };
    let (epoch, seq) = (next.epoch, next.after + 9);
    let from = RedisState { epoch, seq, acked: seq, terms, is_closed: false, reservations, ended: Vec::new() };
    let restored = vault.restore(SALE, claim, &from).await.unwrap();
    let Sealed::Next { next, expected: again } = restored else { panic!("{restored:?}") };
    assert_eq!((again.content, again.skus), (expected.content, expected.skus));
    assert_eq!(standing(client, SALE, next.epoch).await.unwrap().unwrap().life.content, expected.content);
    assert_eq!(check_content(&database).await, ORDERS);
}
