//! Clocks that can be set while their processes run: by libfaketime those of gateways, syncers and PostgreSQL.
//! Monotonic clocks go on as they were.
//!
//! redis-server does not start under libfaketime; its clock is set by the module's own FLASH.OFFSET.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use tempfile::TempDir;

/// Where Debian's package libfaketime puts the library, below a folder for the architecture.
const LIBRARY: &str = "faketime/libfaketimeMT.so.1";
/// What the library leaves in /dev/shm of each process that was killed, before the process id.
const REMAINS: [&str; 2] = ["sem.faketime_sem_", "faketime_shm_"];

/// A file for each clock, with its offset.
pub(crate) struct Clocks {
    folder: TempDir,
    library: PathBuf,
}

impl Clocks {
    pub(crate) fn new() -> Result<Self> {
        let library = library().context("libfaketime, which scripts/bootstrap installs")?;
        let folder = tempfile::tempdir()?;
        // PostgreSQL reads it as another user.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        Ok(Self { folder, library })
    }

    /// What makes a process read the clock `name`, which is right at first.
    pub(crate) fn environment(&self, name: &str) -> Result<Vec<(&'static str, String)>> {
        self.set(name, 0)?;
        let text = |path: &Path| path.to_str().map(str::to_owned).context("a path in UTF-8");
        Ok(vec![
            ("LD_PRELOAD", text(&self.library)?),
            ("FAKETIME_TIMESTAMP_FILE", text(&self.folder.path().join(name))?),
            ("FAKETIME_NO_CACHE", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ])
    }

    /// From now on the clock `name` is off by so much.
    pub(crate) fn set(&self, name: &str, offset_s: i64) -> Result<()> {
        let (file, new) = (self.folder.path().join(name), self.folder.path().join(format!("{name}.new")));
        fs::write(&new, format!("{offset_s:+}\n"))?;
        fs::rename(new, file).context("a clock")
    }
}

impl Drop for Clocks {
    fn drop(&mut self) {
        for entry in fs::read_dir("/dev/shm").into_iter().flatten().flatten() {
            let name = entry.file_name();
            let pid = REMAINS.iter().find_map(|remains| name.to_str()?.strip_prefix(remains));
            if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

fn library() -> Option<PathBuf> {
    let folders = fs::read_dir("/usr/lib").ok()?.flatten();
    folders.map(|folder| folder.path().join(LIBRARY)).find(|library| library.exists())
}
