//! What a batch costs does not grow with the tables.

use std::time::{Duration, Instant};

use flash_vault::Vault;

use crate::fixture::{Database, confirmed, message, reserved, warmed};

const ORDERS: u64 = 3_000;
const DEADLINE: Duration = Duration::from_secs(20);

/// PostgreSQL has no statistics of a new table, and then likes to read all of it.
#[tokio::test]
async fn to_end_an_order_no_other_order_is_read() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    vault.write(&[message(1, 1, vec![warmed(ORDERS)])]).await.unwrap();
    for first in (2..ORDERS + 2).step_by(500) {
        let held = |id: u64| reserved(format!("buyer-{id}"), 0, &[("a", 1)], true);
        vault.write(&[message(1, first, (first..first + 500).map(held).collect())]).await.unwrap();
    }
    for first in (2..ORDERS + 2).step_by(500) {
        let ends = (first..first + 500).map(confirmed).collect();
        vault.write(&[message(1, first + ORDERS, ends)]).await.unwrap();
    }
    // With its connection ends the wait for its counters.
    drop(vault);
    let counters = "SELECT n_tup_upd, seq_tup_read + idx_tup_fetch FROM pg_stat_user_tables WHERE relname = 'orders'";
    let begin = Instant::now();
    loop {
        let row = database.client.query_one(counters, &[]).await.unwrap();
        let (updated, read): (i64, i64) = (row.get(0), row.get(1));
        if updated == ORDERS.cast_signed() {
            assert!(read <= updated * 3 / 2, "{read} orders read to end {updated}");
            return;
        }
        assert!(begin.elapsed() < DEADLINE, "{updated} of {ORDERS} ended");
    }
}
