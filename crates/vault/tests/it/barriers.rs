//! A barrier is there when everything before it is.

use flash_vault::{Incoming, Vault, has_barrier};
use flash_wire::Barrier;

use crate::fixture::{Database, head, held, message, warmed};

#[tokio::test]
async fn a_barrier_comes_once_and_with_the_messages_beside_it() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    let messages = [message(1, 1, vec![warmed(5), held("ada")])];
    let barriers = ["b-1", "b-2", "b-1"].map(|id| Barrier::new(id).unwrap());
    let incoming = Incoming { messages: &messages, barriers: &barriers, ..Incoming::default() };
    assert!(!has_barrier(&database.client, "b-1").await.unwrap());
    for _ in 0..2 {
        assert_eq!(vault.write_incoming(incoming).await.unwrap(), head(1, 2));
        assert_eq!(database.rows("SELECT id FROM barriers").await, ["(b-1)", "(b-2)"]);
    }
    assert!(has_barrier(&database.client, "b-1").await.unwrap());
    assert_eq!(database.rows("SELECT id FROM orders").await, ["(2)"]);
}

#[tokio::test]
async fn a_barrier_needs_no_messages_and_old_ones_are_forgotten() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    let old =
        "INSERT INTO barriers VALUES ('old', now() - interval '25 hours'), ('young', now() - interval '23 hours')";
    database.client.batch_execute(old).await.unwrap();
    let barriers = [Barrier::new("new").unwrap()];
    let heads = vault.write_incoming(Incoming { barriers: &barriers, ..Incoming::default() }).await.unwrap();
    assert_eq!(heads, []);
    assert_eq!(database.rows("SELECT id FROM barriers").await, ["(new)", "(young)"]);
}

/// More kept events than one transaction takes up: the barrier must not be seen before the last of them is written.
#[tokio::test]
async fn a_barrier_waits_for_the_kept_events_that_its_batch_sets_free() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    let kept = flash_vault::EARLY_EVENTS_MAX as u64 + 10;
    let closed = || flash_wire::message::MessageChange::Closed;
    for first in (2..2 + kept).step_by(1_000) {
        let count = (2 + kept - first).min(1_000);
        let events = (0..count).map(|_| closed()).collect();
        assert_eq!(vault.write(&[message(1, first, events)]).await.unwrap(), head(1, 0));
    }
    // A reader that sees the barrier sees the head of the same moment.
    let watch = "CREATE FUNCTION seen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        INSERT INTO quarantine (reason, body) SELECT head::text, '' FROM epochs; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER seen AFTER INSERT ON barriers DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION seen()";
    database.client.batch_execute(watch).await.unwrap();
    let (messages, barriers) = ([message(1, 1, vec![warmed(5)])], [Barrier::new("b").unwrap()]);
    let incoming = Incoming { messages: &messages, barriers: &barriers, ..Incoming::default() };
    assert_eq!(vault.write_incoming(incoming).await.unwrap(), head(1, 1 + kept));
    assert_eq!(database.rows("SELECT reason FROM quarantine").await, [format!("({})", 1 + kept)]);
}
