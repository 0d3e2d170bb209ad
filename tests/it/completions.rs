//! `flash completions`: scripts that shells can read, and that know the commands.

use std::io::Write;
use std::process::{Command, Stdio};

use flash_tests::built;

fn script(shell: &str) -> String {
    let ran = Command::new(built("flash")).args(["completions", shell]).output().expect("flash runs");
    assert!(ran.status.success(), "{shell}: {ran:?}");
    String::from_utf8(ran.stdout).expect("text")
}

#[test]
fn each_script_knows_the_commands_and_their_flags() {
    for shell in ["bash", "zsh", "fish"] {
        let script = script(shell);
        for word in ["dev", "bench", "gateway", "syncer", "doctor", "quarantine", "replay", "log-format", "durability"]
        {
            assert!(script.contains(word), "{word} in the script of {shell}");
        }
    }
}

#[test]
fn bash_can_read_its_script() {
    let mut bash = Command::new("bash").arg("-n").stdin(Stdio::piped()).spawn().expect("bash runs");
    bash.stdin.take().expect("piped").write_all(script("bash").as_bytes()).expect("it reads");
    assert!(bash.wait().expect("a child").success());
}
