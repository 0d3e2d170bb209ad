//! A primary decides, everybody else lets it happen: one event for each accepted command, none for a refusal, and the
//! same digest everywhere, whichever server is cut off, restarted, promoted or paused.

use std::fs;

use redis::{Connection, Value};

use crate::support::aof;
use crate::support::redis::{Server, check, digest, flat, follow, info, info_number, run, status, try_run};
use crate::support::wait;

/// A primary and its replica, in step.
struct Pair {
    servers: [Server; 2],
    primary: Connection,
    replica: Connection,
}

impl Pair {
    fn start() -> Self {
        let servers = [Server::start(), Server::start()];
        let [primary, mut replica] = [servers[0].connect(), servers[1].connect()];
        follow(&mut replica, &servers[0]);
        let mut pair = Self { servers, primary, replica };
        pair.catch_up();
        pair
    }

    /// Waits until the replica has all that the primary has written.
    fn catch_up(&mut self) {
        catch_up(&mut self.primary);
    }

    /// Waits for the replica, and then wants its state to be the primary's.
    fn check_same(&mut self, sale: &str) {
        self.catch_up();
        assert_eq!(digest(&mut self.replica, sale), digest(&mut self.primary, sale), "{sale}");
    }
}

/// Waits until a replica has all that `primary` has written.
fn catch_up(primary: &mut Connection) {
    wait::until("the replica", || {
        // WAIT asks for what this connection has written; so that it asks for all, it writes.
        let _: Value = run(primary, "SET written all");
        let replicas: i64 = run(primary, "WAIT 1 1000");
        (replicas == 1).then_some(())
    });
}

fn wait_for_role(redis: &mut Connection, role: &str) {
    wait::until(role, || (info(redis, "replication", "role") == role).then_some(()));
}

#[test]
fn what_is_accepted_is_one_event_and_a_refusal_is_nothing() {
    let server = Server::start();
    let redis = &mut server.connect();
    let mut want = Vec::new();
    let mut session = |accepted: Option<&str>, command: &str, reply: &str| {
        check(redis, command, reply);
        want.extend(accepted.map(str::to_owned));
    };
    const EVENT: Option<&str> = Some("FLASH.APPLY");
    session(EVENT, "FLASH.WARM drop 3 HOLD 600000 LIMIT 2 JOURNAL 100", "[WARMED 1]");
    session(None, "FLASH.WARM drop 3 HOLD 600000 LIMIT 2 JOURNAL 100", "[EXISTS 1]");
    session(EVENT, "FLASH.RESERVE drop ada QTY 2 ID r", "[RESERVED 2 * 1]");
    session(None, "FLASH.RESERVE drop ada QTY 2 ID r", "[REPLAYED 2 * held]");
    session(None, "FLASH.RESERVE drop ada QTY 1 ID r", "[CONFLICT]");
    session(None, "FLASH.RESERVE drop ada", "[LIMIT_EXCEEDED 2]");
    session(None, "FLASH.RESERVE drop bob QTY 2", "[SOLD_OUT]");
    session(EVENT, "FLASH.RESERVE drop bob", "[RESERVED 3 * 0]");
    session(EVENT, "FLASH.CONFIRM drop 2", "[CONFIRMED 2]");
    session(None, "FLASH.CONFIRM drop 2", "[REPLAYED 2 * confirmed]");
    session(None, "FLASH.RELEASE drop 2", "[CONFLICT]");
    session(EVENT, "FLASH.RELEASE drop 3", "[RELEASED 3]");
    session(None, "FLASH.CONFIRM drop 99", "[UNKNOWN]");
    session(None, "FLASH.REAP drop", "[REAPED 0]");
    session(None, "FLASH.PULL drop relay LEASE 1000 COUNT 1", "[PULLED 1 5 [default] [*]]");
    session(Some("FLASH.ACK"), "FLASH.ACK drop 1 3", "[ACKED 3]");
    session(None, "FLASH.ACK drop 1 3", "[ACKED 3]");
    session(None, "FLASH.ACK drop 1 2", "[ACKED 3]");
    session(None, "FLASH.RESTOCK drop -2", "[CONFLICT]");
    session(EVENT, "FLASH.RESTOCK drop -1", "[RESTOCKED 2 0]");
    session(EVENT, "FLASH.CLOSE drop", "[CLOSED]");
    session(None, "FLASH.CLOSE drop", "[CLOSED]");
    session(None, "FLASH.RESERVE drop eve", "[CLOSED]");
    session(EVENT, "FLASH.OPEN drop", "[OPENED]");
    session(None, "FLASH.OPEN drop", "[OPENED]");
    session(Some("FLASH.FENCE"), "FLASH.ACK drop 9 4", "[FENCED]");
    session(None, "FLASH.FENCE drop", "[FENCED 1 8 *]");
    session(None, "FLASH.FENCE drop", "[FENCED 1 8 *]");
    session(None, "FLASH.RESERVE drop eve", "[FENCED]");
    session(None, "FLASH.UNFENCE drop 1 99", "[CONFLICT]");
    session(Some("FLASH.FENCE"), "FLASH.FENCE drop TERM 3", "[FENCED 1 8 *]");
    session(None, "FLASH.FENCE drop TERM 3", "[FENCED 1 8 *]");
    session(None, "FLASH.FENCE drop TERM 2", "[FENCED]");
    session(None, "FLASH.RESERVE nothing ada", "[NOT_WARMED]");
    assert_eq!(aof::names(server.redis.server.dir()), want);
}

