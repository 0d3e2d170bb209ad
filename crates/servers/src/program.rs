//! Programs of the system: where they are.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::Error;

/// Where servers and their tools may lie though a user's `PATH` does not name it.
const SYSTEM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Our own `PATH`, then the system's.
pub(crate) fn search_path() -> OsString {
    let mut path = env::var_os("PATH").unwrap_or_default();
    if !path.is_empty() {
        path.push(":");
    }
    path.push(SYSTEM_PATH);
    path
}

/// The program of that name on the search path.
pub(crate) fn find(program: &'static str, package: &'static str) -> Result<PathBuf, Error> {
    env::split_paths(&search_path())
        .map(|directory| directory.join(program))
        .find(|path| is_executable(path))
        .ok_or(Error::Missing { program, package })
}

/// Is it a file that somebody may execute?
pub(crate) fn is_executable(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_program_names_its_package_and_the_script_that_installs_it() {
        let message = find("no-such-program", "no-such-package").unwrap_err().to_string();
        assert!(message.contains("scripts/bootstrap"), "{message}");
        assert!(message.contains("no-such-package"), "{message}");
    }
}
