//! The audit log grows only, and shows what was done to it in spite of that.

use flash_vault::{
    Chain, LoggedChange, connect, end_logged, grant_gateway, grant_syncer, log_change, logged, verify_log,
};

use crate::fixture::Database;

fn change(detail: &str) -> LoggedChange<'_> {
    LoggedChange { who: "olga", key: None, action: "POST /v1/sales", sale: Some("drop"), detail }
}

/// A log of three changes, of which two have an end.
async fn written() -> Database {
    let database = Database::new().await;
    for detail in ["one", "two: \u{eb}", "three\n"] {
        let row = log_change(&database.client, change(detail)).await.unwrap();
        if detail != "one" {
            end_logged(&database.client, row, "done").await.unwrap();
        }
    }
    database
}

async fn verdict(database: &Database) -> Chain {
    verify_log(&database.client, None).await.unwrap()
}

#[tokio::test]
async fn what_was_written_is_whole_and_shows_what_became_of_each_change() {
    let database = written().await;
    let Chain::Whole { rows: 5, hash, .. } = verdict(&database).await else { panic!("not whole") };
    let rows = logged(&database.client, 99, 9).await.unwrap();
    let ends: Vec<_> = rows.iter().map(|row| (row.detail.as_str(), row.outcome.as_deref())).collect();
    assert_eq!(ends, [("three\n", Some("done")), ("two: \u{eb}", Some("done")), ("one", None)]);
    log_change(&database.client, change("four")).await.unwrap();
    for (expected, want) in [(hash.as_str(), true), (&hash.to_uppercase(), true), ("00", false)] {
        let chain = verify_log(&database.client, Some(expected)).await.unwrap();
        assert!(matches!(chain, Chain::Whole { rows: 6, has_expected, .. } if has_expected == want), "{chain:?}");
    }
    for statement in ["UPDATE audit_log SET who = 'eve'", "DELETE FROM audit_log", "TRUNCATE audit_log"] {
        assert!(database.client.batch_execute(statement).await.is_err(), "{statement}, by the owner as well");
    }
}

#[tokio::test]
async fn rows_that_are_logged_at_once_are_one_chain() {
    let database = Database::new().await;
    let mut clients = Vec::new();
    for _ in 0..4 {
        clients.push(connect(&database.url).await.unwrap());
    }
    let all = clients.iter().map(async |client| {
        for _ in 0..25 {
            log_change(client, change("")).await.unwrap();
        }
    });
    futures_util::future::join_all(all).await;
    assert!(matches!(verdict(&database).await, Chain::Whole { rows: 100, .. }));
}

/// By one who owns the table, and turns its guards off.
async fn check(tampering: &str, want: (u64, &str)) {
    let database = written().await;
    let statements = format!("SET session_replication_role = replica; {tampering}");
    database.client.batch_execute(&statements).await.unwrap();
    let Chain::Broken { place, what } = verdict(&database).await else { panic!("{tampering} is not noticed") };
    assert!(place == want.0 && what.contains(want.1), "{tampering}: {place}: {what}");
}

#[tokio::test]
async fn a_changed_a_deleted_and_an_inserted_row_are_found() {
    for column in ["who = 'eve'", "key = 'k'", "action = ''", "sale = NULL", "detail = 'x'", "at = at - interval '1 s'"]
    {
        check(&format!("UPDATE audit_log SET {column} WHERE place = 2"), (2, "changed")).await;
    }
    check("UPDATE audit_log SET outcome = 'failed' WHERE place = 3", (3, "changed")).await;
    check("UPDATE audit_log SET ends = 1 WHERE place = 3", (3, "changed")).await;
    check("DELETE FROM audit_log WHERE place = 1", (1, "missing")).await;
    check("DELETE FROM audit_log WHERE place = 4", (4, "missing")).await;
    check("DELETE FROM audit_log WHERE place = 5", (5, "newest rows are missing")).await;
    check("DELETE FROM audit_log", (1, "newest rows are missing")).await;
    let inserted = "INSERT INTO audit_log (who, action, detail, place, hash) VALUES ('eve', '', '', 6, ''); \
                    UPDATE audit_head SET place = 6";
    check(inserted, (6, "inserted")).await;
    check("UPDATE audit_head SET hash = 'x'", (5, "head")).await;
}

#[tokio::test]
async fn a_gateway_adds_to_the_log_and_no_more_and_a_syncer_does_not_even_read_it() {
    let database = written().await;
    let name = database.rows("SELECT current_database()").await.remove(0);
    let name = name.trim_matches(['(', ')']);
    let (gateway, syncer) = (format!("gateway_{name}"), format!("syncer_{name}"));
    for role in [&gateway, &syncer] {
        let create = format!("CREATE ROLE {role} LOGIN PASSWORD 'hush'");
        database.client.batch_execute(&create).await.unwrap();
    }
    grant_gateway(&database.client, &gateway).await.unwrap();
    grant_syncer(&database.client, &syncer).await.unwrap();
    grant_syncer(&database.client, &syncer).await.unwrap();
    let (scheme, rest) = database.url.split_once("://").unwrap();
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    let as_role = |role: &str| format!("{scheme}://{role}:hush@{host}");
    let client = connect(&as_role(&gateway)).await.unwrap();
    let row = log_change(&client, change("by the gateway")).await.unwrap();
    end_logged(&client, row, "done").await.unwrap();
    assert!(matches!(verify_log(&client, None).await.unwrap(), Chain::Whole { rows: 7, .. }));
    let forged =
        "INSERT INTO audit_log (who, action, detail, place, hash, at) VALUES ('eve', '', '', 99, '', '2020-01-01')";
    client.batch_execute(forged).await.unwrap();
    let Chain::Whole { rows: 8, .. } = verify_log(&client, None).await.unwrap() else { panic!("not in the chain") };
    assert_eq!(database.rows("SELECT 1 FROM audit_log WHERE at < now() - interval '1 day'").await.len(), 0);
    let check = async |role: &str, statement: &str| {
        let client = connect(&as_role(role)).await.unwrap();
        let error = client.batch_execute(statement).await.expect_err(statement);
        let code = error.code().map(|code| code.code().to_owned());
        assert_eq!(code.as_deref(), Some("42501"), "{role}: {statement}: {error:?}");
    };
    for statement in [
        "UPDATE audit_log SET who = 'eve'",
        "DELETE FROM audit_log",
        "TRUNCATE audit_log",
        "UPDATE audit_head SET place = 0",
        "ALTER TABLE audit_log DISABLE TRIGGER ALL",
        "DROP TABLE audit_log",
        "DELETE FROM refinery_schema_history",
        "DELETE FROM orders",
        "DELETE FROM api_keys",
        "CREATE TABLE mine (id int)",
    ] {
        check(&gateway, statement).await;
        check(&syncer, statement).await;
    }
    for statement in [
        "SELECT * FROM audit_log",
        "INSERT INTO audit_log (who, action, detail) VALUES ('eve', '', '')",
        "SELECT * FROM api_keys",
        "INSERT INTO api_keys (id, hash, role, holder) VALUES ('k', '', 'operate', 'eve')",
        "UPDATE recoveries SET term = 0",
        "SELECT * FROM payments",
        "UPDATE webhooks SET url = 'https://eve.example'",
    ] {
        check(&syncer, statement).await;
    }
}
