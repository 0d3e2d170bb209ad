//! PostgreSQL becomes read-only under live sessions, and takes writes again: each part says so, goes on reading where
//! it can, and recovers by itself.

use std::time::Duration;

use serde_json::json;

use crate::support::http::Answer;
use crate::support::wait;
use crate::support::world::World;

/// Within this all is well again once PostgreSQL takes writes.
const RECOVERS_WITHIN: Duration = Duration::from_secs(10);
/// Ends every other session of the database.
pub(crate) const TERMINATE: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                         WHERE datname = current_database() AND pid <> pg_backend_pid()";

fn postgres_by_readyz(world: &World) -> String {
    let answer = world.http().get("/readyz?verbose").expect("an answer");
    answer.body["checks"]["postgres"].as_str().expect("a word").to_owned()
}

fn reserve(world: &World, buyer: &str) -> Answer {
    let body = json!({"buyer": buyer}).to_string();
    wait::until("an answer", || world.http().post("/v1/sales/drop/reservations", &body).ok())
}

/// Each request that changes PostgreSQL, and the rows that it would leave.
const WRITES: [(&str, &str, &str); 5] = [
    ("/v1/sales", r#"{"sale":"other","total":3}"#, "SELECT count(*) FROM sales WHERE sale = 'other'"),
    (
        "/v1/products",
        r#"{"product":"hat","name":"A hat","price":100,"currency":"EUR"}"#,
        "SELECT count(*) FROM products",
    ),
    ("/v1/buyers", r#"{"buyer":"ada","balance":100,"currency":"EUR"}"#, "SELECT count(*) FROM buyers"),
    ("/v1/keys", r#"{"holder":"olga","role":"read"}"#, "SELECT count(*) FROM api_keys"),
    ("/v1/webhooks", r#"{"url":"https://example.com/hook"}"#, "SELECT count(*) FROM webhooks"),
];

/// How PostgreSQL becomes read-only, and takes writes again; `{database}` is the name of its database.
struct How {
    forbid: &'static str,
    allow: &'static str,
    /// Live sessions do not take it on: they are ended, and the next ones begin read-only.
    ends_sessions: bool,
}

fn check(world: World, how: &How) {
    world.create_sale(r#"{"sale":"drop","total":30}"#);
    let name = world.rows("SELECT current_database()").remove(0);
    world.sql(&how.forbid.replace("{database}", &name));
    match how.ends_sessions {
        true => world.sql(TERMINATE),
        false => world.sql("SELECT pg_reload_conf()"),
    }
    wait::until("a gateway that knows", || (postgres_by_readyz(&world) == "read-only").then_some(()));
    for (path, body, rows) in WRITES {
        // On a busy machine it may be away for a moment.
        wait::until("a refusal that says why", || {
            let answer = world.http().post(path, body).expect("an answer");
            assert!(answer.status >= 500, "{path}: {answer:?}");
            ((answer.status, answer.problem()) == (503, "postgres-read-only")).then_some(())
        });
        if how.ends_sessions {
            assert_eq!(world.rows(rows), ["0"], "{path}");
        }
    }
    for path in ["/v1/sales", "/v1/sales/drop", "/v1/keys", "/v1/webhooks", "/v1/quarantine", "/v1/audit-log"] {
        wait::until(&format!("{path} to be read"), || {
            (world.http().get(path).expect("an answer").status == 200).then_some(())
        });
    }
    let (_, findings) = world.flash(&["doctor"]);
    let found = findings.iter().find(|finding| finding["check"] == "postgres.writable").expect("a finding");
    assert!(found["level"] == "fail" && found["detail"].to_string().contains("PostgreSQL is read-only"), "{found}");
    assert_eq!(reserve(&world, "ada").status, 201, "Redis decides");
    world.sql(&how.allow.replace("{database}", &name));
    if !how.ends_sessions {
        world.sql("SELECT pg_reload_conf()");
    }
    let slowness = std::env::var("FAULT_SLOWNESS").ok().and_then(|slowness| slowness.parse().ok()).unwrap_or(1);
    let recovered = wait::within(RECOVERS_WITHIN * slowness, || {
        let is_written = world.orders("drop") == 1;
        (is_written && postgres_by_readyz(&world) == "ok").then_some(())
    });
    assert!(recovered.is_some(), "orders are written again, and it says so");
    for (path, body, _) in WRITES {
        wait::until(&format!("{path} to be written"), || {
            (world.http().post(path, body).expect("an answer").status == 201).then_some(())
        });
    }
}

#[test]
fn sessions_that_begin_read_only_are_not_kept() {
    let how = How {
        forbid: "ALTER DATABASE {database} SET default_transaction_read_only = on",
        allow: "ALTER DATABASE {database} RESET default_transaction_read_only",
        ends_sessions: true,
    };
    check(World::start(), &how);
}

#[test]
fn a_role_that_may_not_write_for_a_while_writes_again() {
    let how = How {
        forbid: "ALTER ROLE CURRENT_USER IN DATABASE {database} SET default_transaction_read_only = on",
        allow: "ALTER ROLE CURRENT_USER IN DATABASE {database} RESET default_transaction_read_only",
        ends_sessions: true,
    };
    check(World::start_direct("read_only_role"), &how);
}
