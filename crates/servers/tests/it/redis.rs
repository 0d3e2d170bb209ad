use std::net::TcpListener;
use std::path::Path;

use flash_servers::{Error, Phase, Redis, RedisOptions, silent};
use redis::Commands;

use crate::{processes, temporary_dir, wait_until};

fn connect(redis: &Redis) -> redis::Connection {
    redis::Client::open(redis.url()).unwrap().get_connection().unwrap()
}

fn set(redis: &Redis, key: &str) {
    connect(redis).set::<_, _, ()>(key, "kept").unwrap();
}

fn assert_kept(redis: &Redis, key: &str) {
    assert_eq!(connect(redis).get::<_, String>(key).unwrap(), "kept");
}

#[test]
fn it_starts_answers_and_keeps_what_it_answered() {
    let root = temporary_dir();
    let dir = root.path().join("a redis");
    let mut phases = vec![];
    let mut redis = Redis::start(&RedisOptions::new(&dir), |phase| phases.push(phase)).unwrap();
    assert_eq!(phases, [Phase::Starting, Phase::Ready]);
    let port = redis.server.port();
    processes::assert_on_loopback_only(&dir, 1);
    set(&redis, "before the kill");

    redis.server.kill().unwrap();
    assert_eq!(processes::working_in(&dir), [""; 0]);
    redis.server.restart().unwrap();
    assert_kept(&redis, "before the kill");
    set(&redis, "before the stop");

    redis.server.stop().unwrap();
    assert_eq!(processes::working_in(&dir), [""; 0]);
    drop(redis);
    let redis = Redis::start(&RedisOptions::new(&dir), silent).unwrap();
    assert_eq!(redis.server.port(), port);
    assert_kept(&redis, "before the kill");
    assert_kept(&redis, "before the stop");

    assert_eq!(processes::working_in(&dir).len(), 1);
    drop(redis);
    assert_eq!(processes::working_in(&dir), [""; 0]);
}

#[test]
fn every_write_is_synced_and_nothing_is_left_to_snapshots() {
    let root = temporary_dir();
    let redis = Redis::start(&RedisOptions::new(root.path().join("redis")), silent).unwrap();
    for (name, value) in [("appendonly", "yes"), ("appendfsync", "always"), ("save", ""), ("protected-mode", "yes")] {
        let pair: (String, String) = redis::cmd("CONFIG").arg("GET").arg(name).query(&mut connect(&redis)).unwrap();
        assert_eq!(pair, (name.into(), value.into()));
    }
}

#[test]
fn a_module_that_cannot_be_loaded_is_reported_in_the_servers_own_words() {
    let root = temporary_dir();
    let mut options = RedisOptions::new(root.path().join("redis"));
    options.module = Some("/no/such/module.so".into());
    let message = Redis::start(&options, silent).unwrap_err().to_string();
    assert!(message.contains("redis-server ended (exit status: 1)"), "{message}");
    assert!(message.contains("/no/such/module.so"), "{message}");
}

#[test]
fn a_fixed_port_that_is_taken_is_refused() {
    let root = temporary_dir();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut options = RedisOptions::new(root.path().join("redis"));
    options.port = Some(port);
    let error = Redis::start(&options, silent).unwrap_err();
    assert!(matches!(error, Error::PortTaken { port: told } if told == port), "{error}");
    drop(listener);
    assert_eq!(Redis::start(&options, silent).unwrap().server.port(), port);
}

#[test]
fn a_remembered_port_that_is_taken_by_now_is_given_up() {
    let root = temporary_dir();
    let options = RedisOptions::new(root.path().join("redis"));
    let port = Redis::start(&options, silent).unwrap().server.port();
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    assert_ne!(Redis::start(&options, silent).unwrap().server.port(), port);
    drop(listener);
}

#[test]
fn a_server_that_ends_by_itself_is_noticed() {
    let root = temporary_dir();
    let mut redis = Redis::start(&RedisOptions::new(root.path().join("redis")), silent).unwrap();
    redis.server.ensure_running().unwrap();
    // The connection breaks before an answer comes.
    redis::cmd("SHUTDOWN").query::<()>(&mut connect(&redis)).ok();
    let mut message = String::new();
    wait_until("its end is noticed", || match redis.server.ensure_running() {
        Ok(()) => false,
        Err(error) => {
            message = error.to_string();
            true
        }
    });
    assert!(message.contains("bye bye"), "{message}");
    assert_eq!(redis.server.pid(), None);
    redis.server.restart().unwrap();
    assert_eq!(redis::cmd("PING").query::<String>(&mut connect(&redis)).unwrap(), "PONG");
}

#[test]
fn a_server_outlives_the_thread_that_started_it() {
    let root = temporary_dir();
    let options = RedisOptions::new(root.path().join("redis"));
    let starter = std::thread::spawn(move || {
        let thread = std::fs::read_link("/proc/thread-self").unwrap();
        (Redis::start(&options, silent).unwrap(), Path::new("/proc").join(thread))
    });
    let (redis, thread) = starter.join().unwrap();
    // `join` returns a moment before the kernel is done with the thread, and with those that die with it.
    wait_until("the thread is gone", || !thread.exists());
    assert_eq!(redis::cmd("PING").query::<String>(&mut connect(&redis)).unwrap(), "PONG");
}
