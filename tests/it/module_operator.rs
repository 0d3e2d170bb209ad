//! What an operator of a Redis sees of the module: documentation, access lists, INFO, settings, events, warnings.

use std::collections::HashMap;
use std::fs;

use redis::{Connection, Value};

use crate::support::redis::{Server, flat, run, try_run, try_run_args};
use crate::support::wait;

/// Every command that clients may send, with arguments that it takes, and whether they begin with a key.
const COMMANDS: [(&str, bool); 17] = [
    ("FLASH.WARM drop 9 HOLD 60000 JOURNAL 100", true),
    ("FLASH.RESERVE drop ada QTY 1", true),
    ("FLASH.CONFIRM drop 2", true),
    ("FLASH.RELEASE drop 2", true),
    ("FLASH.STATUS drop", true),
    ("FLASH.RESTOCK drop 1", true),
    ("FLASH.CLOSE drop", true),
    ("FLASH.OPEN drop", true),
    ("FLASH.REAP drop", true),
    ("FLASH.READY", false),
    ("FLASH.PULL drop relay LEASE 100", true),
    ("FLASH.ACK drop 1 1", true),
    ("FLASH.ACTIVE drop", true),
    ("FLASH.FENCE drop", true),
    ("FLASH.UNFENCE drop 1 1", true),
    ("FLASH.REBUILD drop 1 {}", true),
    ("FLASH.THROTTLE drop STRICT 5 1000", true),
];

fn name(command: &str) -> &str {
    command.split(' ').next().unwrap_or_default()
}

#[test]
fn command_docs_and_getkeys_know_every_command() {
    let server = Server::start();
    let redis = &mut server.connect();
    for (command, has_key) in COMMANDS {
        let docs: Value = run(redis, &format!("COMMAND DOCS {}", name(command)));
        let docs = flat(&docs);
        for part in ["summary", "since", "complexity", "arguments", "module flash"] {
            assert!(docs.contains(part), "{command}: no {part} in {docs}");
        }
        assert_eq!(docs.contains("key_spec_index 0"), has_key, "{command}: {docs}");
        if has_key {
            let keys: Vec<String> = run(redis, &format!("COMMAND GETKEYS {command}"));
            assert_eq!(keys, ["drop"], "{command}");
        }
    }
}

#[test]
fn command_info_says_how_many_arguments_and_what_is_done_with_the_key() {
    let server = Server::start();
    let redis = &mut server.connect();
    let mut check = |command: &str, arity: i64, key: &str| {
        let info: Vec<Value> = run(redis, &format!("COMMAND INFO {command}"));
        let Value::Array(fields) = &info[0] else { panic!("{command}: {info:?}") };
        assert_eq!(fields[1], Value::Int(arity), "{command}");
        assert!(flat(&fields[8]).contains(key), "{command}: {fields:?}");
    };
    check("FLASH.WARM", -3, "RW");
    check("FLASH.RESERVE", -3, "RW");
    check("FLASH.CONFIRM", 3, "RW");
    check("FLASH.STATUS", -2, "RO");
    check("FLASH.RESTOCK", -3, "RW");
    check("FLASH.CLOSE", 2, "RW");
    check("FLASH.READY", -1, "[]");
    check("FLASH.PULL", -5, "RO");
    check("FLASH.ACK", 4, "RW");
    check("FLASH.REBUILD", -4, "RW");
    check("FLASH.FENCE", -2, "RW");
    check("FLASH.UNFENCE", -4, "RW");
    check("FLASH.ACTIVE", -2, "RO");
    check("FLASH.THROTTLE", -5, "RW");
}

/// The line that the manual gives.
fn least_privilege() -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/how-to/own-redis.md");
    let page = fs::read_to_string(page).expect("the page");
    let from = page.find("`ACL SETUSER").expect("the page has the line") + 1;
    let line = page[from..].split('`').next().expect("it ends");
    line.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_access_list_of_the_manual_lets_a_gateway_do_its_work_and_nothing_else() {
    let server = Server::start();
    let redis = &mut server.connect();
    let _: Value = run(redis, &least_privilege());
    let user = &mut server.connect();
    let _: Value = run(user, "AUTH gateway secret");
    for (command, _) in COMMANDS {
        let command = command.replace(" drop", " flash:drop");
        let error = try_run::<Value>(user, &command).err().unwrap_or_default();
        assert!(!error.starts_with("NOPERM"), "{command}: {error}");
    }
    for forbidden in [
        "FLASH.STATUS other",
        "FLASH.APPLY flash:drop x",
        "FLASH.CLOCK flash:drop 1",
        "FLASH.LOAD flash:drop x",
        "GET flash:drop",
        "CONFIG SET maxmemory 1",
        "FLUSHALL",
    ] {
        let error = try_run::<Value>(user, forbidden).expect_err("forbidden");
        assert!(error.starts_with("NOPERM"), "{forbidden}: {error}");
    }
}

