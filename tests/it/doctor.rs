//! `flash doctor`: each finding that can be provoked is.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::program::Program;
use crate::support::redis::run;
use crate::support::wait;
use crate::support::world::{World, free_address};

/// What is found, by the check's name.
type Findings = BTreeMap<String, Value>;

fn examine(environment: &[(&str, String)], args: &[&str]) -> (i32, Findings) {
    let listen = free_address().to_string();
    let args = [&["-o", "json", "doctor", "--listen", &listen], args].concat();
    let (status, printed) = Program::start(&args, environment).wait();
    let finding = |line: &str| {
        let finding: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        (finding["check"].as_str().expect("a name").to_owned(), finding)
    };
    (status.code().expect("it ended by itself"), printed.lines().map(finding).collect())
}

/// Checks one finding: how bad it is, and that it says this. Whatever is not well says what to do.
fn check(findings: &Findings, name: &str, level: &str, says: &str) {
    let finding = findings.get(name).unwrap_or_else(|| panic!("{name} is none of {findings:?}"));
    assert_eq!(finding["level"], level, "{finding}");
    assert!(finding["detail"].as_str().is_some_and(|detail| detail.contains(says)), "{says:?} in {finding}");
    assert_eq!(finding["advice"].is_string(), level != "ok", "{finding}");
}

/// The findings that are not as they should be.
fn troubles(findings: &Findings) -> Vec<&str> {
    findings.iter().filter(|(_, finding)| finding["level"] != "ok").map(|(name, _)| name.as_str()).collect()
}

/// What depends on the machine that runs the tests, or is found in each of them: they authenticate no caller, and their
/// gateways own PostgreSQL's tables.
const OF_THE_TESTS: [&str; 3] = ["machine.identity", "machine.open-files", "postgres.audit-log"];

