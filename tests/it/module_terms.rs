//! Recovery attempts in the module: a command counts only for the value that its own attempt has fenced.

use redis::{Connection, Value};

use crate::support::redis::{Server, check, flat, follow, let_go_on, run, status, unfence, wait_for_copy};
use crate::support::wait;

fn fence(redis: &mut Connection, term: u64) -> String {
    let fenced: Vec<Value> = run(redis, &format!("FLASH.FENCE drop TERM {term}"));
    flat(fenced.last().expect("the instance"))
}

fn generation(redis: &mut Connection) -> String {
    let reply: Vec<Value> = run(redis, "FLASH.READY");
    flat(&reply[1])
}

#[test]
fn a_shell_keeps_older_attempts_out_of_an_empty_key_here_and_on_replicas() {
    let (primary, replica) = (Server::start(), Server::start());
    let (redis, copy) = (&mut primary.connect(), &mut replica.connect());
    follow(copy, &primary);
    check(redis, "FLASH.FENCE drop", "[NOT_WARMED]");
    let older = fence(redis, 4);
    let _: Value = run(redis, "DEL drop");
    let instance = fence(redis, 5);
    check(redis, "FLASH.READY", "[READY * [[drop 0 0 0 0 1 0]]]");
    check(redis, "FLASH.PULL drop r LEASE 0", "[PULLED 0 0 [] []]");
    check(redis, "FLASH.ACTIVE drop", "[ACTIVE 0]");
    for command in ["WARM drop 3", "RESERVE drop ada", "RESERVE drop ada SKU s 1", "CLOSE drop", "RESTOCK drop 5"] {
        check(redis, &format!("FLASH.{command}"), "[FENCED]");
    }
    check(redis, "FLASH.FENCE drop TERM 4", "[FENCED]");
    let warm = |term: u64, instance: &str| {
        format!("FLASH.WARM drop 3 JOURNAL 9 EPOCH 2 AFTER 90 TERM {term} INSTANCE {instance} CLOSED TOTAL 2")
    };
    for (term, instance) in [(4, &older), (5, &older), (4, &instance), (6, &instance)] {
        check(redis, &warm(term, instance), "[FENCED]");
    }
    wait_for_copy(copy, redis, "drop");
    assert_eq!(status(copy, "drop", "term"), 5);
    let before = generation(redis);
    check(redis, &warm(5, &instance), "[WARMED 2]");
    check(redis, &warm(5, &instance), "[EXISTS 2]");
    assert_eq!(generation(redis), before, "a life that follows another is no loss");
    assert_eq!(flat(&run::<Vec<Value>>(redis, "FLASH.FENCE drop TERM 5")[3]), instance, "it is the same value");
    let unfence = unfence(redis, "drop", 5, "2 91");
    check(redis, &unfence.replace("CLOSED 1", "CLOSED 0"), "[CONFLICT]");
    check(redis, &unfence, "[UNFENCED 2 91]");
    check(redis, "FLASH.RESERVE drop ada", "[CLOSED]");
    check(redis, "FLASH.OPEN drop", "[OPENED]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 93 nil 1]");
    wait_for_copy(copy, redis, "drop");
    assert_eq!(status(copy, "drop", "term"), 5);
    assert_ne!(status(copy, "drop", "instance"), status(redis, "drop", "instance"));
}

#[test]
fn a_term_outlives_a_failover_and_a_rewrite_and_an_instance_does_not() {
    let (mut primary, replica) = (Server::start(), Server::start());
    let copy = &mut replica.connect();
    follow(copy, &primary);
    let redis = &mut primary.connect();
    check(redis, "FLASH.WARM drop 3 JOURNAL 9", "[WARMED 1]");
    let instance = fence(redis, 7);
    wait_for_copy(copy, redis, "drop");
    let _: Value = run(copy, "REPLICAOF NO ONE");
    check(copy, "FLASH.FENCE drop TERM 6", "[FENCED]");
    let _: Value = run(redis, "BGREWRITEAOF");
    wait::until("the rewrite", || {
        let info: String = run(redis, "INFO persistence");
        info.contains("aof_rewrite_in_progress:0").then_some(())
    });
    let unfence = unfence(redis, "drop", 7, "1 1");
    for reload in ["DEBUG LOADAOF", "DEBUG RELOAD", "restart"] {
        if reload == "restart" {
            primary.redis.server.kill().expect("ours to kill");
            primary.redis.server.restart().expect("Redis starts again");
        } else {
            let _: Value = run(&mut primary.connect(), reload);
        }
        let redis = &mut primary.connect();
        check(redis, "FLASH.FENCE drop TERM 6", "[FENCED]");
        check(redis, &unfence, "[FENCED]");
        assert_ne!(fence(redis, 7), instance, "{reload}");
    }
}

