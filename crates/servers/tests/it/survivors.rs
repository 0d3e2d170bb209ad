//! When the process that started the servers is killed, no process is left to clean up.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;

use flash_servers::{Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, Redis, RedisOptions, silent};
use tokio_postgres::NoTls;

use crate::{block_on, processes, temporary_dir, wait_until};

/// Set for the second process of the test: the directory of its servers.
const PARENT_DIR: &str = "FLASH_SERVERS_TEST_PARENT_DIR";

const READY: &str = "all servers are ready";

#[test]
fn a_killed_parent_leaves_no_process_and_a_directory_that_can_be_used_again() {
    if let Some(dir) = env::var_os(PARENT_DIR) {
        return start_and_wait_to_be_killed(dir.as_ref());
    }
    let root = temporary_dir();
    let name = "survivors::a_killed_parent_leaves_no_process_and_a_directory_that_can_be_used_again";
    let mut parent = Command::new(env::current_exe().unwrap())
        .args([name, "--exact", "--nocapture"])
        .env(PARENT_DIR, root.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(parent.stdout.take().unwrap()).lines();
    let ready = lines.map_while(Result::ok).any(|line| line.contains(READY));
    let before = processes::working_in(root.path());
    parent.kill().unwrap();
    parent.wait().unwrap();
    assert!(ready, "the parent ended before all its servers were ready");
    for server in ["redis-server", "postgres", "beam", "erl_child_setup"] {
        assert!(before.iter().any(|process| process.contains(server)), "{server} is not in {before:?}");
    }

    wait_until("every process is gone", || processes::working_in(root.path()).is_empty());
    start_all(root.path());
}

fn start_all(root: &Path) -> (Redis, Postgres, RabbitMq) {
    let mut quick = PostgresOptions::new(root.join("postgres"));
    quick.fsync = false;
    thread::scope(|scope| {
        let redis = scope.spawn(|| Redis::start(&RedisOptions::new(root.join("redis")), silent));
        let postgres = scope.spawn(|| Postgres::start(&quick, silent));
        let rabbitmq = scope.spawn(|| RabbitMq::start(&RabbitMqOptions::new(root.join("rabbitmq")), silent));
        (redis.join().unwrap().unwrap(), postgres.join().unwrap().unwrap(), rabbitmq.join().unwrap().unwrap())
    })
}

fn start_and_wait_to_be_killed(root: &Path) {
    let (_redis, postgres, rabbitmq) = start_all(root);
    let url = postgres.url("postgres");
    let busy = thread::spawn(move || block_on(work_for_an_hour(&url)));
    let is_busy = "SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT count%'";
    wait_until("a backend is busy", || block_on(count_rows(&postgres.url("postgres"), is_busy)) == 1);
    // One of them is stopped, and does not check either.
    rabbitmq.server.pause();
    println!("{READY}");
    // Ends when the test itself dies, too.
    std::io::stdin().read_to_end(&mut vec![]).unwrap();
    drop(busy);
}

async fn count_rows(url: &str, sql: &str) -> usize {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    tokio::spawn(connection);
    client.query(sql, &[]).await.unwrap().len()
}

/// A statement that does not look up from its work until it is done.
async fn work_for_an_hour(url: &str) {
    count_rows(url, "SELECT count(*) FROM generate_series(1, 100000000000)").await;
}