#[test]
fn where_all_is_well_nothing_is_found_and_nothing_is_changed() {
    let world = World::start();
    world.create_sale(r#"{"sale":"drop","total":3}"#);
    world.wait_for_empty_journal("drop");
    let connection = &mut world.redis.connect();
    let digest: String = run(connection, "DEBUG DIGEST");
    let (code, findings) = examine(&world.environment(), &[]);
    let left: Vec<&str> = troubles(&findings).into_iter().filter(|name| !OF_THE_TESTS.contains(name)).collect();
    assert!(left.is_empty() && code == 0, "{left:?} of {findings:?}");
    assert_eq!(run::<String>(connection, "DEBUG DIGEST"), digest);
    check(&findings, "redis.module", "ok", env!("CARGO_PKG_VERSION"));
    check(&findings, "sales.in-redis", "ok", "(1)");
    check(&findings, "rabbitmq.syncers", "ok", "connected: 1;");
    check(&findings, "machine.identity", "warn", "auth none");
}

#[test]
fn what_redis_would_lose_is_found() {
    let world = World::start();
    let connection = &mut world.redis.connect();
    for setting in ["maxmemory-policy allkeys-lru", "appendfsync no", "flash.fence-on-load no"] {
        let _: redis::Value = run(connection, &format!("CONFIG SET {setting}"));
    }
    let (code, findings) = examine(&world.environment(), &["--durability", "fsync"]);
    assert_eq!(code, 1);
    check(&findings, "redis.eviction", "fail", "allkeys-lru");
    check(&findings, "redis.append-only-file", "warn", "appendfsync is no");
    check(&findings, "redis.durability", "fail", "fsync");
    check(&findings, "redis.fence-on-load", "warn", "off");
    let _: redis::Value = run(connection, "CONFIG SET appendonly no");
    // As if there were much to write: a second for each key.
    let _: redis::Value = run(connection, "CONFIG SET appendfsync always rdb-key-save-delay 1000000");
    world.create_sale(r#"{"sale":"drop","total":3}"#);
    let _: redis::Value = run(connection, "CONFIG SET appendonly yes");
    let (_, findings) = examine(&world.environment(), &[]);
    check(&findings, "redis.append-only-file", "fail", "incomplete");
    let _: redis::Value = run(connection, "CONFIG SET rdb-key-save-delay 0");
    wait::until("a complete file", || {
        let (_, findings) = examine(&world.environment(), &[]);
        (findings["redis.append-only-file"]["level"] == "ok").then_some(())
    });
    // The file of before is not read any more, and the next one is not written yet.
    let _: redis::Value = run(connection, "CONFIG SET rdb-key-save-delay 1000000 appendonly no");
    let _: redis::Value = run(connection, "CONFIG SET appendonly yes");
    let (_, findings) = examine(&world.environment(), &[]);
    check(&findings, "redis.append-only-file", "fail", "incomplete");
    let _: redis::Value = run(connection, "CONFIG SET rdb-key-save-delay 0 appendonly no");
    let (_, findings) = examine(&world.environment(), &[]);
    check(&findings, "redis.append-only-file", "fail", "appendonly is no");
    check(&findings, "redis.durability", "ok", "memory");
}

#[test]
fn a_user_without_rights_sees_what_is_missing() {
    let world = World::start();
    let rights = "ACL SETUSER short on >hush ~flash:* +@all -flash.reserve -flash.ack -config|get";
    let _: redis::Value = run(&mut world.redis.connect(), rights);
    let mut environment = world.environment();
    environment[0].1 = environment[0].1.replace("redis://", "redis://short:hush@");
    let (code, findings) = examine(&environment, &[]);
    assert_eq!(code, 1);
    check(&findings, "redis.commands", "fail", "FLASH.RESERVE, FLASH.ACK, CONFIG|GET");
    check(&findings, "redis.eviction", "warn", "cannot tell");
    assert!(!format!("{findings:?}").contains("hush"), "{findings:?}");
}

#[test]
fn a_redis_without_the_module_is_found() {
    let dir = tempfile::tempdir().expect("a directory");
    let options = flash_servers::RedisOptions::new(dir.path());
    let redis = flash_servers::Redis::start(&options, flash_servers::silent).expect("Redis starts");
    let world = World::start();
    let mut environment = world.environment();
    environment[0].1 = redis.url();
    let (code, findings) = examine(&environment, &[]);
    assert_eq!(code, 1);
    check(&findings, "redis.module", "fail", "not loaded");
}

#[test]
fn servers_that_are_away_are_one_finding_each_and_no_password_is_shown() {
    let nowhere = free_address();
    let environment = [
        ("FLASH_REDIS_URL", format!("redis://ada:hush@{nowhere}")),
        ("FLASH_AMQP_URL", format!("amqp://ada:hush@{nowhere}/drop")),
        ("FLASH_POSTGRES_URL", format!("postgres://ada:hush@{nowhere}/drop")),
        ("FLASH_AUTH", "api-key".to_owned()),
        ("FLASH_ID_SECRET", "hush, the same for all gateways of a Redis".to_owned()),
    ];
    let (code, findings) = examine(&environment, &[]);
    assert_eq!(code, 1);
    for area in ["redis", "rabbitmq", "postgres"] {
        check(&findings, &format!("{area}.reachable"), "fail", "");
        assert_eq!(findings.keys().filter(|name| name.starts_with(area)).count(), 1, "{findings:?}");
    }
    assert!(!findings.keys().any(|name| name.starts_with("sales")), "{findings:?}");
    check(&findings, "machine.identity", "ok", "");
    assert!(!format!("{findings:?}").contains("hush"), "{findings:?}");
    let (_, findings) = examine(&environment[..1], &[]);
    check(&findings, "postgres.reachable", "fail", "FLASH_POSTGRES_URL (or FLASH_POSTGRES_URL_FILE) is not set");
    check(&findings, "machine.identity", "fail", "--auth");
}

#[test]
fn a_queue_with_other_arguments_and_one_without_a_syncer_are_found() {
    let world = World::start_without_syncer();
    crate::metrics::wait_for(world.address, "flash_transport_up", |up| up == 1.0);
    let (code, findings) = examine(&world.environment(), &[]);
    check(&findings, "rabbitmq.topology", "ok", "quorum");
    check(&findings, "rabbitmq.syncers", "warn", "no syncer");
    assert_eq!(code, 0, "{findings:?}");
    world.delete_queue();
    let (_, findings) = examine(&world.environment(), &[]);
    check(&findings, "rabbitmq.topology", "warn", "flash.events");
    world.declare_other_queue();
    let (code, findings) = examine(&world.environment(), &[]);
    check(&findings, "rabbitmq.topology", "fail", "flash.events exists with other settings");
    assert_eq!(code, 1);
}

#[test]
fn a_database_that_is_not_migrated_or_closed_or_careless_is_found() {
    let world = World::start();
    world.sql("DELETE FROM refinery_schema_history WHERE version = 2");
    world.sql("UPDATE refinery_schema_history SET checksum = '7' WHERE version = 1");
    let (code, findings) = examine(&world.environment(), &[]);
    check(&findings, "postgres.migrations", "fail", "unknown to this program: V1__vault");
    assert_eq!(code, 1);
    world.sql("DROP TABLE refinery_schema_history");
    let (_, findings) = examine(&world.environment(), &[]);
    check(&findings, "postgres.migrations", "fail", "not applied: V1__vault");
    let name = world.rows("SELECT current_database()").remove(0);
    world.sql(&format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    world.sql(&format!("CREATE ROLE short_{name} LOGIN PASSWORD 'hush'"));
    let (_, findings) = examine(&world.environment(), &[]);
    check(&findings, "postgres.synchronous-commit", "warn", "off (database)");
    world.sql(&format!("ALTER DATABASE {name} RESET synchronous_commit"));
    world.sql(&format!("ALTER ROLE CURRENT_USER IN DATABASE {name} SET synchronous_commit = off"));
    let (_, findings) = examine(&world.environment(), &[]);
    check(&findings, "postgres.synchronous-commit", "warn", "off (role in this database)");
    check(&findings, "postgres.pooler", "ok", "keeps its session");
    let mut environment = world.environment();
    let (scheme, rest) = environment[2].1.split_once("://").expect("a URL");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    environment[2].1 = format!("{scheme}://short_{name}:hush@{host}");
    let (_, findings) = examine(&environment, &[]);
    check(&findings, "postgres.rights", "fail", "orders");
}

#[test]
fn sales_of_one_server_only_are_counted_and_long_waits_reported() {
    let world = World::start_without_syncer();
    world.create_sale(r#"{"sale":"drop","total":3}"#);
    let connection = &mut world.redis.connect();
    let _: redis::Value = run(connection, "FLASH.WARM flash:stranger 5 JOURNAL 100");
    let (_, findings) = examine(&world.environment(), &[]);
    check(&findings, "sales.in-postgres", "warn", "PostgreSQL lacks 1");
    let oldest = &findings["redis.oldest-event"]["detail"];
    assert!(oldest.as_str().is_some_and(|told| told.ends_with("s old")), "{oldest}");
    let mut world = world;
    world.kill_gateway();
    let _: redis::Value = run(connection, "DEL flash:drop");
    let (_, findings) = examine(&world.environment(), &[]);
    check(&findings, "sales.in-redis", "warn", "lacks 1 of the 1");
}

#[test]
fn an_address_in_use_is_reported() {
    let world = World::start_direct("doctor_listen");
    let taken = world.address.to_string();
    let (code, findings) = examine(&world.environment(), &["--operator-listen", &taken]);
    check(&findings, "machine.operator-listen", "warn", &taken);
    check(&findings, "machine.listen", "ok", "free");
    assert!(!findings.keys().any(|name| name.starts_with("rabbitmq")), "{findings:?}");
    assert_eq!(code, 0, "{findings:?}");
}

/// What a gateway tells operators: all of it, and its findings by their checks.
fn health(world: &World) -> (Value, Findings) {
    let told = wait::until("an examination", || {
        let answer = world.http().get("/v1/health").expect("an answer");
        (answer.status == 200).then_some(answer.body)
    });
    let findings = told["findings"].as_array().expect("findings").iter();
    let findings = findings.map(|finding| (finding["check"].as_str().expect("a check").to_owned(), finding.clone()));
    let findings = findings.collect();
    (told, findings)
}

#[test]
fn health_lists_versions_and_findings_of_a_running_gateway() {
    let world = World::start();
    let (_, mut of_program) = examine(&world.environment(), &[]);
    of_program
        .retain(|check, _| !["machine.identity", "machine.listen", "machine.operator-listen"].contains(&&**check));
    let (told, findings) = health(&world);
    assert!(findings.keys().eq(of_program.keys()), "{findings:?} {of_program:?}");
    assert!(findings.values().all(|finding| finding["level"] != "fail"), "{findings:?}");
    let versions: Vec<_> = told["versions"].as_array().expect("versions").iter().map(|of| &of["name"]).collect();
    assert_eq!(versions, ["gateway", "module", "redis", "postgres"], "{told}");
    assert_eq!((&told["faults"], told["at_ms"].is_u64()), (&json!([]), true), "{told}");
}

#[test]
fn a_gateway_whose_redis_is_away_says_so() {
    let mut world = World::start_direct("health_away");
    world.redis.redis.server.kill().expect("ours to kill");
    let (told, findings) = health(&world);
    check(&findings, "redis.reachable", "fail", "");
    check(&findings, "postgres.migrations", "ok", "");
    assert!(!told.to_string().contains("redis.module"), "{told}");
}
