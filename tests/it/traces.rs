//! A trace goes with a reservation from the request to PostgreSQL.

use std::fs;

use crate::support::program::Program;
use crate::support::wait;
use crate::support::world::World;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[test]
fn the_syncer_names_the_trace_of_a_reservation_and_a_bad_one_changes_nothing() {
    let world = World::start_without_syncer();
    world.create_sale(r#"{"sale":"drop","total":1000000}"#);
    let reserve = |buyer: &str, traceparent: &str| {
        let body = format!(r#"{{"buyer":"{buyer}"}}"#);
        let headers = [("content-type", "application/json"), ("traceparent", traceparent)];
        let answer = world.http().send("POST", "/v1/sales/drop/reservations", &headers, &body);
        assert_eq!(answer.expect("an answer").status, 201);
    };
    reserve("ada", "00-not-a-trace");
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("log");
    let args = ["syncer", "--log", "flash_syncer=info", "--log-format", "json"];
    let _syncer = Program::start_logging(&args, &world.environment(), &log);
    let (traced, mut buyers) = (format!("00-{TRACE}-00f067aa0ba902b7-01"), 0);
    let said = || fs::read_to_string(&log).expect("a log");
    // A relay may be quicker than the answer that it is to learn the trace with.
    wait::until("the syncer's line", || {
        buyers += 1;
        reserve(&format!("buyer-{buyers}"), &traced);
        said().contains(TRACE).then_some(())
    });
    world.wait_for_orders("drop", buyers + 1);
    assert!(!said().contains("not-a-trace"), "{}", said());
}