#[test]
fn the_category_flash_holds_every_command_where_the_server_knows_it() {
    let server = Server::start();
    let redis = &mut server.connect();
    let categories: Vec<String> = run(redis, "ACL CAT");
    if !categories.contains(&"flash".to_owned()) {
        let server: String = run(redis, "INFO server");
        assert!(server.contains("redis_version:7.0.") || server.contains("redis_version:7.2."), "{server}");
        return;
    }
    for (category, command, is_in) in [
        ("flash", "flash.reserve", true),
        ("flash", "flash.status", true),
        ("write", "flash.reserve", true),
        ("write", "flash.status", false),
        ("read", "flash.status", true),
        ("fast", "flash.reserve", true),
        ("slow", "flash.pull", true),
    ] {
        // Not `ACL CAT category`: Valkey 8.0 leaves commands of modules out of its answer.
        let info: Value = run(redis, &format!("COMMAND INFO {command}"));
        assert_eq!(flat(&info).contains(&format!("@{category}")), is_in, "{command} in @{category}");
    }
}

/// `INFO flash` as fields.
fn info(redis: &mut Connection) -> HashMap<String, String> {
    let text: String = run(redis, "INFO flash");
    let field = |line: &str| line.strip_prefix("flash_")?.split_once(':').map(|(a, b)| (a.to_owned(), b.to_owned()));
    text.lines().filter_map(field).collect()
}

#[test]
fn info_counts_what_happened_and_shows_what_there_is() {
    let server = Server::start();
    let redis = &mut server.connect();
    for command in [
        "FLASH.WARM drop 2 HOLD 60000 JOURNAL 100",
        "FLASH.WARM other 2",
        "FLASH.RESERVE drop ada",
        "FLASH.RESERVE drop ada",
        "FLASH.RESERVE drop bob",
        "FLASH.RESERVE drop eve",
        "FLASH.CONFIRM drop 2",
        "FLASH.RELEASE drop 3",
        "FLASH.RESTOCK drop 1",
        "FLASH.ACK drop 1 2",
        "FLASH.RESERVE nothing ada",
    ] {
        let _: Value = run(redis, command);
    }
    try_run::<Value>(redis, "FLASH.RESERVE drop ada QTY x").expect_err("bad input");
    let fields = info(redis);
    for (field, want) in [
        ("sales", "2"),
        ("journal_events", "4"),
        ("warmed", "2"),
        ("reserved", "2"),
        ("confirmed", "1"),
        ("released", "1"),
        ("expired", "0"),
        ("restocked", "1"),
        ("faults", "1"),
        ("panics", "0"),
        ("evicting_policy", "0"),
    ] {
        assert_eq!(fields[field], want, "{field}: {fields:?}");
    }
    assert!(fields["refused"].starts_with("replayed=1,sold_out=1,"), "{fields:?}");
    assert!(fields["refused"].contains("not_warmed=1"), "{fields:?}");
    let usage: i64 = run(redis, "MEMORY USAGE drop");
    let shown: i64 = fields["memory_bytes"].parse().expect("a number");
    assert!(shown > usage, "{shown} are both sales, {usage} is one");
    let _: Value = run(redis, "FLASH.ACK drop 1 6");
    let _: Value = run(redis, "DEL other");
    let fields = info(redis);
    let seen = ["sales", "journal_events", "journal_oldest_age_ms"].map(|field| fields[field].as_str());
    assert_eq!(seen, ["1", "0", "0"]);
}

#[test]
fn info_shows_how_long_the_oldest_event_has_waited() {
    let server = Server::start();
    let redis = &mut server.connect();
    let _: Value = run(redis, "FLASH.WARM drop 9 JOURNAL 100");
    let mut age_ms = || info(redis)["journal_oldest_age_ms"].parse::<u64>().expect("a number");
    wait::until("some age", || (age_ms() > 20).then_some(()));
    let _: Value = run(redis, "FLASH.RESERVE drop ada");
    let before: u64 = info(redis)["journal_oldest_age_ms"].parse().expect("a number");
    let _: Value = run(redis, "FLASH.ACK drop 1 1");
    let after: u64 = info(redis)["journal_oldest_age_ms"].parse().expect("a number");
    assert!(after < before, "{after} is the younger event's, {before} the older one's");
}