#[test]
fn an_expiry_is_an_event_of_its_own_before_the_command_that_met_it() {
    let server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 1 HOLD 1", "[WARMED 1]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 * 0]");
    wait::until("the hold's end", || {
        let reply: Value = run(redis, "FLASH.STATUS drop ID 2");
        flat(&reply).contains("state expired").then_some(())
    });
    check(redis, "FLASH.RESERVE drop bob", "[RESERVED 4 * 0]");
    // Two of one command travel together: no replica sees the one without the other.
    let want = ["FLASH.APPLY", "FLASH.APPLY", "MULTI", "FLASH.APPLY", "FLASH.APPLY", "EXEC"];
    assert_eq!(aof::names(server.redis.server.dir()), want);
}

#[test]
fn a_transaction_and_a_script_reserve_as_a_client_does() {
    let mut pair = Pair::start();
    let redis = &mut pair.primary;
    check(redis, "FLASH.WARM drop 4 JOURNAL 100", "[WARMED 1]");
    for command in ["MULTI", "FLASH.RESERVE drop ada", "FLASH.RESERVE drop ada", "FLASH.RESERVE drop bob"] {
        let _: Value = run(redis, command);
    }
    check(redis, "EXEC", "[[RESERVED 2 nil 3] [REPLAYED 2 nil confirmed] [RESERVED 3 nil 2]]");
    let script = "local first = redis.call('FLASH.RESERVE', KEYS[1], ARGV[1])\n\
                  return {first, redis.call('FLASH.RESERVE', KEYS[1], ARGV[2]), redis.call('FLASH.REAP', KEYS[1])}";
    let eval = redis::cmd("EVAL").arg(script).arg(1).arg("drop").arg("eve").arg("eve").query::<Value>(redis);
    assert_eq!(flat(&eval.expect("it runs")), "[[RESERVED 4 nil 1] [REPLAYED 4 nil confirmed] [REAPED 0]]");
    pair.check_same("drop");
    let names = aof::names(pair.servers[0].redis.server.dir());
    assert_eq!(names.iter().filter(|name| *name == "FLASH.APPLY").count(), 4, "{names:?}");
    assert!(!names.iter().any(|name| ["FLASH.RESERVE", "EVAL"].contains(&name.as_str())), "{names:?}");
}

#[test]
fn a_replica_never_decides_that_a_hold_is_over() {
    let mut pair = Pair::start();
    check(&mut pair.primary, "FLASH.WARM drop 1 HOLD 1 JOURNAL 100", "[WARMED 1]");
    check(&mut pair.primary, "FLASH.RESERVE drop ada", "[RESERVED 2 * 0]");
    pair.check_same("drop");
    let replica = &mut pair.replica;
    let before = digest(replica, "drop");
    wait::until("the hold's end", || {
        let reply: Value = run(replica, "FLASH.STATUS drop ID 2");
        flat(&reply).contains("state expired").then_some(())
    });
    for command in ["REAP drop", "RESERVE drop bob", "CONFIRM drop 2", "ACK drop 1 1", "RESTOCK drop 1", "CLOSE drop"] {
        let command = &format!("FLASH.{command}");
        let error = try_run::<Value>(replica, command).expect_err("a replica only follows");
        assert!(error.starts_with("READONLY"), "{command}: {error}");
    }
    let error = try_run::<Value>(replica, "FLASH.APPLY drop x").expect_err("this is no replication link");
    assert!(error.starts_with("READONLY") || error.contains("never from a client"), "{error}");
    check(replica, "FLASH.READY", "[READY * [[drop 1 0 2 1 0 *]]]");
    assert_eq!(digest(replica, "drop"), before);
    check(&mut pair.primary, "FLASH.REAP drop", "[REAPED 1]");
    pair.check_same("drop");
    assert_eq!(status(&mut pair.replica, "drop", "available"), 1);
}

