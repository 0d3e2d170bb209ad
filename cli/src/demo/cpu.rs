//! What the gateway's threads cost, from the kernel's own books.

use std::fs;
use std::time::Duration;

/// The kernel counts in these (USER_HZ is 100 on every Linux).
const TICK: Duration = Duration::from_millis(10);

/// CPU time of the threads that serve HTTP in this process, so far.
pub(crate) struct Usage(Duration);

impl Usage {
    pub(crate) fn now() -> Self {
        let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
        let stats = tasks.filter_map(|task| fs::read_to_string(task.path().join("stat")).ok());
        let ticks: u32 = stats.filter_map(|stat| http_ticks(&stat)).sum();
        Self(TICK * ticks)
    }

    /// What was used since.
    pub(crate) fn since(&self) -> Duration {
        Self::now().0.saturating_sub(self.0)
    }
}

/// User and system ticks of a thread, if it serves HTTP: fields 14 and 15 of its line, whose second is the name in
/// parentheses.
fn http_ticks(stat: &str) -> Option<u32> {
    let (name, fields) = stat.split_once('(')?.1.rsplit_once(')')?;
    let mut fields = fields.split_whitespace().skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    name.starts_with("flash-http").then_some(ticks()? + ticks()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_read_of_http_threads_only() {
        let stat = |name: &str| format!("7 ({name}) S 1 2 3 4 5 6 7 8 9 10 30 12 0 0 20");
        assert_eq!(http_ticks(&stat("flash-http-0")), Some(42));
        assert_eq!(http_ticks(&stat("flash-relay")), None);
        assert_eq!(http_ticks("garbage"), None);
    }
}
