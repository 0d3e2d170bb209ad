//! PostgreSQL has lost what was acknowledged, and gets it back from Redis.

use std::borrow::Cow;

use flash_vault::{EPOCHS_APART_SEQS, RedisState, Sealed, Vault, possible_holds, terms};
use flash_wire::message::{MessageChange, MessageItem, MessageReserved};
use flash_wire::{RebuiltReservation, SkuTerms, State, Terms};
use serde_json::value::RawValue;

use crate::contents::check_content;
use crate::fixture::{Database, SALE, confirmed, expired, held, message, released, warmed};

fn reservation(id: u64, buyer: &'static str, state: &'static str) -> RebuiltReservation<'static> {
    let items = vec![MessageItem { sku: "a".into(), quantity: 1 }];
    let request = Some("r".into());
    let made = MessageReserved {
        buyer: buyer.into(),
        items,
        expires_at_ms: Some(61_000),
        request,
        ..MessageReserved::default()
    };
    RebuiltReservation { id, state: state.into(), made, fingerprint: None }
}

fn redis(epoch: u64, seq: u64, total: u64, reservations: Vec<RebuiltReservation<'static>>) -> RedisState {
    let skus = ["a", "b"].map(|name| SkuTerms { name: name.to_owned(), total }).to_vec();
    let terms = Terms { skus, limit: 2, hold_ms: Some(60_000), ..Terms::simple(1) };
    RedisState { epoch, seq, acked: seq, terms, is_closed: true, reservations, ended: Vec::new() }
}

async fn restore(database: &Database, from: &RedisState) -> Sealed {
    let term = crate::fixture::take(&database.client, "gateway").await.unwrap().unwrap();
    let claim = database.claim(term).await;
    Vault::open(&database.url).await.unwrap().restore(SALE, claim, from).await.unwrap()
}

/// Of 9 acknowledged events PostgreSQL has 4, and one that came out of turn after them.
#[tokio::test]
async fn what_was_acknowledged_is_written_again() {
    let database = Database::new().await;
    let had = vec![warmed(5), held("ada"), held("bob"), held("cleo")];
    database.write(&[message(1, 1, had), message(1, 8, vec![confirmed(2)]), message(1, 11, vec![held("fay")])]).await;
    let list =
        vec![reservation(2, "ada", "confirmed"), reservation(3, "bob", "held"), reservation(6, "dan", "confirmed")];
    let from = redis(1, 9, 6, list);
    let sealed = restore(&database, &from).await;
    let Sealed::Next { next, expected } = sealed else { panic!("{sealed:?}") };
    assert_eq!(next.after, 11 + EPOCHS_APART_SEQS);
    let orders = ["(11,fay,held)", "(2,ada,confirmed)", "(3,bob,held)", "(4,cleo,released)", "(6,dan,confirmed)"];
    assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, orders);
    assert_eq!(database.rows("SELECT id, what FROM restored").await, ["(2,confirmed)", "(4,released)", "(6,made)"]);
    assert_eq!(database.rows("SELECT first, last FROM gaps").await, ["(10,10)", "(5,9)"]);
    assert_eq!(database.rows("SELECT epoch, head, sealed_at FROM epochs WHERE epoch = 1").await, ["(1,11,11)"]);
    assert_eq!(database.rows("SELECT * FROM early").await, [""; 0]);
    assert_eq!((check_content(&database).await, expected.content.reservations, expected.is_closed), (4, 4, true));
    let units: Vec<_> = expected.skus.iter().map(|sku| (sku.total, sku.taken)).collect();
    assert_eq!(units, [(6, 4), (6, 0)]);
    assert_eq!(
        database.rows("SELECT id, request, data, reserved_at_ms FROM orders WHERE id = 6").await,
        ["(6,r,,1000)"]
    );
    assert_eq!(restore(&database, &from).await, Sealed::NotYet, "once");
}

