//! The directory of a server: its lock, its log, and the few facts that are kept from one start to the next.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::{Error, own_dir, port, wait};

/// How long a predecessor that is just ending is waited for, in milliseconds. A killed server lets go of its directory
/// within milliseconds; one that still holds it after this is alive.
const LOCK_WAIT_MS_MAX: u64 = 2_000;

/// Most lines of a log that an error quotes.
const TAIL_LINES_MAX: usize = 20;

/// How many lines after a landmark an error quotes.
const AFTER_LANDMARK_LINES_MAX: usize = 4;

/// Most bytes of a log that an error quotes.
const TAIL_BYTES_MAX: u64 = 16 * 1024;

/// Random bytes in a secret: 128 bits, as 32 hexadecimal digits.
const SECRET_BYTES: usize = 16;

/// A directory that only this user can write to.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    dir: PathBuf,
}

impl Place {
    /// Makes the directory when it is new; see [`own_dir::open`].
    pub(crate) fn open(dir: &Path, mode: u32) -> Result<Self, Error> {
        Ok(Self { dir: own_dir::open(dir, mode)? })
    }

    pub(crate) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.join(name)
    }

    /// Takes the lock. The file becomes the server's standard input: so the lock is held for as long as the server,
    /// or any of its children that inherits the input, lives, and not a moment longer, whichever process ends first.
    pub(crate) fn lock(&self) -> Result<Lock, Error> {
        let path = self.path("lock");
        let what = || format!("cannot lock {}", path.display());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = options.open(&path).map_err(Error::io(what()))?;
        let taken = wait::until(LOCK_WAIT_MS_MAX, || match file.try_lock() {
            Ok(()) => Some(Ok(())),
            Err(fs::TryLockError::WouldBlock) => None,
            Err(fs::TryLockError::Error(error)) => Some(Err(error)),
        });
        match taken {
            Some(Ok(())) => Ok(Lock { file }),
            Some(Err(error)) => Err(Error::io(what())(error)),
            None => Err(Error::InUse { dir: self.dir.clone(), holder: holder(&path) }),
        }
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path("log")
    }

    /// Begins a new log and keeps the one before. Twice the same file: for standard output and for standard error.
    pub(crate) fn new_log(&self) -> Result<[Stdio; 2], Error> {
        let path = self.log();
        let begin = || {
            match fs::rename(&path, self.path("log.old")) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(&path)?;
            Ok([Stdio::from(file.try_clone()?), Stdio::from(file)])
        };
        begin().map_err(Error::io(format!("cannot begin the log {}", path.display())))
    }

    /// The last lines of the log, indented, or those around the last `landmark` in it; the reason in their stead when
    /// they cannot be read.
    pub(crate) fn log_tail(&self, landmark: Option<&str>) -> String {
        match read_end(&self.log()) {
            Ok(end) => quote(&end, landmark),
            Err(error) => format!("    (the log cannot be read: {error})"),
        }
    }

    /// The port `wanted`, or else the one of the last start when it is still free, or else a free one; kept for the
    /// next start.
    pub(crate) fn port(&self, wanted: Option<u16>) -> Result<u16, Error> {
        let port = match wanted {
            Some(port) => port,
            None => match self.last_port()? {
                Some(port) => port,
                None => port::pick_for(&self.dir)?,
            },
        };
        self.keep("port", &port.to_string())?;
        Ok(port)
    }

    fn last_port(&self) -> Result<Option<u16>, Error> {
        let Some(port) = self.kept("port").and_then(|port| port.parse().ok()) else { return Ok(None) };
        Ok(port::take_again(port, &self.dir)?.then_some(port))
    }

    /// A random word, made once and kept in a file that only its owner can read.
    pub(crate) fn secret(&self, name: &str) -> Result<String, Error> {
        if let Some(secret) = self.kept(name) {
            return Ok(secret);
        }
        let mut bytes = [0; SECRET_BYTES];
        let random = "/dev/urandom";
        File::open(random)
            .and_then(|mut file| file.read_exact(&mut bytes))
            .map_err(Error::io(format!("cannot read {random}")))?;
        let secret: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.keep(name, &secret)?;
        Ok(secret)
    }

    pub(crate) fn kept(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path(name)).ok()
    }

    /// Writes a file that only its owner can read: whole or not at all.
    pub(crate) fn keep(&self, name: &str, content: &str) -> Result<(), Error> {
        let path = self.path(name);
        let draft = self.path(&format!("{name}.new"));
        let write = || {
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
            file.write_all(content.as_bytes())?;
            fs::rename(&draft, &path)
        };
        write().map_err(Error::io(format!("cannot write {}", path.display())))
    }
}

