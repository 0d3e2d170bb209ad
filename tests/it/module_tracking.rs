//! A refusal does not touch the key: who watches or caches it hears nothing.

use redis::{Connection, Value};

use crate::support::redis::{Server, check, run};

/// Commands that are refused, answered from what is there, or find nothing to do.
const REFUSED: [&str; 9] = [
    "FLASH.WARM drop 2 HOLD 600000 JOURNAL 9",
    "FLASH.RESERVE drop ada",
    "FLASH.RESERVE drop ada QTY 2",
    "FLASH.RESERVE drop bob QTY 1 ID r",
    "FLASH.CONFIRM drop 99",
    "FLASH.REAP drop",
    "FLASH.RESTOCK drop -1",
    "FLASH.OPEN drop",
    "FLASH.PULL drop relay LEASE 1",
];
/// Commands that change the sale, in turn.
const ACCEPTED: [&str; 8] = [
    "FLASH.CONFIRM drop 2",
    "FLASH.RELEASE drop 3",
    "FLASH.RESERVE drop late",
    "FLASH.RESTOCK drop 5",
    "FLASH.CLOSE drop",
    "FLASH.OPEN drop",
    "FLASH.ACK drop 1 3",
    "FLASH.ACK drop 2 1",
];

fn sold_out() -> (Server, Connection) {
    let server = Server::start();
    let mut redis = server.connect();
    check(&mut redis, "FLASH.WARM drop 2 HOLD 600000 JOURNAL 9", "[WARMED 1]");
    check(&mut redis, "FLASH.RESERVE drop ada", "[RESERVED 2 * 1]");
    check(&mut redis, "FLASH.RESERVE drop eve", "[RESERVED 3 * 0]");
    (server, redis)
}

#[test]
fn a_caching_client_gets_invalidations_for_changes_only() {
    let (server, mut redis) = sold_out();
    let redis = &mut redis;
    let (mut cache, mut news) = (server.connect(), server.connect());
    let id: i64 = run(&mut news, "CLIENT ID");
    let mut news = news.as_pubsub();
    news.subscribe("__redis__:invalidate").expect("a channel");
    let _: Value = run(&mut cache, &format!("CLIENT TRACKING ON REDIRECT {id}"));
    let mut invalid = |keys: &str| {
        let message = news.get_message().expect("a message").get_payload::<Vec<String>>().expect("keys");
        assert_eq!(message, [keys]);
    };
    for refused in REFUSED {
        let _: Value = run(&mut cache, "FLASH.STATUS drop");
        let _: Value = run(&mut cache, "GET other");
        let _: Value = run(redis, refused);
        // News come in order, so if this is the first there was no other.
        let _: Value = run(redis, "SET other changed");
        invalid("other");
    }
    for accepted in ACCEPTED {
        let _: Value = run(&mut cache, "FLASH.STATUS drop");
        let _: Value = run(redis, accepted);
        invalid("drop");
    }
}

#[test]
fn a_transaction_that_watches_a_sale_fails_after_changes_and_after_nothing_else() {
    let (server, mut redis) = sold_out();
    let watcher = &mut server.connect();
    for (commands, is_change) in [(&REFUSED[..], false), (&ACCEPTED[..], true)] {
        for command in commands {
            let _: Value = run(watcher, "WATCH drop");
            let _: Value = run(&mut redis, command);
            for command in ["MULTI", "PING"] {
                let _: Value = run(watcher, command);
            }
            let done: Value = run(watcher, "EXEC");
            assert_eq!(done == Value::Nil, is_change, "{command}");
        }
    }
}
