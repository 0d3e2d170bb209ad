use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use flash_servers::{Error, Phase, Postgres, PostgresOptions, silent};
use tokio_postgres::NoTls;

use crate::{block_on, processes, temporary_dir};

/// Like those of every test that pulls no plug: not synced.
fn quick(dir: impl Into<PathBuf>) -> PostgresOptions {
    let mut options = PostgresOptions::new(dir);
    options.fsync = false;
    options
}

/// Runs SQL and returns the first column of its last row, if there is one.
async fn query(url: &str, sql: &str) -> Result<Option<String>, tokio_postgres::Error> {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await?;
    let connection = tokio::spawn(connection);
    let messages = client.simple_query(sql).await?;
    drop(client);
    connection.await.unwrap()?;
    let rows = messages.into_iter().filter_map(|message| match message {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(row.get(0)?.to_owned()),
        _ => None,
    });
    Ok(rows.last())
}

fn run(postgres: &Postgres, database: &str, sql: &str) -> Option<String> {
    block_on(query(&postgres.url(database), sql)).unwrap()
}

fn assert_kept(postgres: &Postgres, rows: &str) {
    assert_eq!(run(postgres, "shop", "SELECT count(*) FROM kept").as_deref(), Some(rows));
}

#[test]
fn it_starts_answers_and_keeps_what_it_committed() {
    let root = temporary_dir();
    let dir = root.path().join("a postgres");
    let mut phases = vec![];
    let mut postgres = Postgres::start(&PostgresOptions::new(&dir), |phase| phases.push(phase)).unwrap();
    assert_eq!(phases, [Phase::Creating, Phase::Starting, Phase::Ready]);
    assert_eq!(postgres.server.dir(), dir);
    processes::assert_on_loopback_only(&dir, 1);
    std::thread::scope(|scope| {
        for name in ["shop", "second", "third", "fourth"] {
            scope.spawn(|| postgres.create_database(name).unwrap());
        }
    });
    postgres.create_database("shop").unwrap();
    run(&postgres, "shop", "CREATE TABLE kept AS SELECT 1");

    assert!(processes::working_in(&dir).len() > 3);
    postgres.server.kill().unwrap();
    assert_eq!(processes::working_in(&dir), [""; 0]);
    postgres.server.restart().unwrap();
    assert_kept(&postgres, "1");
    assert_eq!(run(&postgres, "shop", "SHOW fsync").as_deref(), Some("on"));
    run(&postgres, "shop", "INSERT INTO kept SELECT 2");

    postgres.server.stop().unwrap();
    assert_eq!(processes::working_in(&dir), [""; 0]);
    drop(postgres);
    let mut phases = vec![];
    let postgres = Postgres::start(&PostgresOptions::new(&dir), |phase| phases.push(phase)).unwrap();
    assert_eq!(phases, [Phase::Starting, Phase::Ready]);
    assert_kept(&postgres, "2");

    drop(postgres);
    assert_eq!(processes::working_in(&dir), [""; 0]);
}

#[test]
fn it_asks_for_the_password_which_only_the_owner_can_read() {
    let root = temporary_dir();
    let dir = root.path().join("postgres");
    let postgres = Postgres::start(&quick(&dir), silent).unwrap();
    let password = fs::read_to_string(dir.join("password")).unwrap();
    let right = postgres.url("postgres");
    let wrong = right.replace(&password, "guessed");
    assert_eq!(block_on(query(&right, "SELECT 7")).unwrap().as_deref(), Some("7"));
    assert!(block_on(query(&wrong, "SELECT 7")).is_err());
    let mode = |name: &str| fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("password"), mode("data"), mode("log")), (0o600, 0o700, 0o600));
}

#[test]
fn a_name_that_would_need_quoting_is_refused() {
    let root = temporary_dir();
    let postgres = Postgres::start(&quick(root.path().join("postgres")), silent).unwrap();
    let error = postgres.create_database("x\"; DROP DATABASE postgres").unwrap_err();
    assert!(matches!(error, Error::BadName { .. }), "{error}");
}

#[test]
fn a_setting_that_does_not_exist_is_reported_in_the_servers_own_words() {
    let root = temporary_dir();
    let mut options = quick(root.path().join("postgres"));
    options.settings = vec!["no_such_setting=1".into()];
    let message = Postgres::start(&options, silent).unwrap_err().to_string();
    assert!(message.contains("unrecognized configuration parameter \"no_such_setting\""), "{message}");
}

#[test]
fn what_a_killed_predecessor_left_is_no_hindrance() {
    let root = temporary_dir();
    let dir = root.path().join("postgres");
    let options = quick(&dir);
    let mut postgres = Postgres::start(&options, silent).unwrap();
    postgres.server.kill().unwrap();
    drop(postgres);
    // Its number is another process's by now: this one's.
    let pid_file = dir.join("data/postmaster.pid");
    let content = fs::read_to_string(&pid_file).unwrap();
    let (_, rest) = content.split_once('\n').unwrap();
    fs::write(&pid_file, format!("{}\n{rest}", std::process::id())).unwrap();
    // An initdb was cut short, too.
    fs::create_dir(dir.join("data.new")).unwrap();
    let postgres = Postgres::start(&options, silent).unwrap();
    assert_eq!(run(&postgres, "postgres", "SELECT 7").as_deref(), Some("7"));
}

#[test]
fn the_cluster_of_root_moves_to_a_private_place_and_is_found_again() {
    // A clone in /root, mode 0700, is such a place.
    let root = temporary_dir();
    fs::set_permissions(root.path(), fs::Permissions::from_mode(0o700)).unwrap();
    let wanted = root.path().join("postgres");
    let options = quick(&wanted);
    let mut postgres = Postgres::start(&options, silent).unwrap();
    let place = postgres.server.dir().to_owned();
    let is_root = fs::metadata(root.path()).unwrap().uid() == 0;
    assert_eq!(place.starts_with("/var/tmp"), is_root, "{}", place.display());
    let _removed_at_the_end = Removed(&place);
    run(&postgres, "postgres", "CREATE TABLE kept AS SELECT 1");
    postgres.server.stop().unwrap();

    let mut postgres = Postgres::start(&options, silent).unwrap();
    assert_eq!(postgres.server.dir(), place);
    assert_eq!(run(&postgres, "postgres", "SELECT count(*) FROM kept").as_deref(), Some("1"));
    postgres.server.stop().unwrap();

    fs::remove_dir_all(&wanted).unwrap();
    let postgres = Postgres::start(&options, silent).unwrap();
    assert_eq!(postgres.server.dir(), place);
    assert_eq!(run(&postgres, "postgres", "SELECT to_regclass('kept') IS NULL").as_deref(), Some("t"));
}

struct Removed<'a>(&'a Path);

impl Drop for Removed<'_> {
    fn drop(&mut self) {
        fs::remove_dir_all(self.0).unwrap();
    }
}
