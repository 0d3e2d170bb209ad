//! `flash.fence-on-load`: a sale that comes from a disk or from another server sells nothing until it is known to be
//! whole.

use redis::{Connection, Value};

use crate::support::redis::{Server, check, digest, flat, follow, let_go_on, run, unfence, wait_for_copy};
use crate::support::wait;

const FENCING: [&str; 2] = ["--flash.fence-on-load", "yes"];

/// What READY says first.
fn generation(redis: &mut Connection) -> String {
    let reply: Vec<Value> = run(redis, "FLASH.READY");
    flat(&reply[1])
}

fn phase(redis: &mut Connection) -> String {
    let status: Vec<Value> = run(redis, "FLASH.STATUS drop");
    let at = status.iter().position(|value| flat(value) == "phase").expect("a sale has a phase");
    flat(&status[at + 1])
}

/// A sale of three units, of which ada has one.
fn warm(redis: &mut Connection) {
    check(redis, "FLASH.WARM drop 3 JOURNAL 100", "[WARMED 1]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 2 nil 2]");
}

fn check_in_doubt(redis: &mut Connection, came_by: &str) {
    assert_eq!(phase(redis), "fenced", "{came_by}");
    check(redis, "FLASH.READY", "[READY * [[drop 1 0 2 0 1 *]]]");
    check(redis, "FLASH.RESERVE drop bob", "[FENCED]");
    check(redis, "FLASH.RESERVE drop ada", "[FENCED]");
    check(redis, "FLASH.PULL drop r LEASE 1 COUNT 1", "[PULLED 1 2 [default] [*]]");
    check(redis, "FLASH.UNFENCE drop 1 3", "[CONFLICT]");
    assert_eq!(let_go_on(redis, "drop", 7, "1 2"), "[UNFENCED 1 2]", "{came_by}");
    check(redis, "FLASH.RESERVE drop bob", "[RESERVED 3 nil 1]");
}