#[test]
fn settings_bound_what_clients_may_create() {
    let server = Server::start();
    let redis = &mut server.connect();
    let settings: HashMap<String, String> = run(redis, "CONFIG GET flash.*");
    assert_eq!(settings["flash.total-units-max"], "1000000000");
    assert_eq!(settings["flash.journal-events-max"], "1000000000");
    for bad in ["flash.total-units-max 0", "flash.journal-events-max 1000000001", "flash.total-units-max many"] {
        try_run::<Value>(redis, &format!("CONFIG SET {bad}")).expect_err(bad);
    }
    let _: Value = run(redis, "FLASH.WARM large 5000");
    let _: Value = run(redis, "CONFIG SET flash.total-units-max 1000");
    let _: Value = run(redis, "CONFIG SET flash.journal-events-max 50");
    let mut refused = |command: &str| try_run::<Value>(redis, command).expect_err(command);
    assert_eq!(refused("FLASH.WARM drop 1001"), "INVALID total must be 1 to 1000");
    assert_eq!(refused("FLASH.WARM drop 10 JOURNAL 51"), "INVALID journal must be 1 to 50");
    assert_eq!(refused("FLASH.RESTOCK large 1"), "INVALID total must be 0 to 1000");
    let shrunk: Value = run(redis, "FLASH.RESTOCK large -1");
    assert_eq!(flat(&shrunk), "[RESTOCKED 4999 4999]", "what is there already may shrink");
    let _: Value = run(redis, "FLASH.WARM drop 1000 JOURNAL 50");
}

#[test]
fn keyspace_events_report_what_happened() {
    let server = Server::start();
    let redis = &mut server.connect();
    let mut listener = server.connect();
    let _: Value = run(redis, "FLASH.WARM silent 1");
    let _: Value = run(redis, "CONFIG SET notify-keyspace-events Kd");
    let mut events = listener.as_pubsub();
    events.psubscribe("__keyspace@0__:*").expect("a subscription");
    for command in [
        "FLASH.WARM drop 1 HOLD 60000",
        "FLASH.RESERVE drop ada",
        "FLASH.RESERVE drop bob",
        "FLASH.RELEASE drop 2",
        "FLASH.CLOSE drop",
        "FLASH.OPEN drop",
        "FLASH.RESTOCK drop 1",
        "FLASH.RESERVE drop ada",
        "FLASH.CONFIRM drop 7",
    ] {
        let _: Value = run(redis, command);
    }
    for want in ["warmed", "reserved", "sold_out", "released", "closed", "opened", "restocked", "reserved", "confirmed"]
    {
        let message = events.get_message().expect("an event");
        let event: String = message.get_payload().expect("a name");
        assert_eq!((message.get_channel_name(), event), ("__keyspace@0__:drop", format!("flash.{want}")));
    }
}

#[test]
fn a_policy_that_may_evict_sales_is_warned_of() {
    let server = Server::start();
    let redis = &mut server.connect();
    let warnings = || {
        fs::read_to_string(server.redis.server.dir().join("log")).expect("the log").matches("may evict sales").count()
    };
    let _: Value = run(redis, "CONFIG SET maxmemory 1gb");
    assert_eq!((warnings(), info(redis)["evicting_policy"].as_str()), (0, "0"));
    let _: Value = run(redis, "CONFIG SET maxmemory-policy allkeys-lru");
    assert_eq!((warnings(), info(redis)["evicting_policy"].as_str()), (1, "1"));
    let _: Value = run(redis, "CONFIG SET maxmemory 2gb");
    assert_eq!(warnings(), 1, "once is enough");
    let _: Value = run(redis, "CONFIG SET maxmemory-policy noeviction");
    assert_eq!(info(redis)["evicting_policy"], "0");
}

#[test]
fn a_setting_in_the_server_s_own_configuration_counts_from_the_start() {
    let server = Server::start_with(&["--flash.total-units-max", "7"]);
    let redis = &mut server.connect();
    let error = try_run_args::<Value>(redis, &[b"FLASH.WARM", b"drop", b"8"]).expect_err("too many");
    assert_eq!(error, "INVALID total must be 1 to 7");
}
