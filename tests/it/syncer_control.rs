//! `flash syncer pause`, `resume` and `drain`.

use std::ops::Range;

use serde_json::Value;

use crate::support::wait;
use crate::support::world::World;

fn reserve(world: &World, buyers: Range<u64>) {
    for buyer in buyers {
        let body = format!("{{\"buyer\":\"buyer-{buyer}\"}}");
        wait::until("a yes", || {
            let answer = world.http().post("/v1/sales/drop/reservations", &body).expect("an answer");
            [200, 201].contains(&answer.status).then_some(())
        });
    }
}

/// Tells the syncers something; what it said.
fn tell(world: &World, what: &str) -> Value {
    let (status, printed) = world.run(&["-o", "json", "syncer", what, "--timeout-s", "60"]);
    assert!(status.success(), "{what}: {printed}");
    serde_json::from_str(&printed).unwrap_or_else(|error| panic!("{printed:?}: {error}"))
}

fn check(world: &World) {
    world.create_sale("{\"sale\":\"drop\",\"total\":1000}");
    reserve(world, 0..20);
    world.wait_for_orders("drop", 20);
    let paused = tell(world, "pause");
    assert_eq!((&paused["paused"], &paused["syncers"]), (&true.into(), &1.into()), "{paused}");
    reserve(world, 20..30);
    assert_eq!(world.orders("drop"), 20);
    let drained = tell(world, "drain");
    assert_eq!((&drained["drained"], &drained["paused"]), (&true.into(), &true.into()), "{drained}");
    assert_eq!(world.orders("drop"), 30);
    reserve(world, 30..35);
    assert_eq!(world.orders("drop"), 30);
    assert_eq!(tell(world, "resume")["paused"], false);
    world.wait_for_orders("drop", 35);
    world.wait_for_empty_journal("drop");
    assert_eq!(world.twice_served_buyers("drop"), 0);
}

#[test]
fn a_syncer_pauses_drains_and_resumes() {
    check(&World::start());
}

#[test]
fn the_syncer_within_a_gateway_pauses_drains_and_resumes() {
    check(&World::start_direct("direct_control"));
}

#[test]
fn a_pause_waits_for_who_writes() {
    let world = World::start();
    // As a syncer does whose batch is under way.
    world.sql("BEGIN; SELECT paused FROM syncer_control FOR SHARE");
    let pausing = world.start_flash(&["syncer", "pause", "--timeout-s", "60"]);
    let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))";
    wait::until("a pause that waits", || (world.rows(waiting) != ["0"]).then_some(()));
    world.sql("COMMIT");
    assert!(pausing.wait().0.success());
    assert_eq!(world.rows("SELECT paused FROM syncer_control"), ["true"]);
}

/// A syncer that has not said anything for a while may have all kinds of things in hand.
#[test]
fn a_drain_does_not_pass_over_a_syncer_that_says_nothing() {
    let world = World::start_direct("silent_syncer");
    world.create_sale("{\"sale\":\"drop\",\"total\":1000}");
    world.sql("INSERT INTO syncers (name, paused, queued, at) VALUES ('silent', false, 7, now() - interval '20 s')");
    let (status, printed) = world.run(&["-o", "json", "syncer", "drain", "--timeout-s", "5"]);
    assert!(!status.success(), "{printed}");
}
