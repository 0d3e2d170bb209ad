//! Simulations of the console, in `flash dev`; in `flash gateway` there are none.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::http::{Answer, Http};
use crate::support::program::Program;
use crate::support::wait;
use crate::support::world::World;

/// Everything without RabbitMQ, which takes seconds to start.
struct Dev {
    program: Program,
    http: std::net::SocketAddr,
}

impl Dev {
    fn start(dir: &Path) -> Self {
        let dir = dir.to_str().expect("UTF-8");
        let mut program = Program::start(&["dev", "-o", "json", "--dir", dir, "--transport", "direct"], &[]);
        let addresses = program.line();
        let http = addresses["http"].as_str().and_then(|http| http.strip_prefix("http://")).expect("an address");
        let dev = Self { program, http: http.parse().expect("host and port") };
        wait::until("a gateway that is ready", || dev.get("/readyz").filter(|answer| answer.status == 200));
        dev
    }

    fn connect(&self) -> Http {
        Http::connect(self.http).expect("the gateway takes connections")
    }

    fn get(&self, path: &str) -> Option<Answer> {
        self.connect().get(path).ok()
    }

    fn post(&self, body: &Value) -> Answer {
        self.connect().post("/v1/simulations", &body.to_string()).expect("an answer")
    }

    /// Begins one, and gives its path.
    fn begin(&self, body: &Value) -> String {
        let begun = self.post(body);
        assert_eq!(begun.status, 201, "{begun:?}");
        let path = format!("/v1/simulations/{}", begun.body["id"].as_str().expect("an id"));
        assert_eq!(begun.header("location"), Some(path.as_str()));
        path
    }

    fn show(&self, path: &str) -> Value {
        let shown = self.get(path).expect("an answer");
        assert_eq!(shown.status, 200, "{shown:?}");
        shown.body
    }

    /// Waits until it is over.
    fn over(&self, path: &str) -> Value {
        wait::until("the simulation's end", || Some(self.show(path)).filter(|shown| shown["running"] == false))
    }

    fn stop(self) {
        self.program.interrupt();
        assert!(self.program.wait().0.success(), "Ctrl-C is no failure");
    }
}

fn wanted(strategies: &[&str]) -> Value {
    // Far more wish at once than there are connections: collisions happen.
    json!({"strategies": strategies, "buyers": 200, "units": 20, "concurrency": 16, "rate": 20000, "seed": 7})
}

fn number(outcome: &Value, name: &str) -> u64 {
    outcome[name].as_u64().unwrap_or_else(|| panic!("{name}: {outcome}"))
}

fn check_counted(outcome: &Value) {
    let sum: u64 = ["sold", "again", "sold_out", "errors"].iter().map(|name| number(outcome, name)).sum();
    assert_eq!((number(outcome, "requests"), sum), (240, 240), "{outcome}");
    assert_eq!(outcome["done"], true, "{outcome}");
}

#[test]
fn the_same_buyers_meet_each_way_to_sell_and_results_are_reported() {
    let dir = tempfile::tempdir().expect("a directory");
    let dev = Dev::start(dir.path());
    let told = dev.over(&dev.begin(&wanted(&["naive", "skip-locked", "flash"])));
    let outcomes = told["outcomes"].as_array().expect("a list");
    let names: Vec<&Value> = outcomes.iter().map(|outcome| &outcome["strategy"]).collect();
    assert_eq!(names, ["naive", "skip-locked", "flash"], "{told}");
    outcomes.iter().for_each(check_counted);
    // It oversells almost always, and is always reported as it is.
    let naive = &outcomes[0];
    let is_wrong = naive["verdict"] == "wrong, as expected";
    assert!(is_wrong || naive["verdict"] == "exact, by luck", "{naive}");
    assert!(is_wrong || number(naive, "oversold") == 0, "{naive}");
    for exact in &outcomes[1..] {
        let numbers = ["sold", "oversold", "undersold"].map(|name| number(exact, name));
        assert_eq!((numbers, exact["verdict"].as_str()), ([20, 0, 0], Some("exact")), "{exact}");
    }
    for (at, strategy) in ["naive", "skip-locked", "flash"].into_iter().enumerate() {
        let of = |list: &'static str| {
            told[list].as_array().expect("a list").iter().filter(move |of| of["strategy"] == strategy)
        };
        assert!(of("moments").all(|moment| moment["available"].as_i64().is_some_and(|left| left <= 20)), "{told}");
        assert!(of("moments").next().is_some(), "{strategy}: {told}");
        let lines: Vec<&str> = of("log").filter_map(|line| line["line"].as_str()).collect();
        assert_eq!(lines.first(), Some(&"begins: 20 units, 240 requests"), "{told}");
        assert!(lines.len() < 20 && lines.contains(&"100 % have an answer"), "{lines:?}");
        let verdict = outcomes[at]["verdict"].as_str().expect("a verdict");
        assert!(lines.last().is_some_and(|line| line.starts_with(verdict)), "{lines:?}");
    }
    let document = dev.get("/openapi.json").expect("an answer").body;
    let schema = json!({"components": document["components"], "$ref": "#/components/schemas/Simulation"});
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let errors: Vec<String> = validator.iter_errors(&told).map(|error| error.to_string()).collect();
    assert_eq!(errors, Vec::<String>::new(), "{told}");
    let settings = &told["settings"];
    assert_eq!(settings, &wanted(&["naive", "skip-locked", "flash"]), "it is what was asked for");
    // What flash sold is a sale like others.
    let sales = dev.get("/v1/sales").expect("an answer").body;
    let sale = sales["sales"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|sale| sale["sale"].as_str().is_some_and(|id| id.starts_with("sim-flash-")));
    assert_eq!(sale.map(|sale| (&sale["total"], &sale["available"])), Some((&json!(20), &json!(0))), "{sales}");
    dev.stop();
}

