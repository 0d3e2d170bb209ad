//! What a process and its children have used up, from the kernel's own books.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The kernel counts in these (USER_HZ is 100 on every Linux), and cuts off what is less, for each process.
const TICK: Duration = Duration::from_millis(10);
const KIB: u64 = 1024;

/// CPU time so far: of the process, its descendants, and those of them that have ended.
#[must_use]
pub fn cpu(root: u32) -> Duration {
    let table: HashMap<u32, Process> = processes();
    let family = table.iter().filter(|(pid, _)| descends(&table, **pid, root));
    // The ticks know of threads that have ended; the other, of less than a tick.
    family.map(|(pid, process)| process.own.max(exactly(&format!("/proc/{pid}/task"))) + process.ended).sum()
}

/// CPU time of those threads of this process that run and whose names are `wanted`.
pub fn cpu_of_threads(wanted: impl Fn(&str) -> bool) -> Duration {
    threads(wanted).filter_map(|task| on_cpu(&task)).sum()
}

/// CPU time of the same, and the time for which they would have run, and others had the CPU.
pub fn busy_of_threads(wanted: impl Fn(&str) -> bool) -> Duration {
    threads(wanted).filter_map(|task| Some(on_cpu(&task)? + kept_waiting(&task).unwrap_or_default())).sum()
}

fn threads(wanted: impl Fn(&str) -> bool) -> impl Iterator<Item = PathBuf> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let is_wanted =
        move |task: &PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|name| wanted(name.trim_end()));
    tasks.map(|task| task.path()).filter(is_wanted)
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
    /// What it has used itself.
    own: Duration,
    /// What children of its have used that have ended.
    ended: Duration,
}

fn processes() -> HashMap<u32, Process> {
    let pids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = pids.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter_map(|pid| Some((pid, process(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)?))).collect()
}

/// Fields 4 and 14 to 17 of the line, whose second is the name in parentheses.
fn process(stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_ascii_whitespace().collect();
    let time = |at: usize| Some(TICK * fields.get(at)?.parse().ok()?);
    Some(Process { parent: fields.get(1)?.parse().ok()?, own: time(11)? + time(12)?, ended: time(13)? + time(14)? })
}

/// CPU time of all threads in a folder of `/proc`.
fn exactly(tasks: &str) -> Duration {
    fs::read_dir(tasks).into_iter().flatten().flatten().filter_map(|task| on_cpu(&task.path())).sum()
}

/// CPU time of a thread, to the nanosecond where the kernel says so.
fn on_cpu(task: &Path) -> Option<Duration> {
    let read = |file| fs::read_to_string(task.join(file)).ok();
    read("schedstat").and_then(|text| nanoseconds(&text, RAN)).or_else(|| Some(process(&read("stat")?)?.own))
}

/// How long a thread has waited for a CPU, where the kernel says so.
fn kept_waiting(task: &Path) -> Option<Duration> {
    nanoseconds(&fs::read_to_string(task.join("schedstat")).ok()?, WAITED)
}

/// Places in the line of three numbers; the third is how often the thread ran.
const RAN: usize = 0;
const WAITED: usize = 1;

fn nanoseconds(schedstat: &str, place: usize) -> Option<Duration> {
    schedstat.split_ascii_whitespace().nth(place)?.parse().ok().map(Duration::from_nanos)
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

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn a_process_is_read_whatever_its_name_is() {
        let read = process("7 (a) b) S 4 2 3 4 5 6 7 8 9 10 30 12 5 1 20 0").unwrap();
        let ms = Duration::from_millis;
        assert_eq!((read.parent, read.own, read.ended), (4, ms(420), ms(60)));
        assert!(process("garbage").is_none());
    }

    #[test]
    fn a_thread_is_read_to_the_nanosecond() {
        let line = "1234567 89 3\n";
        assert_eq!(nanoseconds(line, RAN), Some(Duration::from_nanos(1_234_567)));
        assert_eq!(nanoseconds(line, WAITED), Some(Duration::from_nanos(89)));
        assert_eq!(nanoseconds("", RAN), None);
    }

    #[test]
    fn work_of_less_than_a_tick_is_seen() {
        // It says so when it has worked, and then waits for its end.
        let mut child = Command::new("/bin/sh");
        child.args(["-c", "echo; read _"]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = child.spawn().unwrap();
        child.stdout.take().unwrap().read_exact(&mut [0]).unwrap();
        let used = cpu(child.id());
        drop(child.stdin.take());
        child.wait().unwrap();
        assert!(used > Duration::ZERO);
    }
}
