//! Messages that Redis never made: without a key, of another Flash, or sent once more.

use std::fs;

use flash_broker::{Amqp, MessageKeys};
use flash_transport::{Outgoing, Publisher, Transport};
use flash_wire::message::{MESSAGE_VERSION, MessageChange, MessageEvent, MessageItem, MessageReserved};
use flash_wire::{Barrier, Message};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::program::Program;
use crate::support::wait;
use crate::support::world::World;

const KEY: &str = "a key of as many bytes as are needed";
const OTHER_KEY: &str = "the key of somebody else, as long too";

/// Files of keys.
struct Keys {
    dir: TempDir,
}

impl Keys {
    fn new() -> Self {
        Self { dir: tempfile::tempdir().expect("a directory") }
    }

    /// Writes one, and gives its path.
    fn file(&self, name: &str, lines: &str) -> String {
        let file = self.dir.path().join(name);
        fs::write(&file, lines).expect("writable");
        file.to_str().expect("UTF-8").to_owned()
    }

    fn of(&self, key: &str) -> MessageKeys {
        MessageKeys::open(self.file(key, key).as_ref()).expect("a key")
    }
}

/// Gateway and syncer sign and verify with the keys in a file.
fn world(file: &str) -> (World, Program) {
    let mut world = World::start_without_syncer();
    world.kill_gateway();
    world.start_gateway_with(&["--message-keys", file]);
    let syncer = world.start_flash(&["syncer", "--message-keys", file]);
    (world, syncer)
}

/// A reservation of `mallory`, confirmed at once.
fn forged(epoch: u64, seq: u64) -> Message<'static> {
    let item = MessageItem { sku: "default".into(), quantity: 1 };
    let change = MessageChange::Reserved(MessageReserved {
        buyer: "mallory".into(),
        items: vec![item],
        ..MessageReserved::default()
    });
    let events = vec![MessageEvent { seq, at_ms: 1_000, change }];
    Message { version: MESSAGE_VERSION, sale: "drop".into(), epoch, published_at_ms: None, events }
}

fn publish(world: &World, keys: MessageKeys, message: Message<'_>) {
    send(world, keys, &Outgoing::of(message));
}

fn send(world: &World, keys: MessageKeys, message: &Outgoing) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let url = world.environment()[1].1.clone();
    runtime.block_on(async {
        let mut publisher = Amqp::new(url).with_keys(keys).publisher("mallory").await.expect("RabbitMQ answers");
        publisher.publish(message).await.expect("a channel").await;
        publisher.close().await;
    });
}

fn quarantined(world: &World, count: usize) -> Vec<String> {
    wait::until(&format!("{count} rows in the quarantine"), || {
        let rows = world.rows("SELECT reason FROM quarantine WHERE discarded_at IS NULL ORDER BY id");
        (rows.len() == count).then_some(rows)
    })
}

fn reserve(world: &World, buyer: &str) -> Value {
    let body = json!({"buyer": buyer}).to_string();
    let answer = world.http().post("/v1/sales/drop/reservations", &body).expect("an answer");
    assert_eq!(answer.status, 201, "{answer:?}");
    answer.body
}

fn discard_all(world: &World) {
    let (code, _) = world.flash(&["quarantine", "discard", "--sale", "drop"]);
    assert_eq!(code, 0);
    for id in world.rows("SELECT id FROM quarantine WHERE discarded_at IS NULL") {
        assert_eq!(world.flash(&["quarantine", "discard", &id]).0, 0);
    }
}

