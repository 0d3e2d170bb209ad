//! The descendants of a process, as /proc tells.
//!
//! A server's own children may lead process groups and sessions of their own (every PostgreSQL backend does), so that
//! only the family tree finds them all.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

/// A process: its id together with its start, because ids are used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: i32,
    /// In clock ticks after boot.
    started: u64,
}

impl Process {
    /// A zombie counts as gone: it holds nothing but its number.
    pub(crate) fn is_alive(self) -> bool {
        read(self.pid).is_some_and(|entry| entry.process == self && !entry.is_zombie)
    }

    /// Sends SIGKILL. A process that is gone already is what we wanted.
    pub(crate) fn kill(self) {
        self.signal(Signal::KILL);
    }

    /// Sends a signal, if it is still there.
    pub(crate) fn signal(self, signal: Signal) {
        if !self.is_alive() {
            return;
        }
        if let Some(pid) = Pid::from_raw(self.pid) {
            let _ = kill_process(pid, signal);
        }
    }
}

/// The children of the process, their children, and so on. Empty when it is gone.
pub(crate) fn descendants(root: i32) -> Vec<Process> {
    let everyone = read_all();
    let mut family = vec![];
    let mut parents = vec![root];
    while let Some(parent) = parents.pop() {
        for entry in everyone.iter().filter(|entry| entry.parent == parent) {
            family.push(entry.process);
            parents.push(entry.process.pid);
        }
    }
    family
}

struct Entry {
    process: Process,
    parent: i32,
    is_zombie: bool,
}

fn read_all() -> Vec<Entry> {
    let Ok(directory) = fs::read_dir("/proc") else {
        return vec![];
    };
    directory.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).filter_map(read).collect()
}

fn read(pid: i32) -> Option<Entry> {
    parse(pid, &fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// The line is `pid (name) state parent …`, with the start as field 22 (proc_pid_stat(5)). The name may hold spaces and
/// parentheses, so the fields are counted from the last parenthesis.
fn parse(pid: i32, stat: &str) -> Option<Entry> {
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let started = fields.nth(17)?.parse().ok()?;
    Some(Entry { process: Process { pid, started }, parent, is_zombie: matches!(state, "Z" | "X") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_parentheses_does_not_shift_the_fields() {
        let stat = "42 (a) b (c) S 7 42 42 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 12345 1000 10";
        let entry = parse(42, stat).unwrap();
        assert_eq!(entry.parent, 7);
        assert_eq!(entry.process, Process { pid: 42, started: 12_345 });
        assert!(!entry.is_zombie);
    }

    #[test]
    fn a_line_cut_short_is_no_process() {
        assert!(parse(42, "42 (name) S 7 42").is_none());
    }
}
