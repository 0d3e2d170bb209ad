//! Faults made on purpose in `flash dev`, while a stampede goes on: every unit is still sold once, and nothing
//! is lost.

use std::path::Path;
use std::process::Command;

use flash_tests::built;
use serde_json::Value;

use super::dev::{dev, processes_of};
use crate::support::http::Http;
use crate::support::program::Program;
use crate::support::wait;
use crate::support::world::World;

/// Some seconds of buyers, half of whom get a unit.
const STAMPEDE: &str = r#"{"strategies":["flash"],"buyers":1500,"units":750,"concurrency":16,"rate":600,"seed":7}"#;
/// After so many requests the fault is made: buyers are in the midst of it, and there are units left.
const REQUESTS_BEFORE: u64 = 200;

/// A running `flash dev`.
struct Dev {
    program: Program,
    addresses: Value,
    http: Http,
}

impl Dev {
    fn start(dir: &Path, args: &[&str]) -> Self {
        let mut program = dev(dir, args);
        let addresses = program.line();
        let address = addresses["http"].as_str().and_then(|http| http.strip_prefix("http://")).expect("an address");
        let http = Http::connect(address.parse().expect("host and port")).expect("the gateway takes connections");
        Self { program, addresses, http }
    }

    /// Begins a stampede, and gives its path.
    fn simulate(&mut self, stampede: &str) -> String {
        let begun = self.http.post("/v1/simulations", stampede).expect("an answer");
        assert_eq!(begun.status, 201, "{begun:?}");
        format!("/v1/simulations/{}", begun.id().expect("an id"))
    }

    /// What the simulation is when it is so.
    fn wait_until(&mut self, path: &str, is_so: impl Fn(&Value) -> bool) -> Value {
        wait::until("the simulation", || {
            let seen = self.http.get(path).expect("an answer").body;
            is_so(&seen).then_some(seen)
        })
    }

    fn make(&mut self, fault: &str) -> u16 {
        self.http.post(&format!("/v1/faults/{fault}"), "").expect("an answer").status
    }

    /// Whether `flash audit` finds everything whole.
    fn is_whole(&self) -> bool {
        let mut audit = Command::new(built("flash"));
        for (variable, name) in [("FLASH_REDIS_URL", "redis"), ("FLASH_POSTGRES_URL", "postgres")] {
            audit.env(variable, self.addresses[name].as_str().expect("a URL"));
        }
        audit.args(["audit", "-o", "json"]).output().expect("flash starts").status.success()
    }

    /// Buyers come, these faults are made one after the other, and every unit is sold once. How often buyers asked
    /// again.
    fn check(&mut self, faults: &[&str]) -> u64 {
        let path = self.simulate(STAMPEDE);
        let requests = |seen: &Value| seen["outcomes"][0]["requests"].as_u64().unwrap_or(0);
        self.wait_until(&path, |seen| requests(seen) >= REQUESTS_BEFORE);
        for fault in faults {
            assert_eq!(self.make(fault), 200, "{fault}");
        }
        let seen = self.wait_until(&path, |seen| seen["running"] == false);
        let outcome = &seen["outcomes"][0];
        assert_eq!(outcome["verdict"], "exact", "{faults:?}: {outcome}");
        for (name, want) in [("sold", 750), ("oversold", 0), ("undersold", 0), ("errors", 0)] {
            assert_eq!(outcome[name], want, "{faults:?}: {name}: {outcome}");
        }
        wait::until("an audit that finds everything whole", || self.is_whole().then_some(()));
        outcome["retries"].as_u64().expect("a number")
    }

    fn stop(self, dir: &Path) {
        self.program.interrupt();
        assert!(self.program.wait().0.success(), "Ctrl-C is no failure");
        assert_eq!(processes_of(dir), Vec::<String>::new());
    }
}

#[test]
fn whatever_fault_is_made_every_unit_is_sold_once() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut dev = Dev::start(dir.path(), &[]);
    for idle in ["kill-gateway", "drop-answers", "send-duplicates"] {
        assert_eq!(dev.make(idle), 409, "{idle}: no simulation runs");
    }
    assert_eq!(dev.make("earthquake"), 404);
    assert!(dev.check(&["kill-gateway"]) > 0, "buyers met a gateway that was gone");
    assert!(dev.check(&["restart-redis"]) > 0, "buyers met a Redis that was gone");
    assert!(dev.check(&["drop-answers"]) > 0, "buyers did not hear their answers");
    dev.check(&["send-duplicates"]);
    dev.check(&["pause-rabbitmq"]);
    assert_eq!(dev.make("pause-rabbitmq"), 200);
    assert_eq!(dev.make("pause-rabbitmq"), 503, "it is paused already");
    dev.check(&["drop-answers", "restart-redis", "send-duplicates", "kill-gateway"]);
    // Also in the midst of a pause it stops in order.
    wait::until("the pause to be over", || (dev.make("pause-rabbitmq") == 200).then_some(()));
    dev.stop(dir.path());
}

/// Without another connection, and the scripts once more, no buyer would get anything after the fault.
#[test]
fn ways_to_sell_that_are_none_of_flash_s_go_on_when_redis_has_been_restarted() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut dev = Dev::start(dir.path(), &["--transport", "direct"]);
    for way in ["redis-lock", "redis-decr", "lua"] {
        let path = dev.simulate(&STAMPEDE.replace("flash", way).replace("750", "1500"));
        let number = |seen: &Value, name: &str| seen["outcomes"][0][name].as_u64().unwrap_or(0);
        dev.wait_until(&path, |seen| number(seen, "requests") >= REQUESTS_BEFORE);
        assert_eq!(dev.make("restart-redis"), 200, "{way}");
        let seen = dev.wait_until(&path, |seen| seen["running"] == false);
        assert!(number(&seen, "sold") > 1_000 && number(&seen, "errors") > 0, "{way}: {}", seen["outcomes"]);
    }
    dev.stop(dir.path());
}

#[test]
fn without_rabbitmq_a_gateway_that_is_killed_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut dev = Dev::start(dir.path(), &["--transport", "direct"]);
    assert_eq!(dev.make("pause-rabbitmq"), 404);
    let path = dev.simulate(&STAMPEDE.replace("flash", "naive"));
    dev.wait_until(&path, |seen| seen["running"] == false);
    assert_eq!(dev.make("kill-gateway"), 409, "nobody needs it");
    dev.check(&["kill-gateway", "restart-redis"]);
    dev.stop(dir.path());
}

#[test]
fn a_killed_flash_dev_leaves_no_paused_process() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut dev = Dev::start(dir.path(), &[]);
    let path = dev.simulate(STAMPEDE);
    assert_eq!(dev.make("pause-rabbitmq"), 200);
    dev.wait_until(&path, |seen| seen["outcomes"][0]["requests"].as_u64() > Some(0));
    dev.program.kill();
    wait::until("the last of its processes", || processes_of(dir.path()).is_empty().then_some(()));
}

#[test]
fn a_gateway_by_itself_makes_no_faults() {
    let world = World::start();
    let answer = world.http().post("/v1/faults/kill-gateway", "").expect("an answer");
    assert_eq!(answer.status, 404);
}
