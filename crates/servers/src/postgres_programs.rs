//! PostgreSQL's programs: where they are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{Error, program};

const PACKAGE: &str = "postgresql";

/// Where Debian keeps the programs, one directory a major version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// A program of the highest version that has it (one may have come with its clients only); one on the search path
/// where Debian's directories are not.
pub(crate) fn find(program: &'static str) -> Result<PathBuf, Error> {
    let versions = fs::read_dir(VERSIONS).into_iter().flatten();
    let newest = versions
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<u32>().ok())
        .map(|version| (version, format!("{VERSIONS}/{version}/bin/{program}")))
        .filter(|(_, path)| program::is_executable(Path::new(path)))
        .max();
    match newest {
        Some((_, path)) => Ok(path.into()),
        None => program::find(program, PACKAGE),
    }
}