#[test]
fn a_replica_that_clients_may_write_to_decides_nothing_either() {
    let mut pair = Pair::start();
    check(&mut pair.primary, "FLASH.WARM drop 5 JOURNAL 100", "[WARMED 1]");
    pair.check_same("drop");
    let _: Value = run(&mut pair.replica, "CONFIG SET replica-read-only no");
    for command in ["FLASH.RESERVE drop ada", "FLASH.ACK drop 1 1", "FLASH.RESTOCK drop 1", "FLASH.WARM other 5"] {
        let error = try_run::<Value>(&mut pair.replica, command).expect_err("a replica only follows");
        assert!(error.starts_with("READONLY a replica never decides"), "{command}: {error}");
    }
    check(&mut pair.primary, "FLASH.RESERVE drop ada", "[RESERVED 2 nil 4]");
    pair.check_same("drop");
    let _: Value = run(&mut pair.replica, "REPLICAOF NO ONE");
    check(&mut pair.replica, "FLASH.RESERVE drop bob", "[RESERVED 3 nil 3]");
}

/// Sells `count` units of `drop` to buyers of that name.
fn sell(redis: &mut Connection, name: &str, count: usize) {
    for buyer in 0..count {
        check(redis, &format!("FLASH.RESERVE drop {name}-{buyer}"), "[RESERVED * * *]");
    }
}

#[test]
fn a_link_that_was_cut_is_mended_by_a_part_of_the_stream_or_by_the_whole_state() {
    let mut pair = Pair::start();
    check(&mut pair.primary, "FLASH.WARM drop 1000 JOURNAL 1000", "[WARMED 1]");
    sell(&mut pair.primary, "first", 50);
    for (field, change) in [("sync_partial_ok", None), ("sync_full", Some("DEBUG CHANGE-REPL-ID"))] {
        let primary = &mut pair.primary;
        let before = info_number(primary, "stats", field);
        if let Some(change) = change {
            let _: Value = run(primary, change);
        }
        let _: Value = run(primary, "CLIENT KILL TYPE replica");
        sell(primary, field, 50);
        wait::until("the replica's return", || (info_number(primary, "stats", field) > before).then_some(()));
        pair.check_same("drop");
    }
    assert_eq!(status(&mut pair.replica, "drop", "available"), 1000 - 150);
}

#[test]
fn a_replica_promoted_in_mid_sale_sells_on_and_the_old_primary_follows_it() {
    let mut pair = Pair::start();
    check(&mut pair.primary, "FLASH.WARM drop 100 HOLD 600000 JOURNAL 1000", "[WARMED 1]");
    sell(&mut pair.primary, "before", 40);
    pair.check_same("drop");
    let _: Value = run(&mut pair.replica, "REPLICAOF NO ONE");
    // The old primary does not know yet, so it still sells. Those answers are lost with it: that is what WAIT is for.
    sell(&mut pair.primary, "lost", 7);
    check(&mut pair.replica, "FLASH.RESERVE drop before-3", "[REPLAYED 5 * held]");
    sell(&mut pair.replica, "after", 60);
    check(&mut pair.replica, "FLASH.RESERVE drop one-too-many", "[SOLD_OUT]");
    follow(&mut pair.primary, &pair.servers[1]);
    let (primary, replica) = (&mut pair.replica, &mut pair.primary);
    wait_for_role(replica, "slave");
    catch_up(primary);
    assert_eq!(digest(primary, "drop"), digest(replica, "drop"));
    assert_eq!((status(replica, "drop", "held"), status(replica, "drop", "seq")), (100, 101));
    check(replica, "FLASH.STATUS drop BUYER lost-0", "[buyer lost-0 units 0 reservations []]");
    check(primary, "FLASH.RELEASE drop 2", "[RELEASED 2]");
    catch_up(primary);
    assert_eq!(digest(primary, "drop"), digest(replica, "drop"));
}

