//! A directory has one server at a time, and is ours alone.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use flash_servers::{Error, Redis, RedisOptions, silent};

use crate::temporary_dir;

#[test]
fn a_directory_whose_server_lives_is_refused_with_its_process() {
    let root = temporary_dir();
    let options = RedisOptions::new(root.path().join("redis"));
    let mut redis = Redis::start(&options, silent).unwrap();
    let pid = redis.server.pid().unwrap();
    let message = Redis::start(&options, silent).unwrap_err().to_string();
    assert!(message.contains(&format!("in use by process {pid}")), "{message}");
    redis.server.stop().unwrap();
    Redis::start(&options, silent).unwrap();
}

#[test]
fn a_directory_that_others_may_write_to_is_refused() {
    let root = temporary_dir();
    let dir = root.path().join("redis");
    fs::create_dir(&dir).unwrap();
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
    let error = Redis::start(&RedisOptions::new(&dir), silent).unwrap_err();
    assert!(matches!(error, Error::NotOurs { .. }), "{error}");
    assert_eq!(fs::read_dir(&dir).unwrap().count(), 0);
}
