//! URLs hold passwords: they come from the environment or from files, never from arguments.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

/// The bit of a file's mode by which every user reads it.
const OTHERS_READ: u32 = 0o004;

/// Declares where a URL or a secret comes from. There is no flag for it: arguments are seen by every user of the
/// machine.
macro_rules! url_source {
    ($name:ident, $url:ident, $file:ident, $url_env:literal, $file_env:literal) => {
        #[derive(Debug, clap::Args)]
        pub(crate) struct $name {
            #[arg(long, hide = true, env = $url_env, hide_env_values = true)]
            $url: Option<String>,
            #[arg(long, hide = true, env = $file_env)]
            $file: Option<std::path::PathBuf>,
        }

        impl $name {
            pub(crate) const fn source(&self) -> $crate::secret::UrlSource<'_> {
                $crate::secret::UrlSource { url: self.$url.as_ref(), file: self.$file.as_ref(), variable: $url_env }
            }
        }
    };
}

pub(crate) use url_source;

/// Where a URL may stand.
pub(crate) struct UrlSource<'a> {
    pub(crate) url: Option<&'a String>,
    pub(crate) file: Option<&'a PathBuf>,
    /// The environment variable that holds the URL; with the suffix `_FILE`, the name of a file that does.
    pub(crate) variable: &'static str,
}

impl UrlSource<'_> {
    /// The URL, if there is to be one.
    pub(crate) fn read_if_set(&self) -> Result<Option<String>> {
        if self.url.is_none() && self.file.is_none() { Ok(None) } else { self.read().map(Some) }
    }

    /// The URL. A file wins over a variable, for a file is the more deliberate of the two.
    pub(crate) fn read(&self) -> Result<String> {
        if let Some(file) = self.file {
            // What is mounted into a container is often readable by all who are in it, so it is no error.
            if fs::metadata(file).is_ok_and(|about| about.permissions().mode() & OTHERS_READ != 0) {
                tracing::warn!(file = %file.display(), "other users can read {}_FILE", self.variable);
            }
            let url =
                fs::read_to_string(file).with_context(|| format!("{}_FILE: {}", self.variable, file.display()))?;
            return Ok(url.trim().to_owned());
        }
        match self.url {
            Some(url) => Ok(url.clone()),
            None => bail!("{0} (or {0}_FILE) is not set; see `flash gateway --help`", self.variable),
        }
    }
}

/// A setting's value with what may be a password left out. A value that stays the same holds none. What is no URL by
/// its name is a secret as a whole, whatever it looks like.
pub(crate) fn redact(name: &str, value: &str) -> String {
    const HIDDEN: &str = "***";
    if !name.ends_with("-url") {
        return HIDDEN.to_owned();
    }
    let Some((scheme, rest)) = value.split_once("://") else { return HIDDEN.to_owned() };
    let may_hold_one = rest.contains('@') || rest.to_ascii_lowercase().contains("pass");
    if rest.contains('?') && may_hold_one {
        return format!("{scheme}://{HIDDEN}");
    }
    // A password may have any of these letters in it: the last one counts.
    let Some((user, host)) = rest.rsplit_once('@') else { return value.to_owned() };
    match user.split_once(':') {
        Some((user, _)) => format!("{scheme}://{user}:{HIDDEN}@{host}"),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_not_shown() {
        for (value, want) in [
            ("redis://ada:secret@host:6379/1", "redis://ada:***@host:6379/1"),
            ("redis://:secret@host", "redis://:***@host"),
            ("redis://ada:se@c/r:et@host", "redis://ada:***@host"),
            ("redis://ada:se?cret@host", "redis://***"),
            ("postgres://ada@host/db?password=secret", "postgres://***"),
            ("redis://host?pass=secret", "redis://***"),
            ("host=db password=secret", "***"),
            ("secret", "***"),
            ("redis://127.0.0.1:6379", "redis://127.0.0.1:6379"),
            ("postgres://ada@host/db", "postgres://ada@host/db"),
            ("postgres://host/db?sslmode=require", "postgres://host/db?sslmode=require"),
        ] {
            assert_eq!(redact("redis-url", value), want);
        }
        for secret in ["hush", "hush://hush", ""] {
            assert_eq!(redact("jwt-secret", secret), "***");
        }
    }

    #[test]
    fn a_file_wins_over_a_variable_and_nothing_is_a_clear_error() {
        let file = std::env::temp_dir().join(format!("flash-url-{}", std::process::id()));
        fs::write(&file, "redis://file\n").expect("writable");
        let (url, variable) = ("redis://variable".to_owned(), "FLASH_REDIS_URL");
        let read = |url, file| UrlSource { url, file, variable }.read().map_err(|error| error.to_string());
        assert_eq!(read(Some(&url), Some(&file)), Ok("redis://file".to_owned()));
        assert_eq!(read(Some(&url), None), Ok("redis://variable".to_owned()));
        assert_eq!(
            read(None, None),
            Err("FLASH_REDIS_URL (or FLASH_REDIS_URL_FILE) is not set; see `flash gateway --help`".to_owned())
        );
        fs::remove_file(&file).expect("written above");
    }
}
