//! A sale is one key, so it lives in one slot of a cluster: found there, and moved without loss while it sells.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;

use redis::Value;

use crate::support::cluster::{Client, Cluster};
use crate::support::redis::{check, flat, run, status, try_run};
use crate::support::wait;

#[test]
fn a_sale_is_sold_by_the_node_of_its_slot_and_by_no_other() {
    let cluster = Cluster::start();
    let mut owners = BTreeSet::new();
    for sale in ["{a}drop", "{b}drop", "{c}drop"] {
        let (owner, slot) = cluster.owner(sale);
        let mut client = Client::of(&cluster, (owner + 1) % 3);
        assert_eq!(flat(&client.run(&format!("FLASH.WARM {sale} 5 JOURNAL 9"))), "[WARMED 1]");
        assert_eq!(flat(&client.run(&format!("FLASH.RESERVE {sale} ada"))), "[RESERVED 2 nil 4]");
        assert_eq!((client.moved, client.asked), (1, 0));
        for (place, node) in cluster.nodes.iter().enumerate() {
            let redis = &mut node.server.connect();
            check(redis, &format!("COMMAND GETKEYS FLASH.RESERVE {sale} ada QTY 1"), &format!("[{sale}]"));
            let ready: Value = run(redis, "FLASH.READY");
            assert_eq!(flat(&ready).contains(&format!("[{sale} 1 0 2 0 0 ")), place == owner, "{ready:?}");
            if place != owner {
                let moved = try_run::<Value>(redis, &format!("FLASH.RESERVE {sale} bob")).expect_err("not here");
                assert_eq!(moved, format!("MOVED {slot} 127.0.0.1:{}", cluster.nodes[owner].port()));
            }
        }
        owners.insert(owner);
    }
    assert_eq!(owners.len(), 3, "the sales of this test are spread over all nodes");
}

/// Sells until it must stop; the ids of all that was reserved.
fn sell(client: &mut Client, sold: &AtomicU64, is_over: &AtomicBool) -> Vec<u64> {
    let mut ids = Vec::new();
    while !is_over.load(Ordering::Relaxed) {
        let reply = flat(&client.run(&format!("FLASH.RESERVE drop buyer-{}", ids.len())));
        let id = reply.strip_prefix("[RESERVED ").and_then(|rest| rest.split(' ').next()?.parse().ok());
        ids.push(id.unwrap_or_else(|| panic!("{reply}")));
        sold.store(ids.len() as u64, Ordering::Relaxed);
    }
    ids
}

/// Moves the slot of `drop` from one node to the next, with `sell_more` between any two steps.
fn migrate(cluster: &Cluster, sell_more: impl Fn()) {
    let (owner, slot) = cluster.owner("drop");
    let (from, to) = (&cluster.nodes[owner], &cluster.nodes[(owner + 1) % 3]);
    let (source, target) = (&mut from.server.connect(), &mut to.server.connect());
    sell_more();
    let _: Value = run(target, &format!("CLUSTER SETSLOT {slot} IMPORTING {}", from.id));
    let _: Value = run(source, &format!("CLUSTER SETSLOT {slot} MIGRATING {}", to.id));
    sell_more();
    let _: Value = run(source, &format!("MIGRATE 127.0.0.1 {} drop 0 60000", to.port()));
    sell_more();
    for redis in [target, source] {
        let _: Value = run(redis, &format!("CLUSTER SETSLOT {slot} NODE {}", to.id));
    }
    sell_more();
}

#[test]
fn a_slot_that_migrates_while_its_sale_sells_loses_nothing() {
    let cluster = Cluster::start();
    let (owner, _) = cluster.owner("drop");
    let mut client = Client::of(&cluster, owner);
    assert_eq!(flat(&client.run("FLASH.WARM drop 1000000 JOURNAL 1000000")), "[WARMED 1]");
    let (sold, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let ids = thread::scope(|scope| {
        let seller = scope.spawn(|| sell(&mut client, &sold, &is_over));
        migrate(&cluster, || {
            let enough = sold.load(Ordering::Relaxed) + 100;
            wait::until("more buyers", || {
                (sold.load(Ordering::Relaxed) >= enough || seller.is_finished()).then_some(())
            });
        });
        is_over.store(true, Ordering::Relaxed);
        seller.join().expect("every buyer got a unit")
    });
    assert!(client.asked >= 100 && client.moved == 1, "asked {}, moved {}", client.asked, client.moved);
    let head = ids.len() as u64 + 1;
    assert_eq!(ids, (2..=head).collect::<Vec<_>>());
    let [old, new] = [owner, (owner + 1) % 3].map(|place| cluster.nodes[place].server.connect());
    let (old, new) = (&mut { old }, &mut { new });
    assert_eq!(status(new, "drop", "confirmed").unsigned_abs(), head - 1);
    check(new, "FLASH.READY", &format!("[READY * [[drop 1 0 {head} 0 0 *]]]"));
    check(old, "FLASH.READY", "[READY * []]");
    check(new, &format!("FLASH.ACK drop 1 {head}"), &format!("[ACKED {head}]"));
}
