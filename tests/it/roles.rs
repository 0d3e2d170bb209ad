//! Gateway and syncer as roles of their own, with no more rights than they need.

use serde_json::json;

use crate::support::wait;
use crate::support::world::World;

/// Everything runs, each by its own role.
fn world() -> World {
    let mut world = World::start_without_syncer();
    world.kill_gateway();
    let owner = world.postgres.clone();
    let name = world.rows("SELECT current_database()").remove(0);
    for role in ["gateway", "syncer"] {
        world.sql(&format!("CREATE ROLE {role}_{name} LOGIN PASSWORD 'hush'"));
    }
    let (gateway, syncer) = (format!("gateway_{name}"), format!("syncer_{name}"));
    let (status, _) = world.run(&["migrate", "--gateway-role", &gateway, "--syncer-role", &syncer]);
    assert!(status.success());
    let (scheme, rest) = owner.split_once("://").expect("a URL");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    world.postgres = format!("{scheme}://{syncer}:hush@{host}");
    world.start_syncer();
    world.postgres = format!("{scheme}://{gateway}:hush@{host}");
    world.start_gateway();
    world
}

#[test]
fn everything_works_and_the_log_cannot_be_rewritten() {
    let world = world();
    let post = |path: &str, body: serde_json::Value| {
        let answer = world.http().post(path, &body.to_string()).expect("an answer");
        assert!((200..300).contains(&answer.status), "{path}: {answer:?}");
        answer.body
    };
    post("/v1/webhooks", json!({"url": "https://receiver.example/hush"}));
    post("/v1/products", json!({"product": "hat", "name": "A hat", "price": 100, "currency": "EUR"}));
    post("/v1/buyers", json!({"buyer": "ada", "balance": 500, "currency": "EUR"}));
    post("/v1/keys", json!({"holder": "olga", "role": "read"}));
    post("/v1/sales", json!({"sale": "drop", "total": 5, "hold_ms": 60_000}));
    for buyer in ["ada", "bob", "eve"] {
        let reservation = post("/v1/sales/drop/reservations", json!({"buyer": buyer}));
        let path = format!("/v1/sales/drop/reservations/{}", reservation["id"].as_str().expect("an id"));
        match buyer {
            "ada" => {
                let answer = world.http().post(&format!("{path}/confirm"), "").expect("an answer");
                assert_eq!(answer.status, 200, "{answer:?}");
            }
            "bob" => {
                let answer = world.http().send("DELETE", &path, &[], "").expect("an answer");
                assert!(answer.status < 300, "{answer:?}");
            }
            _ => {}
        }
    }
    post("/v1/sales/drop/restock", json!({"delta": 2}));
    world.wait_for_empty_journal("drop");
    // A recovery: it seals, begins an epoch and rebuilds.
    let _: redis::Value = crate::support::redis::run(&mut world.redis.connect(), "DEL flash:drop");
    wait::until("a recovery", || (world.rows("SELECT count(*) FROM epochs") == ["2"]).then_some(()));
    wait::until("an audit that is whole", || (world.flash(&["audit", "drop"]).0 == 0).then_some(()));
    let (code, log) = world.flash(&["audit", "log", "--verify"]);
    assert_eq!((code, &log[0]["verdict"]), (0, &json!("whole")), "{log:?}");
    let (_, rows) = world.flash(&["audit", "log"]);
    assert!(!format!("{rows:?}").contains("hush"), "{rows:?}");
    let (_, findings) = world.flash(&["doctor"]);
    let level = |name: &str| findings.iter().find(|of| of["check"] == name).map(|of| of["level"].clone());
    assert_eq!((level("postgres.rights"), level("postgres.audit-log")), (Some(json!("ok")), Some(json!("ok"))));
    world.sql("SET session_replication_role = replica; UPDATE audit_log SET who = 'eve' WHERE place = 2");
    let (code, log) = world.flash(&["audit", "log", "--verify"]);
    assert_eq!((code, &log[0]["verdict"]), (1, &json!("broken")), "{log:?}");
}
