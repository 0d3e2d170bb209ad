//! The keys that authenticate messages: a client that can publish to the queue without one sells nothing.
//!
//! A message has an HMAC-SHA-256 (RFC 2104) over when it was published and its body, in a header. The trace beside it
//! is for logs alone. The first key of the file signs; each verifies, so that all processes can get a new key before
//! any uses it.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ring::hmac;
use tokio::time::sleep;

/// Keys in a file: one, or two while the processes go over from one to the other.
pub const MESSAGE_KEYS_MAX: usize = 2;
/// Bytes of a key at least: as many as the hash has.
pub const MESSAGE_KEY_BYTES_MIN: usize = 32;
/// Bytes of a file of keys.
const FILE_BYTES_MAX: u64 = 4 * 1024;
/// How often the file is looked at.
const LOOK_MS: u64 = 1_000;
/// Begins what is signed, so that a key that signs other things too is not to be had for messages.
const WHAT: &[u8] = b"flash message 1\0";

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum MessageKeysError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    File(#[from] io::Error),
    /// It is no regular file.
    #[error("must be a regular file")]
    Kind,
    /// It is something else.
    #[error(
        "must hold 1 to {MESSAGE_KEYS_MAX} keys, a line each, of at least {MESSAGE_KEY_BYTES_MIN} bytes \
         (`openssl rand -hex 32` makes one)"
    )]
    Keys,
}

/// The keys of a process. Clones are the same ones. Without any, nothing is signed and everything is believed.
#[derive(Clone, Default)]
pub struct MessageKeys {
    /// None: nothing is authenticated.
    shared: Option<Arc<Shared>>,
}

struct Shared {
    file: PathBuf,
    keys: RwLock<Vec<hmac::Key>>,
}

impl MessageKeys {
    /// Reads a file.
    ///
    /// # Errors
    /// See [`MessageKeysError`].
    pub fn open(file: &Path) -> Result<Self, MessageKeysError> {
        let keys = RwLock::new(read(file)?);
        Ok(Self { shared: Some(Arc::new(Shared { file: file.to_owned(), keys })) })
    }

    /// Reads the file again when it changes, for ever. One that cannot be used is said so, and changes nothing.
    pub async fn watch(self) {
        let Some(shared) = self.shared else { return };
        let mut is_bad = false;
        loop {
            sleep(Duration::from_millis(LOOK_MS)).await;
            let file = shared.file.clone();
            // A file that does not answer holds up no one but this.
            match tokio::task::spawn_blocking(move || read(&file)).await {
                Ok(Ok(keys)) => {
                    *shared.keys.write().unwrap_or_else(PoisonError::into_inner) = keys;
                    is_bad = false;
                }
                Ok(Err(error)) if !std::mem::replace(&mut is_bad, true) => {
                    let file = shared.file.display();
                    tracing::error!(%file, %error, "the message keys before it stay in use");
                }
                _ => {}
            }
        }
    }

    /// What proves that a message is of one who has the key, in hexadecimal digits. None: nothing is signed.
    pub(crate) fn sign(&self, published_at_ms: Option<u64>, body: &[u8]) -> Option<String> {
        let keys = self.shared.as_ref()?.keys.read().unwrap_or_else(PoisonError::into_inner);
        let tag = hmac::sign(keys.first()?, &signed(published_at_ms, body));
        Some(tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Whether a message is of one who has a key.
    pub(crate) fn is_authentic(&self, published_at_ms: Option<u64>, body: &[u8], tag: Option<&[u8]>) -> bool {
        let Some(shared) = &self.shared else { return true };
        let Some(tag) = tag.and_then(from_hex) else { return false };
        let signed = signed(published_at_ms, body);
        let keys = shared.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.iter().any(|key| hmac::verify(key, &signed, &tag).is_ok())
    }
}

fn signed(published_at_ms: Option<u64>, body: &[u8]) -> Vec<u8> {
    // No time that is one is the highest number.
    let at_ms = published_at_ms.unwrap_or(u64::MAX).to_be_bytes();
    [WHAT, &at_ms, body].concat()
}

fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digits = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 64 && digits.is_ascii())?;
    (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok()).collect()
}

