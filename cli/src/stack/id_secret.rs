//! Secrets that are made once, and kept with the other data: the one that ids of reservations are made with, so that
//! ids stay what they are, and the one that messages are signed with.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

const FILE: &str = "id_secret";
const MESSAGE_KEYS: &str = "message_keys";

/// The secret of this directory.
pub(crate) fn of(dir: &Path) -> Result<String> {
    kept(dir, FILE)
}

/// The file of its message keys.
pub(crate) fn message_keys(dir: &Path) -> Result<PathBuf> {
    kept(dir, MESSAGE_KEYS)?;
    Ok(dir.join(MESSAGE_KEYS))
}

fn kept(dir: &Path, name: &str) -> Result<String> {
    let file = dir.join(name);
    match fs::read_to_string(&file) {
        Ok(secret) => return Ok(secret.trim().to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(error).with_context(|| format!("{}", file.display())),
    }
    let secret: String = rand::random::<[u8; 32]>().iter().map(|byte| format!("{byte:02x}")).collect();
    // Where every server runs already, nothing else has made it.
    fs::create_dir_all(dir)?;
    let mut new = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&file)?;
    new.write_all(secret.as_bytes()).with_context(|| format!("{}", file.display()))?;
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_has_one_secret_which_is_its_owners() {
        let dir = std::env::temp_dir().join(format!("flash-id-secret-{}", std::process::id()));
        fs::create_dir(&dir).expect("a new directory");
        let secret = of(&dir).expect("writable");
        assert_eq!(of(&dir).expect("readable"), secret);
        assert!(secret.len() >= flash_gateway::limits::ID_SECRET_BYTES_MIN);
        let mode = fs::metadata(dir.join(FILE)).expect("written").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::remove_dir_all(&dir).expect("written above");
    }
}