#[test]
fn one_runs_at_a_time_and_is_stopped_soon() {
    let dir = tempfile::tempdir().expect("a directory");
    let dev = Dev::start(dir.path());
    // At this rate it takes minutes: the test does not wait for that.
    let mut slow = wanted(&["atomic-decrement", "flash"]);
    slow["rate"] = json!(1);
    let path = dev.begin(&slow);
    wait::until("the first answer", || {
        let shown = dev.show(&path);
        (number(shown["outcomes"].get(0)?, "requests") > 0).then_some(())
    });
    let shown = dev.show(&path);
    let outcome = &shown["outcomes"][0];
    assert!(shown["running"] == true && outcome["done"] == false, "{shown}");
    assert!(outcome["verdict"].is_null() && outcome["undersold"].is_null(), "nobody knows yet: {shown}");
    let busy = dev.post(&wanted(&["naive"]));
    assert_eq!((busy.status, busy.problem()), (409, "simulation-runs"), "{busy:?}");
    let id = path.rsplit('/').next().expect("an id");
    assert!(busy.body["detail"].as_str().is_some_and(|detail| detail.contains(id)), "{busy:?}");
    let stopped = dev.connect().send("DELETE", &path, &[], "").expect("an answer");
    assert_eq!(stopped.status, 204, "{stopped:?}");
    let told = dev.over(&path);
    let outcomes = told["outcomes"].as_array().expect("a list");
    assert_eq!(outcomes.len(), 1, "what had not begun does not begin: {told}");
    assert!(outcomes[0]["verdict"] == "stopped" && number(&outcomes[0], "requests") < 240, "{told}");
    // There is room for the next one.
    check_counted(&dev.over(&dev.begin(&wanted(&["lua"])))["outcomes"][0]);
    let again = dev.connect().send("DELETE", &path, &[], "").expect("an answer");
    assert_eq!(again.status, 204, "one that is over stays as it is");
    for (method, path) in [("GET", "/v1/simulations/7"), ("DELETE", "/v1/simulations/no")] {
        let unknown = dev.connect().send(method, path, &[], "").expect("an answer");
        assert_eq!((unknown.status, unknown.problem()), (404, "unknown-simulation"), "{method} {path}");
    }
    let mut luck = wanted(&["luck"]);
    let refused = dev.post(&luck);
    assert_eq!((refused.status, refused.problem()), (422, "invalid"), "{refused:?}");
    assert_eq!(refused.body["errors"][0]["pointer"], "/strategies/0", "{refused:?}");
    luck["strategies"] = json!(["flash"]);
    luck["buyers"] = json!(1_000_000);
    assert_eq!(dev.post(&luck).body["errors"][0]["pointer"], "/buyers");
    dev.stop();
}

#[test]
fn a_gateway_by_itself_simulates_nothing_and_says_nothing_of_it() {
    let world = World::start_direct("simulations_none");
    for (method, path) in [
        ("POST", "/v1/simulations"),
        ("GET", "/v1/simulations/7"),
        ("DELETE", "/v1/simulations/7"),
        ("POST", "/v1/faults/restart-redis"),
    ] {
        let headers = [("content-type", "application/json")];
        let answer = world.http().send(method, path, &headers, "{}").expect("an answer");
        assert_eq!((answer.status, answer.problem()), (404, "not-found"), "{method} {path}: {answer:?}");
    }
    let document = world.http().get("/openapi.json").expect("an answer").body;
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.contains_key("/v1/relay"), "operators are served here");
    assert!(!paths.keys().any(|path| path.contains("simulations") || path.contains("faults")), "{paths:?}");
}
