//! What an audit asks.

use flash_vault::{Snapshot, Wanted, connect, repair_counters};

use crate::epochs::seal;
use crate::fixture::{Database, SALE, confirmed, held, message, warmed};

#[tokio::test]
async fn a_warming_that_came_late_is_nothing_to_replay_and_another_event_is() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    assert!(seal(&database, 1, Wanted::Exactly(2)).await.is_some());
    let mut client = connect(&database.url).await.unwrap();
    for (seq, change, want) in [(3, warmed(5), 0), (4, confirmed(2), 1)] {
        database.write(&[message(1, seq, vec![change])]).await;
        let snapshot = Snapshot::begin(&mut client).await.unwrap();
        assert_eq!(snapshot.stray_rows(SALE).await.unwrap().quarantined, want, "after {seq}");
        let (term, _) = snapshot.recovery(SALE).await.unwrap();
        assert!(term > 0);
    }
}

#[tokio::test]
async fn a_repair_has_the_content_counted_again() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    database.client.batch_execute("UPDATE epochs SET digest = digest # 1").await.unwrap();
    let mut client = connect(&database.url).await.unwrap();
    repair_counters(&mut client, SALE, "test", true).await.unwrap();
    let snapshot = Snapshot::begin(&mut client).await.unwrap();
    assert_ne!(snapshot.content(SALE).await.unwrap(), Some(snapshot.counted_content(SALE).await.unwrap()));
    drop(snapshot);
    repair_counters(&mut client, SALE, "test", false).await.unwrap();
    assert_eq!(Snapshot::begin(&mut client).await.unwrap().content(SALE).await.unwrap(), None);
}
