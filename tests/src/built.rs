//! What cargo built beside these tests.

use std::path::PathBuf;

/// A file that cargo built beside this test.
///
/// # Panics
/// When it is not there: the tests were not started by `make test`.
#[must_use]
pub fn built(name: &str) -> PathBuf {
    let test = std::env::current_exe().expect("this program has a path");
    let folder = test.ancestors().nth(2).expect("target/<profile>/deps/…");
    let path = folder.join(name);
    assert!(path.is_file(), "{} is not there: run the tests by `make test`, which builds it", path.display());
    path
}
