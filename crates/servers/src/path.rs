//! Paths that need no quoting: servers hand their directory to shell scripts, configuration files and Erlang terms.

use std::path::{Path, PathBuf};

use crate::Error;

/// Longest absolute path of a server's directory or file, in bytes. PostgreSQL cuts paths at 1,024 bytes (MAXPGPATH),
/// and adds the names of its own files to this one.
pub(crate) const PATH_BYTES_MAX: usize = 512;

/// What quotes, escapes or expands in a shell, in `redis.conf` or in an Erlang term.
const QUOTING: &[char] = &['\'', '"', '`', '\\', '$'];

/// Makes a path absolute, if every server can work with it. Spaces and letters of any script pass.
///
/// # Errors
/// When the path is empty, is not UTF-8, is too long, or has characters that some server's scripts would misread.
pub(crate) fn usable(path: &Path) -> Result<PathBuf, Error> {
    let refused = |path: &Path, rule: String| Err(Error::BadPath { path: path.to_owned(), rule });
    let absolute = match std::path::absolute(path) {
        Ok(absolute) => absolute,
        Err(error) => return refused(path, error.to_string()),
    };
    let Some(text) = absolute.to_str() else { return refused(&absolute, "it must be UTF-8".into()) };
    if text.len() > PATH_BYTES_MAX {
        return refused(&absolute, format!("it has {} bytes, and must have at most {PATH_BYTES_MAX}", text.len()));
    }
    match text.chars().find(|letter| letter.is_control() || QUOTING.contains(letter)) {
        Some(letter) => refused(&absolute, format!("it must not contain {letter:?}")),
        None => Ok(absolute),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    fn check(path: &[u8], rule: Option<&str>) {
        let got = usable(Path::new(OsStr::from_bytes(path))).map_err(|error| error.to_string());
        match rule {
            None => assert_eq!(got, Ok(Path::new(OsStr::from_bytes(path)).to_owned())),
            Some(rule) => assert!(got.as_ref().is_err_and(|error| error.contains(rule)), "{path:?}: {got:?}"),
        }
    }

    #[test]
    fn what_a_script_would_misread_is_refused_with_its_rule() {
        for path in ["/a b/c", "/jos\u{e9}/\u{5e97}", "/-a/~b", "/a&b;c#d*e?f(g)[h]{i}", "/%41=<x|y>!", "/ a "] {
            check(path.as_bytes(), None);
        }
        check(b"/o'brien", Some(r#"must not contain '\''"#));
        check(b"/a\"b", Some("must not contain"));
        check(b"/a\\b", Some("must not contain"));
        check(b"/$HOME", Some("must not contain '$'"));
        check(b"/`id`", Some("must not contain '`'"));
        check(b"/a\nb", Some(r"must not contain '\n'"));
        check(b"/a\tb", Some(r"must not contain '\t'"));
        check("/a\u{85}b".as_bytes(), Some("must not contain"));
        check(b"/a\xff", Some("must be UTF-8"));
        check(b"", Some("empty"));
        check("/a".repeat(PATH_BYTES_MAX / 2).as_bytes(), None);
        check("/a".repeat(PATH_BYTES_MAX / 2 + 1).as_bytes(), Some("it has 514 bytes, and must have at most 512"));
    }
}
