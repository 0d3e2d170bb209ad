//! Directories that only this user can write to.

use std::fs::{self, DirBuilder, Permissions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use crate::{Error, path};

/// Makes the directory when it is new, and gives it at least the permissions `mode`. One that belongs to somebody
/// else, or that others may write to, is refused: our lock and our log could be anything there. So is a path that a
/// server would misread, before anything is made.
pub(crate) fn open(dir: &Path, mode: u32) -> Result<PathBuf, Error> {
    let dir = path::usable(dir)?;
    let failed = || Error::io(format!("cannot make the directory {}", dir.display()));
    fs::create_dir_all(dir.parent().unwrap_or(&dir)).map_err(failed())?;
    match DirBuilder::new().mode(mode).create(&dir) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            return Err(failed()(error));
        }
        _ => {}
    }
    let meta = fs::symlink_metadata(&dir).map_err(failed())?;
    let is_ours = meta.is_dir() && meta.uid() == geteuid().as_raw() && meta.mode() & 0o022 == 0;
    if !is_ours {
        return Err(Error::NotOurs { dir });
    }
    if meta.mode() & mode != mode {
        fs::set_permissions(&dir, Permissions::from_mode(meta.mode() | mode)).map_err(failed())?;
    }
    Ok(dir)
}
