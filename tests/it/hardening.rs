//! What keeps the other users of a machine, and of a network, out.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use flash_tests::http::Http;
use serde_json::Value;

use crate::dev::dev;
use crate::support::program::Program;
use crate::support::world::World;

/// A file's bits for its group and for others.
const NOT_THE_OWNER: u32 = 0o077;
/// The files that `flash dev` keeps secrets in.
const SECRETS: [&str; 4] = ["password", "secret", "keys", "cookie"];

/// The files below a directory.
fn files(dir: &Path, found: &mut Vec<std::path::PathBuf>) {
    for entry in fs::read_dir(dir).expect("readable").flatten() {
        match entry.file_type().expect("a type") {
            kind if kind.is_dir() => files(&entry.path(), found),
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
}

#[test]
fn the_servers_of_dev_ask_for_passwords_that_only_their_owner_can_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut running = dev(dir.path(), &["--transport", "direct"]);
    let urls = running.line();
    let url = urls["redis"].as_str().expect("a URL");
    let (_, address) = url.rsplit_once('@').expect("a password");
    let connect = |url: &str| redis::Client::open(url).and_then(|client| client.get_connection());
    let stranger = connect(&format!("redis://{address}"));
    let refused = stranger.and_then(|mut redis| redis::cmd("PING").query::<String>(&mut redis));
    assert!(refused.is_err_and(|error| error.to_string().contains("NOAUTH")), "a stranger is no user");
    let mut owner = connect(url).expect("the password is in the URL");
    assert_eq!(redis::cmd("PING").query::<String>(&mut owner).expect("an answer"), "PONG");
    let mut found = Vec::new();
    files(dir.path(), &mut found);
    let is_secret = |path: &&std::path::PathBuf| {
        let name = path.file_name().expect("a name").to_string_lossy();
        SECRETS.iter().any(|secret| name.contains(secret)) && !path.components().any(|part| part.as_os_str() == "data")
    };
    let secrets: Vec<_> = found.iter().filter(is_secret).collect();
    assert!(secrets.len() >= 3, "{found:?}");
    for path in secrets {
        let mode = fs::metadata(path).expect("there").mode();
        assert_eq!(mode & NOT_THE_OWNER, 0, "{} has the mode {mode:o}", path.display());
    }
    running.interrupt();
    running.wait();
}

#[test]
fn browsers_get_hsts_if_the_operator_wants_it() {
    let mut world = World::start_direct("hsts");
    let told = |world: &World, path: &str| {
        let answer = Http::connect(world.address).and_then(|mut http| http.get(path)).expect("an answer");
        answer.header("strict-transport-security").map(str::to_owned)
    };
    assert_eq!(told(&world, "/livez"), None);
    world.start_second_gateway_with(&["--hsts-max-age-s", "31536000"]);
    for path in ["/livez", "/v1/sales/none", "/no-such-page", "/openapi.json"] {
        assert_eq!(told(&world, path).as_deref(), Some("max-age=31536000"), "{path}");
    }
}

#[test]
fn a_secret_s_file_that_everyone_may_read_is_warned_of_by_its_name() {
    let dir = tempfile::tempdir().expect("a directory");
    let said = |mode: u32| {
        let (secret, log) = (dir.path().join("secret"), dir.path().join("log"));
        fs::write(&secret, "the same for all gateways of a Redis").expect("writable");
        fs::set_permissions(&secret, fs::Permissions::from_mode(mode)).expect("ours");
        let environment = [
            ("FLASH_ID_SECRET_FILE", secret.to_str().expect("UTF-8").to_owned()),
            ("FLASH_AUTH", "none".to_owned()),
            ("FLASH_TRANSPORT", "direct".to_owned()),
            ("FLASH_REDIS_URL", "redis://127.0.0.1:1".to_owned()),
            ("FLASH_POSTGRES_URL", "postgres://127.0.0.1:1/none".to_owned()),
        ];
        let mut gateway =
            Program::start_logging(&["gateway", "-o", "json", "--listen", "127.0.0.1:0"], &environment, &log);
        let _: Value = gateway.line();
        gateway.kill();
        fs::read_to_string(&log).expect("a log")
    };
    let warned = |log: &str| log.contains("other users can read FLASH_ID_SECRET_FILE");
    let (open, closed) = (said(0o644), said(0o600));
    assert!(warned(&open), "{open}");
    assert!(!warned(&closed) && !open.contains("the same for all"), "{closed}");
}