/// Holds that began and ended beyond the gap: Redis does not have them any more.
#[tokio::test]
async fn what_has_ended_meanwhile_is_an_order_as_the_events_say_that_wait() {
    let database = Database::new().await;
    database.client.execute("ALTER TABLE orders ADD CONSTRAINT no_gus CHECK (buyer <> 'gus')", &[]).await.unwrap();
    let mut with_data = held("eve");
    if let MessageChange::Reserved(reserved) = &mut with_data {
        reserved.data = Some(Cow::Owned(RawValue::from_string("\"blue\"".to_owned()).unwrap()));
    }
    database.write(&[message(1, 1, vec![warmed(5), held("ada"), held("zoe"), held("yan")])]).await;
    let holds = vec![held("bob"), held("cleo"), held("dan"), with_data, held("gus"), held("hal"), held("jon")];
    let ends = vec![expired(&[3, 6]), released(7), expired(&[10])];
    let beyond = [message(1, 6, holds), message(1, 13, ends), message(1, 17, vec![held("ian"), released(17)])];
    database.write(&beyond).await;
    let ids = vec![2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 17, 18];
    assert_eq!(possible_holds(&database.client, SALE, 0, 99).await.unwrap(), ids);
    assert_eq!(possible_holds(&database.client, SALE, 4, 2).await.unwrap(), ids[3..5]);
    let list = vec![reservation(2, "ada", "held"), reservation(9, "eve", "confirmed"), reservation(11, "kim", "held")];
    let ended = vec![(4, State::Expired), (8, State::Expired)];
    assert!(matches!(restore(&database, &RedisState { ended, ..redis(1, 16, 6, list) }).await, Sealed::Next { .. }));
    let orders = [
        "(11,kim,held,)",
        "(12,jon,released,)",
        "(17,ian,released,)",
        "(2,ada,held,)",
        "(3,zoe,expired,)",
        "(4,yan,expired,)",
        "(6,bob,expired,)",
        "(7,cleo,released,)",
        "(8,dan,expired,)",
        "(9,eve,confirmed,\"\"\"blue\"\"\")",
    ];
    assert_eq!(database.rows("SELECT id, buyer, state, data FROM orders").await, orders);
    let restored = [
        "(11,made)",
        "(12,released)",
        "(3,expired)",
        "(4,expired)",
        "(6,expired)",
        "(7,released)",
        "(8,expired)",
        "(9,made)",
    ];
    assert_eq!(database.rows("SELECT id, what FROM restored").await, restored);
    assert_eq!(database.rows("SELECT id, buyer, reason FROM rejections").await, ["(11,hal,id_taken)"]);
    assert_eq!(database.rows("SELECT seq FROM quarantine").await, ["(10)"], "gus");
    assert_eq!(database.rows("SELECT * FROM early").await, [""; 0]);
    assert_eq!(database.rows("SELECT sku, sold FROM skus").await, ["(a,3)", "(b,0)"]);
    check_content(&database).await;
    database.write(&beyond[..1]).await;
    let again = database.rows("SELECT id, buyer FROM rejections").await;
    assert_eq!(again, ["(10,gus)", "(11,hal)"], "what is an order is not late");
}

#[tokio::test]
async fn a_sale_that_postgresql_never_knew_is_restored_from_nothing() {
    let database = Database::new().await;
    let sealed = restore(&database, &redis(3, 70, 5, vec![reservation(60, "ada", "held")])).await;
    let Sealed::Next { next, .. } = sealed else { panic!("{sealed:?}") };
    assert!(next.epoch > 3, "{next:?}");
    assert_eq!(database.rows("SELECT id, epoch, buyer FROM orders").await, ["(60,3,ada)"]);
    assert_eq!(database.rows("SELECT sale, epoch FROM sales").await, [format!("(drop,{})", next.epoch)]);
    assert_eq!(terms(&database.client, SALE).await.unwrap().unwrap().skus.len(), 2);
    check_content(&database).await;
}

#[tokio::test]
async fn an_epoch_that_postgresql_never_began_is_restored_and_the_ones_before_it_are_over() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")]), message(1, 4, vec![held("bob")])]).await;
    let from = redis(3, 900, 5, vec![reservation(2, "ada", "held"), reservation(800, "eve", "held")]);
    let sealed = restore(&database, &from).await;
    let Sealed::Next { next, .. } = sealed else { panic!("{sealed:?}") };
    let orders = ["(2,1,ada,held)", "(4,1,bob,released)", "(800,3,eve,held)"];
    assert_eq!(database.rows("SELECT id, epoch, buyer, state FROM orders").await, orders);
    assert_eq!(database.rows("SELECT epoch, sealed_at FROM epochs").await.len(), 3);
    assert_eq!(database.rows("SELECT epoch FROM epochs WHERE sealed_at IS NULL").await, [format!("({})", next.epoch)]);
    assert_eq!(database.rows("SELECT epoch, first, last FROM gaps").await, ["(1,3,4)", "(3,1,900)"]);
    database.write(&[message(2, 500, vec![warmed(5), held("gus")])]).await;
    assert_eq!(database.rows("SELECT epoch, id, reason FROM rejections").await, ["(2,501,late)"], "it is over as well");
    check_content(&database).await;
}