#[test]
fn what_comes_under_another_name_sells_nothing_and_is_not_relayed() {
    let check_move = |journal: &str, ways: &[&str], key: &str, is_home: bool| {
        let server = Server::start();
        let redis = &mut server.connect();
        check(redis, &format!("FLASH.WARM drop 3{journal}"), "[WARMED 1]");
        check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 nil 2]");
        let before = generation(redis);
        for way in ways {
            let _: Value = run(redis, way);
        }
        assert_ne!(generation(redis), before, "{ways:?}");
        check(redis, &format!("FLASH.RESERVE {key} bob"), "[FENCED]");
        let ready = flat(&run(redis, "FLASH.READY"));
        let pulled = flat(&run(redis, &format!("FLASH.PULL {key} r LEASE 0")));
        assert_eq!(ready.contains(&format!("[{key} ")), is_home, "{ways:?}: {ready}");
        assert_eq!(pulled == "[FENCED]", !is_home, "{ways:?}: {pulled}");
        let gone_on = let_go_on(redis, key, 7, "1 2");
        let may_go_on = is_home || journal.is_empty();
        assert_eq!(gone_on, if may_go_on { "[UNFENCED 1 2]" } else { "[FENCED]" }, "{ways:?}");
    };
    for journal in ["", " JOURNAL 9"] {
        check_move(journal, &["RENAME drop other"], "other", false);
        check_move(journal, &["RENAME drop other", "RENAME other drop"], "drop", true);
        check_move(journal, &["COPY drop other", "DEL drop"], "other", false);
        check_move(journal, &["MOVE drop 1", "SELECT 1"], "drop", true);
    }
}

#[test]
fn a_dump_of_another_key_sells_nothing() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 3 JOURNAL 9", "[WARMED 1]");
    let dump: Vec<u8> = run(redis, "DUMP drop");
    let mut restore = |key: &str| {
        let restored: Value =
            redis::cmd("RESTORE").arg(key).arg(0).arg(&dump).arg("REPLACE").query(redis).expect("it loads");
        assert_eq!(flat(&restored), "OK");
        flat(&run(redis, &format!("FLASH.RESERVE {key} ada")))
    };
    assert_eq!(restore("other"), "[FENCED]");
    assert_eq!(restore("drop"), "[RESERVED 2 nil 2]");
}

#[test]
fn an_acknowledgement_of_what_a_sale_never_made_fences_it_everywhere() {
    let (primary, replica) = (Server::start(), Server::start());
    let (redis, copy) = (&mut primary.connect(), &mut replica.connect());
    follow(copy, &primary);
    check(redis, "FLASH.WARM drop 3 JOURNAL 9", "[WARMED 1]");
    check(redis, "FLASH.ACK drop 1 2", "[FENCED]");
    check(redis, "FLASH.RESERVE drop ada", "[FENCED]");
    wait_for_copy(copy, redis, "drop");
}

#[test]
fn what_was_sold_stays_sellable_in_a_later_life() {
    let server = Server::start();
    let redis = &mut server.connect();
    let _: Value = run(redis, "CONFIG SET flash.total-units-max 10");
    let _: Value = run(redis, "CONFIG SET flash.journal-events-max 10");
    let instance = fence(redis, 1);
    let warm = format!("FLASH.WARM drop 50 JOURNAL 50 EPOCH 2 TERM 1 INSTANCE {instance} TOTAL 60");
    check(redis, &warm, "[WARMED 2]");
    assert_eq!(status(redis, "drop", "total"), 60);
}

#[test]
fn the_active_reservations_come_in_pages_as_rebuild_takes_them() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 9 HOLD 600000 JOURNAL 99", "[WARMED 1]");
    for buyer in ["ada", "bob", "eve"] {
        check(redis, &format!("FLASH.RESERVE drop {buyer} ID r DATA {{}}"), "[RESERVED * * *]");
    }
    check(redis, "FLASH.RELEASE drop 3", "[RELEASED 3]");
    check(redis, "FLASH.CONFIRM drop 4", "[CONFIRMED 4]");
    let active: Vec<Value> = run(redis, "FLASH.ACTIVE drop");
    let [_, _, ada, eve] = active.iter().map(flat).collect::<Vec<_>>().try_into().expect("two reservations");
    assert_eq!(flat(&run(redis, "FLASH.ACTIVE drop COUNT 1")), format!("[ACTIVE 1 {ada}]"));
    assert_eq!(flat(&run(redis, "FLASH.ACTIVE drop AFTER 2 COUNT 5")), format!("[ACTIVE 1 {eve}]"));
    check(redis, "FLASH.ACTIVE drop AFTER 4", "[ACTIVE 1]");
    check(redis, "FLASH.ACTIVE nothing", "[NOT_WARMED]");
    let before = [status(redis, "drop", "reservations"), status(redis, "drop", "digest")];
    check(redis, "FLASH.ACK drop 1 6", "[ACKED 6]");
    let instance = fence(redis, 1);
    let warm = format!("FLASH.WARM drop 9 HOLD 600000 JOURNAL 99 EPOCH 2 AFTER 90 TERM 1 INSTANCE {instance}");
    check(redis, &warm, "[WARMED 2]");
    check(redis, &format!("FLASH.REBUILD drop 2 TERM 1 INSTANCE {instance} {ada} {eve}"), "[REBUILT 2]");
    assert_eq!([status(redis, "drop", "reservations"), status(redis, "drop", "digest")], before);
}

#[test]
fn a_wish_for_many_units_gets_those_of_all_holds_that_are_over() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 300 HOLD 1 LIMIT 300", "[WARMED 1]");
    let mut holds = redis::pipe();
    for buyer in 0..300 {
        holds.cmd("FLASH.RESERVE").arg("drop").arg(format!("buyer-{buyer}"));
    }
    let _: Value = run(redis, "DEBUG SET-ACTIVE-EXPIRE 1");
    let _: Vec<Value> = holds.query(redis).expect("they are made, or end meanwhile");
    wait::until("the holds to end", || {
        let reserved = flat(&run(redis, "FLASH.RESERVE drop late QTY 300"));
        assert_ne!(reserved, "[SOLD_OUT]");
        reserved.starts_with("[RESERVED ").then_some(())
    });
}