#[test]
fn what_is_not_signed_is_never_applied_and_never_replayed() {
    let keys = Keys::new();
    let (world, _syncer) = world(&keys.file("keys", KEY));
    world.create_sale(r#"{"sale":"drop","total":5}"#);
    wait::until("the warming", || (world.rows("SELECT head FROM epochs") == ["1"]).then_some(()));
    publish(&world, MessageKeys::default(), forged(1, 2));
    publish(&world, keys.of(OTHER_KEY), forged(1, 3));
    let reasons = quarantined(&world, 2);
    assert!(reasons.iter().all(|reason| reason.contains("not signed")), "{reasons:?}");
    let reservation = reserve(&world, "ada");
    world.wait_for_orders("drop", 1);
    assert_eq!(world.rows("SELECT buyer FROM orders WHERE id = 2"), ["ada"], "{reservation}");
    let (code, replayed) = world.flash(&["quarantine", "replay", "--reason", "signed"]);
    assert!(code == 1 && replayed.iter().all(|row| row["state"] == "refused"), "{replayed:?}");
    discard_all(&world);
    assert_eq!(world.rows("SELECT count(*) FROM rejections"), ["0"]);
    world.wait_for_empty_journal("drop");
    assert_eq!(world.flash(&["audit", "drop"]).0, 0);
    // What was sent once and comes again is passed over, with or without its signature.
    publish(&world, keys.of(KEY), forged(1, 2));
    publish(&world, MessageKeys::default(), forged(1, 4));
    quarantined(&world, 1);
    assert_eq!(world.rows("SELECT buyer FROM orders"), ["ada"]);
}

#[test]
fn keys_are_changed_while_everything_runs() {
    let keys = Keys::new();
    let (world, _syncer) = world(&keys.file("keys", KEY));
    world.create_sale(r#"{"sale":"drop","total":9}"#);
    let steps = [format!("{KEY}\n{OTHER_KEY}"), format!("{OTHER_KEY}\n{KEY}"), OTHER_KEY.to_owned()];
    for (step, lines) in (1..).zip(&steps) {
        keys.file("keys", lines);
        let mut probes = 0;
        wait::until("a syncer that believes the new key", || {
            probes += 1;
            let probe = format!("probe-{step}-{probes}");
            send(&world, keys.of(OTHER_KEY), &Outgoing::barrier(&Barrier::new(&probe).expect("a name")));
            (world.rows(&format!("SELECT count(*) FROM barriers WHERE id LIKE 'probe-{step}-%'")) != ["0"])
                .then_some(())
        });
        reserve(&world, &format!("buyer-{step}"));
        world.wait_for_orders("drop", step);
    }
    wait::until("a syncer that has forgotten the old key", || {
        send(&world, keys.of(KEY), &Outgoing::barrier(&Barrier::new("old").expect("a name")));
        (world.rows("SELECT count(*) FROM quarantine WHERE convert_from(body, 'UTF8') LIKE '%old%'") == ["1"])
            .then_some(())
    });
    world.wait_for_empty_journal("drop");
}

#[test]
fn a_message_of_an_epoch_that_never_began_is_put_aside_and_repairs_promise_nothing() {
    let world = World::start();
    world.create_sale(r#"{"sale":"drop","total":5}"#);
    reserve(&world, "ada");
    world.wait_for_orders("drop", 1);
    for (epoch, seq) in [(99, 7), (2, 1), (3, 2)] {
        publish(&world, MessageKeys::default(), forged(epoch, seq));
    }
    let reasons = quarantined(&world, 3);
    assert!(reasons.iter().all(|reason| reason.contains("nobody has begun epoch")), "{reasons:?}");
    let (code, report) = world.flash(&["audit", "drop"]);
    let kinds: Vec<&Value> = report[0]["findings"].as_array().expect("findings").iter().map(|of| &of["kind"]).collect();
    assert_eq!((code, kinds), (1, vec![&json!("quarantined")]), "{report:?}");
    let epoch = |world: &World| world.rows("SELECT epoch FROM sales WHERE sale = 'drop'");
    let (code, deeds) = world.flash(&["repair", "drop", "--wait-ms", "0"]);
    assert!(code == 1 && deeds.iter().all(|deed| deed["kind"] == "left"), "{deeds:?}");
    assert_eq!(epoch(&world), ["1"], "no epoch is spent");
    discard_all(&world);
    assert_eq!(world.flash(&["audit", "drop"]).0, 0);
    assert_eq!(world.rows("SELECT buyer FROM orders"), ["ada"]);
    assert_eq!(reserve(&world, "bob")["state"], "confirmed", "it sells on");
}

#[test]
fn an_unknown_sale_is_neither_whole_nor_repaired() {
    let world = World::start_direct("no_such_sale");
    for words in [["audit", "ghost"], ["repair", "ghost"]] {
        let (code, printed) = world.flash(&words);
        assert_eq!((code, printed.len()), (2, 0), "{words:?}");
    }
}
