//! While the syncers are paused nothing is written, by any writer; and what is written is on disk.

use flash_vault::{Error, Sealed, Vault, Wanted, connect, pause_syncers};

use crate::fixture::{Database, SALE, head, held, message, warmed};
use crate::lives::waiters;

#[tokio::test]
async fn a_pause_waits_for_what_is_being_written_and_nothing_is_written_after_it() {
    let mut database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5)])]).await;
    let [watcher, operator] = [connect(&database.url).await.unwrap(), connect(&database.url).await.unwrap()];
    let [mut writer, mut second] =
        [Vault::open(&database.url).await.unwrap(), Vault::open(&database.url).await.unwrap()];
    let lock = database.client.transaction().await.unwrap();
    lock.query_one("SELECT FROM epochs FOR UPDATE", &[]).await.unwrap();
    let writing = tokio::spawn(async move { writer.write(&[message(1, 2, vec![held("ada")])]).await.unwrap() });
    waiters(&watcher, 1).await;
    let pausing = tokio::spawn(async move { pause_syncers(&operator, true).await.unwrap() });
    while watcher
        .query("SELECT FROM pg_locks WHERE NOT granted AND relation IS NOT NULL", &[])
        .await
        .unwrap()
        .is_empty()
    {
        assert!(!pausing.is_finished(), "it says paused, and an order is yet to be written");
    }
    let second = tokio::spawn(async move { second.write(&[message(1, 3, vec![held("bob")])]).await });
    waiters(&watcher, 3).await;
    lock.commit().await.unwrap();
    pausing.await.unwrap();
    assert_eq!(database.rows("SELECT id FROM orders").await, ["(2)"]);
    assert_eq!(writing.await.unwrap(), head(1, 2));
    assert!(matches!(second.await.unwrap(), Err(Error::Paused)), "it began after the pause");
    assert_eq!(database.rows("SELECT id FROM orders").await, ["(2)"]);
    pause_syncers(&database.client, false).await.unwrap();
    assert_eq!(database.write(&[message(1, 3, vec![held("bob")])]).await, head(1, 3));
}

#[tokio::test]
async fn a_pause_also_holds_a_seal_up_and_changes_nothing() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    let term = crate::fixture::take(&database.client, "a").await.unwrap().unwrap();
    let claim = database.claim(term).await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    pause_syncers(&database.client, true).await.unwrap();
    assert!(matches!(vault.seal(SALE, claim, 1, Wanted::Exactly(2)).await, Err(Error::Paused)));
    pause_syncers(&database.client, false).await.unwrap();
    assert!(matches!(vault.seal(SALE, claim, 1, Wanted::Exactly(2)).await, Ok(Sealed::Next { .. })));
}

#[tokio::test]
async fn nothing_is_discarded_during_a_pause() {
    let database = Database::new().await;
    database.client.batch_execute("INSERT INTO quarantine (reason, body) VALUES ('bad', '')").await.unwrap();
    let mut vault = Vault::open(&database.url).await.unwrap();
    pause_syncers(&database.client, true).await.unwrap();
    assert!(matches!(vault.discard(1, "ada").await, Err(Error::Paused)));
    pause_syncers(&database.client, false).await.unwrap();
    assert!(vault.discard(1, "ada").await.unwrap().is_some());
}

/// The setting may change under a connection: it is looked at in each transaction.
#[tokio::test]
async fn every_commit_is_on_disk_whatever_the_session_says_by_then() {
    let database = Database::new().await;
    let watch = "CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO quarantine (reason, body) VALUES (current_setting('synchronous_commit'), ''); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER seen AFTER INSERT ON orders DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION seen()";
    database.client.batch_execute(watch).await.unwrap();
    let mut vault = Vault::open(&database.url).await.unwrap();
    for (setting, first, want) in [("off", 1, "(on)"), ("remote_apply", 3, "(remote_apply)")] {
        vault.client().batch_execute(&format!("SET synchronous_commit = {setting}")).await.unwrap();
        database.client.batch_execute("DELETE FROM quarantine").await.unwrap();
        let change = if first == 1 { vec![warmed(5), held("ada")] } else { vec![held("bob")] };
        vault.write(&[message(1, first, change)]).await.unwrap();
        assert_eq!(database.rows("SELECT reason FROM quarantine").await, [want]);
    }
}
