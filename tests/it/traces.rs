//! A trace goes with what is asked for from the request to PostgreSQL, and with what is answered instead to the buyer.

use std::fs;

use crate::support::program::Program;
use crate::support::wait;
use crate::support::world::World;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CONFIRMED: &str = "4bf92f3577b34da6a3ce929d0e0e4737";
const RELEASED: &str = "4bf92f3577b34da6a3ce929d0e0e4738";

fn traceparent(trace: &str) -> String {
    format!("00-{trace}-00f067aa0ba902b7-01")
}

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
    let (traced, mut buyers) = (traceparent(TRACE), 0);
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

#[test]
fn the_syncer_names_the_traces_of_what_ends_a_hold() {
    let world = World::start_without_syncer();
    world.create_sale(r#"{"sale":"drop","total":1000000,"hold_ms":600000}"#);
    let dir = tempfile::tempdir().expect("a directory");
    let log = dir.path().join("log");
    let args = ["syncer", "--log", "flash_syncer=info", "--log-format", "json"];
    let _syncer = Program::start_logging(&args, &world.environment(), &log);
    let mut buyers = 0;
    for (trace, method, end) in [(CONFIRMED, "POST", "/confirm"), (RELEASED, "DELETE", "")] {
        let traced = traceparent(trace);
        // A relay may be quicker than the answer that it is to learn the trace with.
        wait::until("the syncer's line", || {
            buyers += 1;
            let made = world.http().post("/v1/sales/drop/reservations", &format!(r#"{{"buyer":"buyer-{buyers}"}}"#));
            let path = format!("{}{end}", made.expect("an answer").header("location").expect("a place"));
            let ended = world.http().send(method, &path, &[("traceparent", &traced)], "").expect("an answer");
            assert_eq!(ended.status, 200, "{ended:?}");
            fs::read_to_string(&log).expect("a log").contains(trace).then_some(())
        });
    }
}

#[test]
fn a_problem_says_the_trace_of_its_request() {
    let world = World::start_direct("traces_problems");
    world.create_sale(r#"{"sale":"drop","total":1}"#);
    let send = |method: &str, path: &str, trace: &str, body: &str| {
        let headers = [("content-type", "application/json"), ("traceparent", trace)];
        world.http().send(method, path, &headers, body).expect("an answer")
    };
    let traced = traceparent(TRACE);
    let reserve = |buyer: &str, trace: &str| {
        send("POST", "/v1/sales/drop/reservations", trace, &format!(r#"{{"buyer":"{buyer}"}}"#))
    };
    let made = reserve("ada", &traced);
    assert!(made.status == 201 && made.body["trace_id"].is_null(), "{made:?}");
    for _ in 0..3 {
        let sold_out = reserve("bob", &traced);
        assert_eq!((sold_out.problem(), &sold_out.body["trace_id"]), ("sold-out", &TRACE.into()), "{sold_out:?}");
        let sold_out = reserve("bob", "00-not-a-trace");
        assert!(sold_out.problem() == "sold-out" && sold_out.body["trace_id"].is_null(), "{sold_out:?}");
    }
    for (method, path, problem) in [
        ("GET", "/nowhere", "not-found"),
        ("PUT", "/v1/sales/drop", "method-not-allowed"),
        ("GET", "/v1/sales/none", "unknown-sale"),
        ("POST", "/v1/sales", "malformed"),
    ] {
        let answer = send(method, path, &traced, "[]");
        assert_eq!((answer.problem(), &answer.body["trace_id"]), (problem, &TRACE.into()), "{answer:?}");
    }
}
