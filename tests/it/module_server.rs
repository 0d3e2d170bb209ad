//! In which server the module is tested.

use std::process::Command;

use crate::support::redis::{Server, info, program};

#[test]
fn the_server_is_the_one_that_was_asked_for() {
    let server = Server::start();
    let redis = &mut server.connect();
    let program = program().unwrap_or_else(|| "redis-server".into());
    let version = Command::new(&program).arg("--version").output().expect("it runs").stdout;
    let version = String::from_utf8(version).expect("text");
    // Valkey says which Redis it is like as well as what it is.
    let field = if version.starts_with("Valkey") { "valkey_version" } else { "redis_version" };
    let running = info(redis, "server", field);
    assert!(version.contains(&format!(" v={running} ")), "{version} was asked for, {running} runs");
}
