//! What a process and its children have used up, from the kernel's own books.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// The kernel counts in these (USER_HZ is 100 on every Linux).
const TICK: Duration = Duration::from_millis(10);
const KIB: u64 = 1024;

/// CPU time so far: of the process, its descendants, and those of them that have ended.
#[must_use]
pub fn cpu(root: u32) -> Duration {
    let table: HashMap<u32, Process> = processes();
    let ticks = table.iter().filter(|(pid, _)| descends(&table, **pid, root)).map(|(_, process)| process.ticks);
    TICK * u32::try_from(ticks.sum::<u64>()).unwrap_or(u32::MAX)
}

/// The most memory that any one of them ever had, in bytes.
#[must_use]
pub fn peak_bytes(root: u32) -> u64 {
    let table = processes();
    let family = table.keys().filter(|pid| descends(&table, **pid, root));
    family.filter_map(|pid| memory_bytes(*pid, "VmHWM:")).max().unwrap_or(0)
}

/// The memory that the process has now, in bytes.
#[must_use]
pub fn resident_bytes(pid: u32) -> u64 {
    memory_bytes(pid, "VmRSS:").unwrap_or(0)
}

struct Process {
    parent: u32,
    /// Its own and those of children that have ended.
    ticks: u64,
}

fn processes() -> HashMap<u32, Process> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, process(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?))).collect()
}

/// Fields 4 and 14 to 17 of the line, whose second is the name in parentheses.
fn process(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Some(Process { parent: fields.get(1)?.parse().ok()?, ticks })
}

fn descends(table: &HashMap<u32, Process>, pid: u32, root: u32) -> bool {
    let mut at = pid;
    while at != root {
        match table.get(&at) {
            Some(process) if process.parent != 0 => at = process.parent,
            _ => return false,
        }
    }
    true
}

fn memory_bytes(pid: u32, field: &str) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field))?;
    Some(line.split_ascii_whitespace().next()?.parse::<u64>().ok()? * KIB)
}