/// A directory that is ours alone for as long as this, or the server that got it as its standard input, lives.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

impl Lock {
    /// Notes who will hold the lock from now on. Only a hint for a process that finds it taken, so its failure is none.
    pub(crate) fn note_holder(&self, pid: u32) {
        let _ = self.file.set_len(0);
        let _ = (&self.file).seek(SeekFrom::Start(0)).and_then(|_| writeln!(&self.file, "{pid}"));
    }

    /// The lock as a standard input, sharing it.
    pub(crate) fn as_input(&self) -> Result<Stdio, Error> {
        self.file.try_clone().map(Stdio::from).map_err(Error::io("cannot share a lock"))
    }
}

fn holder(lock: &Path) -> String {
    let noted = fs::read_to_string(lock).unwrap_or_default();
    match noted.trim().parse::<u32>() {
        Ok(pid) => pid.to_string(),
        Err(_) => "unknown".into(),
    }
}

fn read_end(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL_BYTES_MAX)))?;
    let mut bytes = vec![];
    file.take(TAIL_BYTES_MAX).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn quote(text: &str, landmark: Option<&str>) -> String {
    let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    let found = landmark.and_then(|landmark| lines.iter().rposition(|line| line.contains(landmark)));
    let end = found.map_or(lines.len(), |at| lines.len().min(at + 1 + AFTER_LANDMARK_LINES_MAX));
    let begin = end.saturating_sub(TAIL_LINES_MAX);
    let quoted: Vec<String> = lines[begin..end].iter().map(|line| format!("    {line}")).collect();
    if quoted.is_empty() { "    (it printed nothing)".into() } else { quoted.join("\n") }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn check(lines: std::ops::RangeInclusive<u32>, landmark: Option<&str>, quoted: std::ops::RangeInclusive<u32>) {
        let text = |lines: std::ops::RangeInclusive<u32>, indent: &str| {
            lines.map(|line| format!("{indent}line {line}.")).collect::<Vec<_>>().join("\n")
        };
        assert_eq!(quote(&text(lines, ""), landmark), text(quoted, "    "));
    }

    #[test]
    fn the_last_lines_are_quoted_or_those_around_the_landmark() {
        check(1..=3, None, 1..=3);
        check(1..=100, None, 81..=100);
        check(1..=100, Some("no such line"), 81..=100);
        check(1..=100, Some("line 50."), 35..=54);
        check(1..=100, Some("line 5."), 1..=9);
        check(1..=100, Some("line 99."), 81..=100);
    }

    #[test]
    fn an_empty_log_is_said_to_be_empty() {
        assert_eq!(quote("\n \n", None).trim(), "(it printed nothing)");
    }

    #[test]
    fn a_secret_is_made_once_and_only_its_owner_can_read_it() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::open(dir.path(), 0o700).unwrap();
        let secret = place.secret("password").unwrap();
        assert_eq!(secret.len(), 32);
        assert_eq!(place.secret("password").unwrap(), secret);
        assert_ne!(place.secret("another").unwrap(), secret);
        let mode = fs::metadata(place.path("password")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
