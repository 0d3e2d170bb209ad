//! Migrations, and what the vault says when something is wrong with PostgreSQL.

use flash_vault::{Error, Snapshot, Vault, Wanted, connect, migrate};
use futures_util::future::join_all;

use crate::fixture::{Database, empty_database, head, held, message, warmed};

#[tokio::test]
async fn many_who_migrate_at_once_do_it_once() {
    let url = empty_database();
    let migrations = (0..4).map(|_| async {
        let mut client = connect(&url).await.unwrap();
        migrate(&mut client).await
    });
    for migrated in join_all(migrations).await {
        migrated.unwrap();
    }
    Vault::open(&url).await.unwrap();
}

#[tokio::test]
async fn a_database_without_tables_says_what_to_do() {
    let error = Vault::open(&empty_database()).await.err().unwrap();
    assert!(matches!(error, Error::Database(_)), "{error}");
    assert!(error.to_string().contains("is the database migrated"), "{error}");
}

#[tokio::test]
async fn a_lost_connection_is_passing_trouble_and_nothing_is_half_written() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    let batch = [message(1, 1, vec![warmed(5), held("ada")])];
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                WHERE datname = current_database() AND pid <> pg_backend_pid()";
    database.client.query(kill, &[]).await.unwrap();
    let error = vault.write(&batch).await.unwrap_err();
    assert!(matches!(error, Error::Passing(_)), "{error}");
    assert_eq!(database.rows("SELECT * FROM epochs").await, [""; 0]);
    assert_eq!(database.write(&batch).await, head(1, 2));
}

#[tokio::test]
async fn a_commit_is_on_disk_whatever_the_database_says() {
    let database = Database::new().await;
    let name = database.url.rsplit('/').next().unwrap();
    database.client.batch_execute(&format!("ALTER DATABASE {name} SET synchronous_commit = off")).await.unwrap();
    let client = connect(&database.url).await.unwrap();
    let row = client.query_one("SHOW synchronous_commit", &[]).await.unwrap();
    assert_eq!(row.get::<_, &str>(0), "on");
}

/// It would keep its locks from all others.
#[tokio::test]
async fn a_transaction_that_is_left_alone_is_ended_and_a_seal_sooner() {
    let database = Database::new().await;
    let show = "SHOW idle_in_transaction_session_timeout";
    assert_eq!(database.rows("SELECT current_setting('idle_in_transaction_session_timeout')").await, ["(10s)"]);
    let mut reader = connect(&database.url).await.unwrap();
    Snapshot::begin(&mut reader).await.unwrap();
    assert_eq!(reader.query_one(show, &[]).await.unwrap().get::<_, &str>(0), "10s", "a snapshot's own ends with it");
    let note = "
        CREATE TABLE noted (setting text);
        CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO noted SELECT current_setting('idle_in_transaction_session_timeout');
            RETURN NULL;
        END $$;
        CREATE TRIGGER note AFTER UPDATE OF sealed_at ON epochs EXECUTE FUNCTION note()";
    database.client.batch_execute(note).await.unwrap();
    database.write(&[message(1, 1, vec![warmed(5)])]).await;
    crate::epochs::seal(&database, 1, Wanted::Exactly(1)).await.unwrap();
    assert_eq!(database.rows("SELECT * FROM noted").await, ["(3s)"]);
}

#[tokio::test]
async fn a_database_of_another_encoding_is_refused_before_anything_is_done() {
    let url = crate::fixture::empty_database();
    let client = connect(&url).await.unwrap();
    let name: String = client.query_one("SELECT current_database()", &[]).await.unwrap().get(0);
    let create =
        format!("CREATE DATABASE {name}_latin1 ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0");
    client.batch_execute(&create).await.unwrap();
    let url = url.replace(&name, &format!("{name}_latin1"));
    let mut client = connect(&url).await.unwrap();
    let error = migrate(&mut client).await.unwrap_err();
    assert!(error.to_string().contains("LATIN1, and UTF8 is needed"), "{error}");
    let tables = client.query("SELECT FROM pg_tables WHERE schemaname = 'public'", &[]).await.unwrap();
    assert!(tables.is_empty());
}

#[tokio::test]
async fn what_postgresql_says_is_in_the_text_of_the_error() {
    let url = crate::fixture::empty_database();
    let Err(error) = Vault::open(&url).await else { panic!("no tables, and yet it opened") };
    assert!(error.to_string().contains("relation \"syncer_control\" does not exist"), "{error}");
}
