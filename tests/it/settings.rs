//! The settings of the program as it is run: flags, variables, the file, defaults.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use flash_tests::built;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::program::Program;
use crate::support::world::free_address;

/// A configuration file in a directory of its own.
struct Config {
    path: PathBuf,
    _dir: TempDir,
}

impl Config {
    fn new(text: &str, mode: u32) -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("flash.toml");
        fs::write(&path, text).expect("writable");
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("ours");
        Self { path, _dir: dir }
    }

    fn arg(&self) -> &str {
        self.path.to_str().expect("UTF-8")
    }
}

/// Runs `flash` with these variables and no others: its exit code, and what it printed on stdout and stderr.
fn flash(args: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let ran = Command::new(built("flash")).args(args).env_clear().envs(variables.iter().copied()).output();
    let ran = ran.expect("flash runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code().expect("it ended by itself"), text(&ran.stdout), text(&ran.stderr))
}

/// What `flash config show --origin` says of a setting: its value and its origin.
fn shown(words: &[&str], variables: &[(&str, &str)], setting: &str) -> (Option<String>, String) {
    let args = [&["-o", "json", "config", "show", "--origin"], words].concat();
    let (code, printed, errors) = flash(&args, variables);
    assert_eq!(code, 0, "{args:?}: {errors}");
    let rows = printed.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let row =
        rows.into_iter().find(|row| row["setting"] == setting).unwrap_or_else(|| panic!("{setting} in {printed}"));
    (row["value"].as_str().map(str::to_owned), row["origin"].as_str().expect("an origin").to_owned())
}

fn check(words: &[&str], variables: &[(&str, &str)], setting: &str, want: (&str, &str)) {
    let got = shown(words, variables, setting);
    assert_eq!((got.0.as_deref().unwrap_or("(not set)"), got.1.as_str()), want, "{words:?} {variables:?} {setting}");
}

#[test]
fn a_flag_overrides_a_variable_the_file_and_the_default() {
    let config = Config::new("sweep-after-ms = 5000\n\n[gateway]\nthreads = 2\n", 0o644);
    let file = [("FLASH_CONFIG", config.arg())];
    let both = [("FLASH_CONFIG", config.arg()), ("FLASH_THREADS", "3")];
    let at = |line: u8| format!("{}:{line}", config.arg());
    check(&["gateway"], &[], "threads", ("1", "default"));
    check(&["gateway"], &file, "threads", ("2", &at(4)));
    check(&["--config", config.arg(), "gateway"], &[], "threads", ("2", &at(4)));
    check(&["gateway"], &both, "threads", ("3", "env FLASH_THREADS"));
    check(&["gateway", "--threads", "4"], &both, "threads", ("4", "flag --threads"));
    check(&["gateway"], &file, "sweep-after-ms", ("5000", &at(1)));
    check(&[], &file, "threads", ("2", &at(4)));
    check(&[], &both, "threads", ("3", "env FLASH_THREADS"));
    check(&[], &[], "log-format", ("text", "default"));
}

#[test]
fn a_secret_is_read_from_its_file_and_never_shown() {
    let config =
        Config::new("redis-url-file = \"/run/redis\"\n[syncer]\npostgres-url = \"postgres://f:hush@db/f\"\n", 0o600);
    let file = [("FLASH_CONFIG", config.arg())];
    check(&["gateway"], &file, "redis-url-file", ("/run/redis", &format!("{}:1", config.arg())));
    check(&["syncer"], &file, "postgres-url", ("postgres://f:***@db/f", &format!("{}:3", config.arg())));
    let variable = [file[0], ("FLASH_REDIS_URL", "redis://f:hush@cache")];
    check(&["gateway"], &variable, "redis-url", ("redis://f:***@cache", "env FLASH_REDIS_URL"));
    // Otherwise the file that the configuration names would win over the variable.
    check(&["gateway"], &variable, "redis-url-file", ("(not set)", "default"));
    let (_, printed, errors) = flash(&["config", "show", "--origin"], &variable);
    assert!(printed.contains("syncer.postgres-url") && !printed.contains("hush"), "{printed}{errors}");
}

#[test]
fn the_gateway_listens_where_the_file_says_and_a_variable_or_a_flag_says_otherwise() {
    let [file, variable, flag] = [free_address(), free_address(), free_address()].map(|address| address.to_string());
    let nobody = "redis-url = \"redis://127.0.0.1:1\"\namqp-url = \"amqp://127.0.0.1:1\"\n\
                  postgres-url = \"postgres://127.0.0.1:1/none\"\n";
    let config = Config::new(&format!("{nobody}[gateway]\nauth = \"none\"\nlisten = \"{file}\"\n"), 0o644);
    let listens = |args: &[&str], variables: &[(&str, String)]| {
        let args = [&["-o", "json", "gateway", "--config", config.arg()], args].concat();
        let secret = [("FLASH_ID_SECRET", "the same for all gateways of a Redis".to_owned())];
        Program::start(&args, &[variables, &secret].concat()).line()["http"].as_str().expect("an address").to_owned()
    };
    let variables = [("FLASH_LISTEN", variable.clone())];
    assert_eq!(listens(&[], &[]), format!("http://{file}"));
    assert_eq!(listens(&[], &variables), format!("http://{variable}"));
    assert_eq!(listens(&["--listen", &flag], &variables), format!("http://{flag}"));
}

#[test]
fn a_file_that_breaks_a_rule_is_refused_by_every_command() {
    let refused = |text: &str, mode: u32, told: &str| {
        let config = Config::new(text, mode);
        for args in [&["migrate"][..], &["gateway"], &["config", "show"]] {
            let (code, printed, errors) = flash(&[args, &["--config", config.arg()]].concat(), &[]);
            assert_eq!((code, printed.as_str()), (2, ""), "{args:?} {text}");
            assert!(errors.contains(&format!("flash.toml:{told}")), "{args:?} {text}: {errors}");
        }
    };
    refused("[gateway]\nthread = 2", 0o644, "2: unknown setting `thread`; did you mean `threads`?");
    refused("[gateway]\nthreads = \"x\"", 0o644, "2: invalid value 'x'");
    refused("redis-url = \"redis://f:hush@cache\"", 0o644, "1: redis-url holds a password");
    refused("[[rate-limit]]\nname = \"p\"", 0o644, "1: rate-limit p: strategy must be one of");
    refused("threads 2", 0o644, "1: ");
    let (code, _, errors) = flash(&["migrate", "--config", "/nowhere/flash.toml"], &[]);
    assert!(code == 2 && errors.contains("/nowhere/flash.toml"), "{code} {errors}");
}

#[test]
fn the_shipped_example_is_read_as_it_is_and_with_all_its_settings() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/flash.toml");
    let text = fs::read_to_string(&path).expect("it is there");
    let (code, printed, errors) = flash(&["config", "show", "--config", path.to_str().expect("UTF-8")], &[]);
    assert_eq!(code, 0, "{errors}");
    assert!(printed.contains("rate-limit."), "{printed}");
    let (_, rows, _) = flash(&["-o", "json", "config", "show"], &[]);
    for row in rows.lines().map(|row| serde_json::from_str::<Value>(row).expect("JSON")) {
        let name = row["setting"].as_str().and_then(|name| name.split('.').next_back()).expect("a name");
        assert!(text.contains(name), "it does not explain {name}");
    }
    // What follows `#` without a blank is a setting that is turned off.
    let is_off =
        |line: &&str| line.strip_prefix('#').is_some_and(|line| line.starts_with(|letter: char| letter != ' '));
    assert!(text.lines().filter(is_off).count() > 5, "it explains more than it sets");
    let all: Vec<&str> = text.lines().map(|line| if is_off(&line) { &line[1..] } else { line }).collect();
    let config = Config::new(&all.join("\n"), 0o600);
    let (code, _, errors) = flash(&["config", "show", "--config", config.arg()], &[]);
    assert_eq!(code, 0, "{errors}");
}

#[test]
fn an_origin_that_is_none_is_refused_at_the_start() {
    let refused = |origins: &str, told: &str| {
        let (code, _, errors) = flash(&["gateway", "--auth", "none", "--cors-origins", origins], &[]);
        assert!(code == 2 && errors.contains("--cors-origins") && errors.contains(told), "{origins}: {errors}");
    };
    refused("https://shop.example/buy", "has a path");
    refused("https://shop.example,*", "has no scheme");
    refused("https://*.example", "has a wildcard");
}
