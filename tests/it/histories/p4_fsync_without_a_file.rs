//! Before: 201 with `Flash-Durability: fsync`, and after SIGKILL nothing was there.

use redis::Value;

use super::sale::{KEY, PATH, create};
use crate::support::redis::{info, run, try_run};
use crate::support::wait;
use crate::support::world::World;

#[test]
fn fsync_is_not_promised_before_the_file_has_its_base() {
    let mut world = World::start_direct("p4");
    create(&world, "\"total\":50,\"limit\":50");
    world.wait_for_empty_journal("drop");
    let redis = &mut world.redis.connect();
    // The first rewrite takes its time over each key.
    for key in 0..20 {
        let _: Value = run(redis, &format!("SET key-{key} value"));
    }
    for setting in ["appendonly no", "appendfsync always", "save 3600", "rdb-key-save-delay 1000000", "appendonly yes"]
    {
        let words = if setting == "save 3600" { "save ".to_owned() } else { setting.to_owned() };
        let _: Value = run(redis, &format!("CONFIG SET {words}"));
    }
    wait::until("a rewrite that runs", || (info(redis, "persistence", "aof_rewrite_in_progress") == "1").then_some(()));
    let headers = [("content-type", "application/json"), ("flash-durability", "fsync")];
    let answer = wait::until("an answer", || {
        let path = format!("{PATH}/reservations");
        let answer = world.http().send("POST", &path, &headers, "{\"buyer\":\"ada\"}").expect("an answer");
        // What the gateway knows of Redis is up to a second old.
        (answer.status != 504).then_some(answer)
    });
    world.kill_gateway();
    world.crash_redis();
    let id = answer.number();
    let kept =
        id.is_some_and(|id| try_run::<Value>(&mut world.redis.connect(), &format!("FLASH.STATUS {KEY} {id}")).is_ok());
    assert!(answer.status != 201 || kept, "it was to survive a crash, and did not: {answer:?}");
    assert!(answer.status == 201 || answer.problem() == "durability-unavailable", "{answer:?}");
}
