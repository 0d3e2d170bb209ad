//! Short-lived programs, run to their end.

use std::io::{self, PipeReader, Read, Write};
use std::process::Stdio;

use crate::Error;
use crate::guard::{Guarded, Task};

/// Most that is kept of what a short-lived program prints.
const OUTPUT_BYTES_MAX: u64 = 16 * 1024;

/// Runs a short-lived program to its end and returns what it printed. `input` must fit into a pipe (64 KiB), and so
/// must the output.
pub(crate) fn run(program: &'static str, task: &Task, input: &str, limit_ms: u64) -> Result<String, Error> {
    let broken_pipe = || Error::io(format!("cannot talk to {program}"));
    let (stdin, mut to_program) = io::pipe().map_err(broken_pipe())?;
    let (from_program, stdout) = io::pipe().map_err(broken_pipe())?;
    to_program.write_all(input.as_bytes()).map_err(broken_pipe())?;
    drop(to_program);
    let stderr = stdout.try_clone().map_err(broken_pipe())?;
    let mut guarded = Guarded::spawn(task, stdin, [Stdio::from(stdout), Stdio::from(stderr)])?;
    let status = guarded.wait(limit_ms);
    // Without it, and so without anyone who could still write, the pipe has an end.
    drop(guarded);
    let output = read_all(from_program).map_err(broken_pipe())?;
    match status {
        Some(status) if status.success() => Ok(output),
        Some(status) => Err(Error::Tool { program, outcome: status.to_string(), output }),
        None => Err(Error::Tool { program, outcome: format!("no end after {limit_ms} ms"), output }),
    }
}

fn read_all(pipe: PipeReader) -> io::Result<String> {
    let mut bytes = vec![];
    pipe.take(OUTPUT_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT_MS: u64 = 10_000;

    fn sh(script: &str) -> Task {
        Task {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![],
            dir: "/".into(),
            user: None,
        }
    }

    #[test]
    fn a_program_gets_its_input_and_its_output_comes_back() {
        assert_eq!(run("sh", &sh("cat; echo on stderr >&2"), "in\n", LIMIT_MS).unwrap(), "in\non stderr");
    }

    #[test]
    fn a_failure_tells_the_status_and_what_was_printed() {
        let error = run("sh", &sh("echo no luck >&2; exit 3"), "", LIMIT_MS).unwrap_err();
        assert_eq!(error.to_string(), "sh failed (exit status: 3): no luck");
    }

    #[test]
    fn a_program_that_hangs_is_killed_at_its_limit() {
        let error = run("sh", &sh("echo begun; sleep 600"), "", 200).unwrap_err();
        assert_eq!(error.to_string(), "sh failed (no end after 200 ms): begun");
    }

    #[test]
    fn nothing_of_our_environment_reaches_a_child_but_the_path() {
        let names = run("sh", &sh("env | cut -d= -f1 | grep -v '^_$' | sort"), "", LIMIT_MS).unwrap();
        assert_eq!(names, "LC_ALL\nPATH\nPWD");
    }
}