#[test]
fn a_sale_is_fenced_however_it_was_loaded() {
    let restart = |server: &mut Server| {
        server.redis.server.kill().expect("ours to kill");
        server.redis.server.restart().expect("Redis starts again");
        "a restart"
    };
    let reload = |server: &mut Server| {
        let _: Value = run(&mut server.connect(), "DEBUG RELOAD");
        "DEBUG RELOAD"
    };
    let load_aof = |server: &mut Server| {
        let _: Value = run(&mut server.connect(), "DEBUG LOADAOF");
        "DEBUG LOADAOF"
    };
    let copy = |server: &mut Server| {
        let redis = &mut server.connect();
        let _: Value = run(redis, "COPY drop copy");
        let _: Value = run(redis, "DEL drop");
        let _: Value = run(redis, "RENAME copy drop");
        "COPY"
    };
    let ways: [fn(&mut Server) -> &'static str; 4] = [restart, reload, load_aof, copy];
    for way in ways {
        let mut server = Server::start_with(&FENCING);
        warm(&mut server.connect());
        let came_by = way(&mut server);
        check_in_doubt(&mut server.connect(), came_by);
    }
}

#[test]
fn that_it_was_whole_before_says_nothing_about_the_next_restart() {
    let mut server = Server::start_with(&FENCING);
    warm(&mut server.connect());
    for (epoch, seq) in [(1, 2), (2, 102), (3, 202)] {
        server.redis.server.kill().expect("ours to kill");
        server.redis.server.restart().expect("Redis starts again");
        let redis = &mut server.connect();
        assert_eq!(phase(redis), "fenced", "epoch {epoch}");
        let _: Value = run(redis, &format!("FLASH.ACK drop {epoch} {seq}"));
        let (next, after) = (epoch + 1, seq + 100);
        let gone_on = let_go_on(redis, "drop", epoch, &format!("{epoch} {seq} EPOCH {next} AFTER {after}"));
        assert_eq!(gone_on, format!("[UNFENCED {next} {after}]"));
    }
}

#[test]
fn what_is_known_to_be_whole_is_not_fenced() {
    let server = Server::start_with(&FENCING);
    let redis = &mut server.connect();
    warm(redis);
    check(redis, "FLASH.RESERVE drop bob", "[RESERVED 3 nil 1]");
    let _: Value = run(redis, "DEBUG RELOAD");
    check(redis, "FLASH.WARM drop 3 JOURNAL 100", "[EXISTS 1]");
    check(redis, "FLASH.RESERVE drop eve", "[FENCED]");
    assert_eq!(let_go_on(redis, "drop", 7, "1 3"), "[UNFENCED 1 3]");
    check(redis, "FLASH.RESERVE drop eve", "[RESERVED 4 nil 0]");
}

#[test]
fn without_the_setting_nothing_is_fenced_not_even_when_it_comes_later() {
    let mut server = Server::start();
    warm(&mut server.connect());
    server.redis.server.restart().expect("Redis starts again");
    let redis = &mut server.connect();
    check(redis, "FLASH.RESERVE drop bob", "[RESERVED 3 nil 1]");
    let _: Value = run(redis, "CONFIG SET flash.fence-on-load yes");
    check(redis, "FLASH.RESERVE drop eve", "[RESERVED 4 nil 0]");
}

#[test]
fn a_replica_shows_what_its_primary_sells_and_is_fenced_once_it_is_promoted() {
    let (primary, replica) = (Server::start_with(&FENCING), Server::start_with(&FENCING));
    let (redis, copy) = (&mut primary.connect(), &mut replica.connect());
    follow(copy, &primary);
    warm(redis);
    wait_for_copy(copy, redis, "drop");
    assert_eq!(phase(copy), "open");
    let before = generation(copy);
    let _: Value = run(copy, "REPLICAOF NO ONE");
    assert_ne!(generation(copy), before);
    check_in_doubt(copy, "a promotion");
    assert_eq!(phase(redis), "open", "the old primary knows nothing of it");
}

#[test]
fn the_fence_and_the_next_epoch_reach_replicas_and_the_aof() {
    let (mut primary, replica) = (Server::start_with(&FENCING), Server::start_with(&FENCING));
    warm(&mut primary.connect());
    primary.redis.server.restart().expect("Redis starts again");
    let (redis, copy) = (&mut primary.connect(), &mut replica.connect());
    follow(copy, &primary);
    check(redis, "FLASH.RESERVE drop bob", "[FENCED]");
    assert_eq!(let_go_on(redis, "drop", 7, "1 2 EPOCH 2 AFTER 90"), "[CONFLICT]");
    check(redis, "FLASH.ACK drop 1 2", "[ACKED 2]");
    let unfence = unfence(redis, "drop", 7, "1 2 EPOCH 2 AFTER 90");
    check(redis, &unfence, "[UNFENCED 2 90]");
    check(redis, &unfence, "[UNFENCED 2 90]");
    check(redis, "FLASH.RESERVE drop bob", "[RESERVED 91 nil 1]");
    check(redis, "FLASH.ACK drop 1 2", "[FENCED]");
    wait_for_copy(copy, redis, "drop");
    let before = digest(redis, "drop");
    let _: Value = run(redis, "DEBUG LOADAOF");
    assert_eq!(digest(redis, "drop"), before);
}

#[test]
fn a_later_life_takes_the_place_of_a_fenced_one_and_of_no_other() {
    let (primary, replica) = (Server::start_with(&FENCING), Server::start_with(&FENCING));
    let (redis, copy) = (&mut primary.connect(), &mut replica.connect());
    follow(copy, &primary);
    warm(redis);
    let warm_again = |redis: &mut Connection, after: u64| {
        let reply: Result<Value, _> =
            redis::cmd("FLASH.WARM").arg(&["drop", "3", "EPOCH", "2", "AFTER", &after.to_string()]).query(redis);
        reply.map_or_else(|_| "refused".to_owned(), |reply| flat(&reply))
    };
    assert_eq!(warm_again(redis, 9), "refused", "it sells");
    check(redis, "FLASH.FENCE drop", "[FENCED 1 2 *]");
    assert_eq!(warm_again(redis, 1), "refused", "it has made more than that");
    assert_eq!(warm_again(redis, 9), "[WARMED 2]");
    check(redis, "FLASH.RESERVE drop ada", "[FENCED]");
    check(redis, "FLASH.UNFENCE drop 2 10", "[UNFENCED 2 10]");
    check(redis, "FLASH.RESERVE drop ada", "[RESERVED 11 nil 2]");
    wait_for_copy(copy, redis, "drop");
    let before = digest(redis, "drop");
    let _: Value = run(redis, "DEBUG LOADAOF");
    assert_eq!(digest(redis, "drop"), before);
}

#[test]
fn the_generation_tells_when_a_sale_may_be_gone() {
    let mut server = Server::start_with(&FENCING);
    let redis = &mut server.connect();
    warm(redis);
    let before = generation(redis);
    check(redis, "FLASH.RESERVE drop bob", "[RESERVED 3 nil 1]");
    assert_eq!(generation(redis), before, "selling loses nothing");
    for lost in ["DEL drop", "FLUSHALL", "DEBUG RELOAD"] {
        let before = generation(redis);
        let _: Value = run(redis, lost);
        wait::until(lost, || (generation(redis) != before).then_some(()));
        let _: Value = run(redis, "FLUSHALL");
        check(redis, "FLASH.WARM drop 3", "[WARMED 1]");
    }
    let before = generation(redis);
    server.redis.server.restart().expect("Redis starts again");
    assert_ne!(generation(&mut server.connect()), before);
}
