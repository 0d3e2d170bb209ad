//! What it costs to write orders: to be read, not to be passed or failed. `cargo test -p flash-vault -- --ignored
//! --nocapture`

use std::time::Instant;

use flash_vault::Vault;

use crate::fixture::{Database, confirmed, message, reserved, warmed};

const ORDERS: u64 = 40_000;
const BATCH: u64 = 1_000;

#[tokio::test]
#[ignore = "it prints a figure"]
async fn what_an_order_costs() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    vault.write(&[message(1, 1, vec![warmed(ORDERS)])]).await.unwrap();
    let held = |id: u64| reserved(format!("buyer-{id:011}"), 0, &[("a", 1)], true);
    let mut batches = Vec::new();
    for first in (2..ORDERS + 2).step_by(BATCH as usize) {
        batches.push(message(1, first, (first..first + BATCH).map(held).collect()));
    }
    for first in (2..ORDERS + 2).step_by(BATCH as usize) {
        batches.push(message(1, first + ORDERS, (first..first + BATCH).map(confirmed).collect()));
    }
    let (makes, ends) = batches.split_at(batches.len() / 2);
    let begin = Instant::now();
    for batch in makes {
        vault.write(std::slice::from_ref(batch)).await.unwrap();
    }
    let made = begin.elapsed();
    for batch in ends {
        vault.write(std::slice::from_ref(batch)).await.unwrap();
    }
    let ended = begin.elapsed() - made;
    let again = Instant::now();
    for batch in makes {
        vault.write(std::slice::from_ref(batch)).await.unwrap();
    }
    println!("ns per duplicate: {}", again.elapsed().as_nanos() / u128::from(ORDERS));
    let per = |time: std::time::Duration| time.as_nanos() / u128::from(ORDERS);
    println!("ns per order: made {}, ended {}, both {}", per(made), per(ended), per(made + ended));
}
