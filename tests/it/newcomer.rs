//! The program as a newcomer meets it: its helps, what it prints, and what it says of mistakes.

use std::process::Command;

use flash_tests::built;

use crate::support::world::empty_database;

/// Runs `flash` with these variables and no others: its exit code, and what it printed on stdout and stderr.
fn flash(args: &[&str], variables: &[(&str, &str)]) -> (i32, String, String) {
    let ran = Command::new(built("flash")).args(args).env_clear().envs(variables.iter().copied()).output();
    let ran = ran.expect("flash runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code().expect("it ended by itself"), text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn the_version_names_the_release_and_the_commit() {
    let (code, printed, _) = flash(&["--version"], &[]);
    let release = format!("flash {} (", env!("CARGO_PKG_VERSION"));
    assert!(code == 0 && printed.starts_with(&release) && printed.trim_end().ends_with(')'), "{printed}");
}

#[test]
fn the_help_of_the_doctor_lists_no_option_of_the_gateway() {
    let help = |command: &str| flash(&[command, "--help"], &[]).1;
    for option in ["--threads", "--auth", "--tls-key", "--durability"] {
        assert!(help("gateway").contains(option) && !help("doctor").contains(option), "{option}");
    }
    assert!(help("doctor").contains("flash gateway --help"));
}

#[test]
fn a_migration_says_what_it_did() {
    let url = empty_database();
    let run = |output: &str| {
        let (code, printed, errors) = flash(&["-o", output, "migrate"], &[("FLASH_POSTGRES_URL", &url)]);
        assert_eq!(code, 0, "{errors}");
        printed
    };
    let first = run("table");
    assert!(first.starts_with("applied V1__vault\n") && first.contains("the schema is up to date: "), "{first}");
    assert_eq!(run("json"), "{\"applied\":[]}\n");
    assert_eq!(run("table"), "the schema is up to date: nothing to apply\n");
}

#[test]
fn a_mistake_is_named_with_what_to_do() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let dir = tempfile::tempdir().expect("a directory");
    let dir = dir.path().join("none").display().to_string();
    let check = |args: &[&str], variables: &[(&str, &str)], told: &[&str]| {
        let (code, printed, errors) = flash(args, variables);
        assert!(code != 0 && printed.is_empty(), "{args:?}: {printed}");
        assert!(told.iter().all(|told| errors.contains(told)), "{args:?}: {errors}");
    };
    check(&["gatway"], &[], &["'gateway'"]);
    check(&["migrate"], &[], &["FLASH_POSTGRES_URL (or FLASH_POSTGRES_URL_FILE) is not set"]);
    check(&["migrate"], &[("FLASH_POSTGRES_URL_FILE", "/none")], &["FLASH_POSTGRES_URL_FILE: /none: No such file"]);
    check(&["migrate"], &[("FLASH_POSTGRES_URL", "mysql://x")], &["postgres://user:password@host:port/database"]);
    check(&["gateway"], &[], &["--auth (FLASH_AUTH) must be jwt, api-key"]);
    check(&["--config", "/none", "gateway"], &[], &["/none: No such file"]);
    check(&["bench", "notaurl", "--sale", "x"], &[], &["must begin with http:// or https://"]);
    check(&["keys", "create", "--role", "boss", "--holder", "a"], &[], &["possible values: buyer"]);
    check(
        &["dev", "--dir", &dir, "--listen", &address],
        &[],
        &["--listen", &address, "in use", "use another --listen"],
    );
    assert!(!std::path::Path::new(&dir).exists(), "nothing was started");
}