/// A sale whose every hold is due.
fn warm_with_due_holds(redis: &mut Connection) {
    check(redis, "FLASH.WARM drop 100 HOLD 1 LIMIT 2 JOURNAL 1000", "[WARMED 1]");
    sell(redis, "early", 10);
    wait::until("the last hold's end", || {
        let reply: Value = run(redis, "FLASH.STATUS drop BUYER early-9");
        flat(&reply).contains("state expired").then_some(())
    });
}

#[test]
fn holds_fall_due_while_writes_are_paused_and_nothing_is_written() {
    let mut pair = Pair::start();
    warm_with_due_holds(&mut pair.primary);
    let held = status(&mut pair.primary, "drop", "held");
    pair.check_same("drop");
    let mut waiting = pair.servers[0].connect();
    let redis = &mut pair.primary;
    let _: Value = run(redis, "CLIENT PAUSE 600000 WRITE");
    let dir = pair.servers[0].redis.server.dir();
    let (before, written) = (digest(redis, "drop"), aof::names(dir));
    let buyer = std::thread::spawn(move || {
        let reply: Value = run(&mut waiting, "FLASH.RESERVE drop patient");
        flat(&reply)
    });
    wait::until("the paused buyer", || (info_number(redis, "clients", "blocked_clients") == 1).then_some(()));
    check(redis, "FLASH.READY", "[READY * [[drop 1 0 * 1 0 *]]]");
    check(redis, "FLASH.STATUS drop BUYER nobody", "[buyer nobody units 0 reservations []]");
    assert_eq!(status(redis, "drop", "held"), held);
    assert_eq!((digest(redis, "drop"), aof::names(dir)), (before, written));
    let _: Value = run(redis, "CLIENT UNPAUSE");
    let reply = buyer.join().expect("it was answered");
    assert!(reply.starts_with("[RESERVED "), "{reply}");
    pair.check_same("drop");
}

#[test]
fn a_failover_while_holds_are_due_loses_nothing() {
    let mut pair = Pair::start();
    warm_with_due_holds(&mut pair.primary);
    pair.check_same("drop");
    let port = pair.servers[1].redis.server.port();
    let _: Value = run(&mut pair.primary, &format!("FAILOVER TO 127.0.0.1 {port} TIMEOUT 60000"));
    // Until the replica has taken over, writes wait, and then the old primary refuses them.
    let refused = try_run::<Value>(&mut pair.primary, "FLASH.RESERVE drop late");
    assert!(refused.as_ref().is_err_and(|error| error.starts_with("READONLY")), "{refused:?}");
    wait_for_role(&mut pair.primary, "slave");
    wait_for_role(&mut pair.replica, "master");
    let (primary, replica) = (&mut pair.replica, &mut pair.primary);
    let reply: Value = run(primary, "FLASH.RESERVE drop late");
    assert!(flat(&reply).starts_with("[RESERVED "), "{reply:?}");
    assert_eq!(status(primary, "drop", "available"), 99);
    catch_up(primary);
    assert_eq!(digest(primary, "drop"), digest(replica, "drop"));
}

#[test]
fn a_sale_that_an_event_does_not_fit_takes_no_more_writes() {
    let mut server = Server::start();
    let redis = &mut server.connect();
    check(redis, "FLASH.WARM drop 9", "[WARMED 1]");
    for buyer in ["ada", "bob", "eve"] {
        check(redis, &format!("FLASH.RESERVE drop {buyer}"), "[RESERVED * nil *]");
    }
    server.redis.server.kill().expect("ours to kill");
    // Somebody has lost bob's event.
    let file = aof::file(server.redis.server.dir());
    let mut commands = aof::commands(server.redis.server.dir());
    commands.retain(|words| !words.iter().any(|word| word.windows(3).any(|three| three == b"bob")));
    fs::write(file, aof::bytes(&commands)).expect("it can be written");
    server.redis.server.restart().expect("Redis starts again");
    let redis = &mut server.connect();
    assert_eq!(status(redis, "drop", "seq"), 2, "nothing behind the gap has happened");
    let error = try_run::<Value>(redis, "FLASH.RESERVE drop joe").expect_err("the sale is in doubt");
    assert!(error.starts_with("POISONED "), "{error}");
}