/// The queue has what Redis had acknowledged and PostgreSQL had lost.
#[tokio::test]
async fn late_events_of_what_was_restored_refuse_nothing() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    let list = vec![reservation(2, "ada", "confirmed"), reservation(3, "bob", "held")];
    assert!(matches!(restore(&database, &redis(1, 6, 5, list)).await, Sealed::Next { .. }));
    let lost = vec![held("bob"), confirmed(2), held("cleo"), released(5), held("dan"), released(3)];
    database.write(&[message(1, 3, lost)]).await;
    assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, ["(2,ada,confirmed)", "(3,bob,held)"]);
    let rejections = database.rows("SELECT id, buyer, reason FROM rejections").await;
    assert_eq!(rejections, ["(5,cleo,late)", "(7,dan,late)"], "only what is no order");
    assert_eq!(database.rows("SELECT seq, reason FROM quarantine").await, ["(8,late)"], "after what was restored");
    check_content(&database).await;
}

/// A buyer has one slot: the hold that PostgreSQL has by now is not in Redis, and the one before it is.
#[tokio::test]
async fn an_order_that_comes_back_takes_the_slot_of_one_that_is_released() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada"), released(2), held("ada")])]).await;
    let sealed = restore(&database, &redis(1, 9, 5, vec![reservation(2, "ada", "held")])).await;
    assert!(matches!(sealed, Sealed::Next { .. }), "{sealed:?}");
    assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, ["(2,ada,held)", "(4,ada,released)"]);
    check_content(&database).await;
}

#[tokio::test]
async fn what_has_no_room_is_refused_and_redis_is_not_believed_about_a_confirmed_order() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada"), confirmed(2)])]).await;
    let list = vec![reservation(5, "ada", "held"), reservation(6, "bob", "held"), reservation(7, "cleo", "held")];
    assert!(matches!(restore(&database, &redis(1, 9, 2, list)).await, Sealed::Next { .. }));
    assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, ["(2,ada,confirmed)", "(6,bob,held)"]);
    let refused = ["(5,ada,not_restored,t)", "(7,cleo,not_restored,t)"];
    let rejections = "SELECT id, buyer, reason, settled_at IS NULL AS open FROM rejections";
    assert_eq!(database.rows(rejections).await, refused);
    check_content(&database).await;
}

/// An operator's own constraint refuses one order and one end: the others come back, and the sale goes on.
#[tokio::test]
async fn what_postgresql_does_not_take_back_keeps_nothing_else_from_coming_back() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada"), held("bob")])]).await;
    let own = "ALTER TABLE orders ADD CHECK (buyer <> 'mallory'), ADD CHECK (buyer <> 'bob' OR state = 'held')";
    database.client.batch_execute(own).await.unwrap();
    let list = ["ada", "cleo", "mallory", "dan"].into_iter().zip([2, 6, 7, 8]);
    let list = list.map(|(buyer, id)| reservation(id, buyer, "held")).collect();
    let sealed = restore(&database, &redis(1, 9, 5, list)).await;
    let Sealed::Next { expected, .. } = sealed else { panic!("{sealed:?}") };
    let orders = ["(2,ada,held)", "(3,bob,held)", "(6,cleo,held)", "(8,dan,held)"];
    assert_eq!(database.rows("SELECT id, buyer, state FROM orders").await, orders);
    let rejections = "SELECT id, buyer, reason, settled_at IS NULL AS open FROM rejections";
    assert_eq!(database.rows(rejections).await, ["(7,mallory,not_restored,t)"]);
    assert_eq!(database.rows("SELECT id, what FROM restored").await, ["(6,made)", "(8,made)"]);
    assert_eq!((check_content(&database).await, expected.content.reservations, expected.skus[0].taken), (4, 4, 4));
}

#[tokio::test]
async fn nothing_is_restored_that_is_there() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(5), held("ada")])]).await;
    assert_eq!(restore(&database, &redis(1, 2, 5, vec![])).await, Sealed::NotYet);
    let journal_has_it = RedisState { acked: 2, ..redis(1, 9, 5, vec![]) };
    assert_eq!(restore(&database, &journal_has_it).await, Sealed::NotYet);
    crate::epochs::seal(&database, 1, flash_vault::Wanted::Exactly(2)).await.unwrap();
    assert_eq!(restore(&database, &redis(1, 9, 5, vec![])).await, Sealed::NotYet, "a later life is there");
    assert_eq!(database.rows("SELECT id, state FROM orders").await, ["(2,held)"]);
}
