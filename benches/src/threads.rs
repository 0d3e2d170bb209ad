//! What the threads of a process have used up, to the nanosecond, by the kernel's scheduler.

use std::fs;

/// Nanoseconds on a core, by the thread's name.
pub struct Threads(Vec<(String, u64)>);

impl Threads {
    /// Of a process up to now.
    ///
    /// # Errors
    /// When there is no such process.
    pub fn of(pid: u32) -> anyhow::Result<Self> {
        let tasks = fs::read_dir(format!("/proc/{pid}/task"))?.flatten().map(|entry| entry.path());
        let task = |path: std::path::PathBuf| {
            let name = fs::read_to_string(path.join("comm")).ok()?;
            let spent = fs::read_to_string(path.join("schedstat")).ok()?;
            Some((name.trim_end().to_owned(), spent.split(' ').next()?.parse().ok()?))
        };
        Ok(Self(tasks.filter_map(task).collect()))
    }

    /// What was spent after `before`.
    pub fn since(&self, before: &Self) -> Self {
        let spent =
            |name: &str| before.0.iter().filter(|(other, _)| other == name).map(|(_, spent)| spent).sum::<u64>();
        Self(self.0.iter().map(|(name, now)| (name.clone(), now.saturating_sub(spent(name)))).collect())
    }

    /// Of all whose names begin so.
    pub fn of_name(&self, name: &str) -> f64 {
        self.0.iter().filter(|(other, _)| other.starts_with(name)).map(|(_, spent)| *spent as f64).sum()
    }
}
