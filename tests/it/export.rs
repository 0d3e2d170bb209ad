//! `flash export`: what leaves PostgreSQL for spreadsheets and other programs.

use std::fs::File;

use serde_json::Value;

use crate::support::program::Program;
use crate::support::world::World;

const EXPORT: [&str; 3] = ["export", "orders", "--format"];

#[test]
fn a_spreadsheet_and_a_program_get_every_order_of_a_sale() {
    let world = World::start_direct("export");
    world.create_sale(r#"{"sale":"drop","total":9,"limit":9}"#);
    world.create_sale(r#"{"sale":"other","total":9}"#);
    for (sale, body) in [
        ("drop", r#"{"buyer":"ada","data":{"note":"two\nlines, \"quoted\""}}"#),
        ("drop", r#"{"buyer":"=HYPERLINK(\"http://evil.example\")","quantity":3}"#),
        ("other", r#"{"buyer":"eve"}"#),
    ] {
        let answer = world.http().post(&format!("/v1/sales/{sale}/reservations"), body).expect("an answer");
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    world.wait_for_orders("drop", 2);
    world.wait_for_orders("other", 1);

    let (status, csv) = world.run(&[&EXPORT[..], &["csv", "--sale", "drop"]].concat());
    assert!(status.success(), "{status}");
    let lines: Vec<_> = csv.split_terminator("\r\n").collect();
    assert_eq!((lines.len(), csv.matches('\n').count()), (3, 3), "{csv}");
    assert!(lines[0].starts_with("sale,id,state,buyer,items,units,request,data,reserved_at,"), "{csv}");
    assert!(lines[2].contains(",confirmed,\"'=HYPERLINK(\"\"http://evil.example\"\")\","), "{csv}");

    let (code, orders) = world.flash(&[&EXPORT[..], &["jsonl", "--sale", "drop"]].concat());
    let buyers: Vec<_> = orders.iter().map(|order| order["buyer"].as_str().expect("a buyer")).collect();
    assert_eq!((code, buyers), (0, vec!["ada", "=HYPERLINK(\"http://evil.example\")"]));
    assert_eq!((&orders[0]["data"]["note"], &orders[1]["units"]), (&Value::from("two\nlines, \"quoted\""), &3.into()));

    for (since, count) in [("1970-01-01T00:00:00Z", 2), ("2999-01-01T00:00:00+01:00", 0), ("7d", 2), ("0s", 0)] {
        let (code, orders) = world.flash(&[&EXPORT[..], &["jsonl", "--sale", "drop", "--since", since]].concat());
        assert_eq!((code, orders.len()), (0, count), "since {since}");
    }
}

#[test]
fn an_export_that_cannot_be_whole_says_why() {
    let world = World::start_direct("export_errors");
    world.create_sale(r#"{"sale":"drop","total":9}"#);
    let log = tempfile::NamedTempFile::new().expect("a file");
    for (args, code, want) in [
        (&["csv", "--sale", "ghost"][..], 2, "no such sale: ghost"),
        (&["csv", "--sale", ""], 1, "sale"),
        (&["csv", "--sale", "drop", "--since", "yesterday"], 2, "--since <TIME|AGO>': must be a time with an offset"),
        (&["csv", "--sale", "drop", "--since", "2026-12-01T09:00:00"], 2, "must be a time with an offset"),
        (&["csv", "--sale", "drop", "--since", "1969-12-31T23:59:59Z"], 2, "must not be before 1970"),
        (&["xlsx", "--sale", "drop"], 2, "--format"),
        (&["csv"], 2, "--sale"),
    ] {
        let program = Program::start_logging(&[&EXPORT[..], args].concat(), &world.environment(), log.path());
        let (status, printed) = program.wait();
        let said = std::fs::read_to_string(log.path()).expect("readable");
        assert_eq!((status.code(), printed.as_str()), (Some(code), ""), "{args:?}: {said}");
        assert!(said.contains(want), "{args:?}: {said} lacks {want}");
    }
    let full = File::options().write(true).open("/dev/full").expect("a full disk");
    let mut command = std::process::Command::new(flash_tests::built("flash"));
    command.args(EXPORT).args(["csv", "--sale", "drop"]).envs(world.environment()).stdout(full);
    let output = command.output().expect("flash starts");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("the export is incomplete: No space left"), "{said}");
}
