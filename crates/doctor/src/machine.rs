//! This machine.

use rustix::process::{Resource, getrlimit};

use flash_transport::Finding;

/// Whether this process, or one that is started as it was, may open as many files.
pub(crate) fn open_files(wanted: u64) -> Finding {
    match getrlimit(Resource::Nofile).current {
        Some(files) if files < wanted => Finding::warn(
            format!("a process here may open {files} files; a gateway at capacity needs {wanted}"),
            format!("raise the limit (ulimit -n {wanted}, LimitNOFILE= of systemd): above it, new connections wait"),
        ),
        Some(files) => Finding::ok(format!("a process may open {files} files; a gateway needs {wanted} at most")),
        None => Finding::ok("the number of open files is not limited"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flash_transport::Level;

    #[test]
    fn more_files_than_anyone_may_open_are_too_many() {
        assert_eq!(open_files(0).level, Level::Ok);
        if getrlimit(Resource::Nofile).current.is_some() {
            assert_eq!(open_files(u64::MAX).level, Level::Warn);
        }
    }
}