fn read(file: &Path) -> Result<Vec<hmac::Key>, MessageKeysError> {
    if !std::fs::metadata(file)?.is_file() {
        return Err(MessageKeysError::Kind);
    }
    let mut text = String::new();
    File::open(file)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let is_good = |key: &&str| key.len() >= MESSAGE_KEY_BYTES_MIN;
    let is_in_bounds = text.len() as u64 <= FILE_BYTES_MAX && (1..=MESSAGE_KEYS_MAX).contains(&lines.len());
    if !is_in_bounds || !lines.iter().all(is_good) {
        return Err(MessageKeysError::Keys);
    }
    Ok(lines.iter().map(|key| hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "old key, of as many bytes as needed.";
    const NEW: &str = "new key, of as many bytes as needed.";

    fn keys(lines: &str) -> Result<MessageKeys, MessageKeysError> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("keys");
        std::fs::write(&file, lines).unwrap();
        MessageKeys::open(&file)
    }

    #[test]
    fn a_message_is_believed_by_each_key_and_signed_by_the_first() {
        let [old, both, both_again, new] =
            [OLD.to_owned(), format!("{OLD}\n{NEW}\n"), format!("{NEW}\n\n{OLD}"), NEW.to_owned()]
                .map(|lines| keys(&lines).unwrap());
        let check = |signs: &MessageKeys, verifies: &MessageKeys, want| {
            let tag = signs.sign(Some(7), b"body").unwrap();
            assert_eq!(verifies.is_authentic(Some(7), b"body", Some(tag.as_bytes())), want);
        };
        for verifies in [&old, &both, &both_again] {
            check(&old, verifies, true);
            check(&both, verifies, true);
        }
        for verifies in [&both, &both_again, &new] {
            check(&both_again, verifies, true);
            check(&new, verifies, true);
        }
        check(&old, &new, false);
        check(&new, &old, false);
    }

    #[test]
    fn another_body_another_time_and_no_tag_are_not_believed() {
        let keys = keys(OLD).unwrap();
        let tag = keys.sign(Some(7), b"body").unwrap();
        let check = |at_ms, body: &[u8], tag: Option<&[u8]>| keys.is_authentic(at_ms, body, tag);
        assert!(check(Some(7), b"body", Some(tag.as_bytes())));
        assert!(check(Some(7), b"body", Some(tag.to_uppercase().as_bytes())), "digits are digits");
        assert!(!check(Some(7), b"body!", Some(tag.as_bytes())));
        assert!(!check(Some(8), b"body", Some(tag.as_bytes())));
        assert!(!check(None, b"body", Some(tag.as_bytes())));
        for bad in [b"".as_slice(), &tag.as_bytes()[1..], &[b'0'; 64], &[0xff; 64], "\u{eb}".repeat(32).as_bytes()] {
            assert!(!check(Some(7), b"body", Some(bad)), "{bad:?}");
        }
        assert!(!check(Some(7), b"body", None));
        assert!(MessageKeys::default().is_authentic(None, b"body", None), "without keys all are believed");
    }

    #[test]
    fn a_file_of_anything_else_is_refused() {
        let three = format!("{OLD}\n{NEW}\n{OLD}");
        for bad in ["", "\n \n", "short", three.as_str(), &"x".repeat(5_000), &format!("{OLD}\nshort")] {
            assert!(matches!(keys(bad), Err(MessageKeysError::Keys)), "{bad:.40}");
        }
        assert!(matches!(MessageKeys::open(Path::new("/dev/null")), Err(MessageKeysError::Kind)));
        assert!(matches!(MessageKeys::open(Path::new("/none")), Err(MessageKeysError::File(_))));
    }
}
