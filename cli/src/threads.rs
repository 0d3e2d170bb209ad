//! What threads of this process cost, from the kernel's own books.

use std::fs;
use std::time::Duration;

/// The kernel counts in these (USER_HZ is 100 on every Linux).
const TICK: Duration = Duration::from_millis(10);

/// CPU time so far of those threads of this process whose names are `wanted`.
pub(crate) fn cpu(wanted: fn(&str) -> bool) -> Duration {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let stats = tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
    let ticks: u32 = stats.filter_map(|stat| ticks(&stat, wanted)).sum();
    TICK * ticks
}

/// User and system ticks of a thread, if its name is `wanted`: fields 14 and 15 of its line, whose second is the name in
/// parentheses.
fn ticks(stat: &str, wanted: fn(&str) -> bool) -> Option<u32> {
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    wanted(name).then_some(ticks()? + ticks()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stat: &str, want: Option<u32>) {
        assert_eq!(ticks(stat, |name| name.starts_with("flash-http")), want, "{stat}");
    }

    #[test]
    fn ticks_are_read_of_wanted_threads_only() {
        check("7 (flash-http-0) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20", Some(42));
        check("7 (flash-relay) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20", None);
        check("garbage", None);
    }
}
