//! Where PostgreSQL's data lies, how it is made, and what a killed predecessor left of it.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, chown};
use std::path::Path;

use rustix::process::geteuid;

use crate::guard::Task;
use crate::place::{Lock, Place};
use crate::{Error, postgres_programs, tool};

/// PostgreSQL refuses to run as root, so root runs it as `nobody`, which has this user and group id on Debian.
const NOBODY: u32 = 65_534;

/// The superuser.
pub(crate) const USER: &str = "flash";

const INITDB_LIMIT_MS: u64 = 120_000;
const LOOK_LIMIT_MS: u64 = 10_000;

/// A place for a cluster that the server's user can reach, locked.
pub(crate) struct Cluster {
    pub(crate) place: Place,
    pub(crate) lock: Lock,
    /// Whom to run PostgreSQL as, when not as ourselves.
    pub(crate) user: Option<u32>,
}

impl Cluster {
    /// In `dir`, or in /var/tmp when we are root and `nobody` cannot reach it.
    pub(crate) fn open(dir: &Path) -> Result<Self, Error> {
        if !geteuid().is_root() {
            let place = Place::open(dir, 0o700)?;
            let lock = place.lock()?;
            return Ok(Self { place, lock, user: None });
        }
        // Everyone may go through, to `data`, which is `nobody`'s alone. The rest is ours.
        let wanted = Place::open(dir, 0o711)?;
        if can_reach(NOBODY, wanted.dir()) {
            let lock = wanted.lock()?;
            return Ok(Self { place: wanted, lock, user: Some(NOBODY) });
        }
        let hash = fnv1a(wanted.dir().as_os_str().as_encoded_bytes());
        let place = Place::open(Path::new(&format!("/var/tmp/flash-postgres-{hash:016x}")), 0o711)?;
        let lock = place.lock()?;
        forget_unless_of(&wanted, &place)?;
        Ok(Self { place, lock, user: Some(NOBODY) })
    }
}

/// Asks the kernel, as that user: permissions of the parents, groups and access lists all count.
fn can_reach(user: u32, dir: &Path) -> bool {
    let look = Task {
        program: "/bin/sh".into(),
        args: vec!["-c".into(), r#"test -x "$0""#.into(), dir.into()],
        env: vec![],
        dir: "/".into(),
        user: Some(user),
    };
    tool::run("sh", &look, "", LOOK_LIMIT_MS).is_ok()
}

/// 64-bit FNV-1a: the same in every release of Rust, unlike the standard library's.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A cluster that lies elsewhere belongs to one life of the wanted directory. Remove that, and the next start shall not
/// find old rows.
fn forget_unless_of(wanted: &Place, moved: &Place) -> Result<(), Error> {
    let id = wanted.secret("id")?;
    if moved.kept("id").as_ref() == Some(&id) {
        return Ok(());
    }
    remove(&moved.path("data"))?;
    remove(&moved.path("password"))?;
    moved.keep("id", &id)
}

/// Makes `data`, and a password for the superuser. One that was cut short begins again: only the last step gives the
/// directory its name.
pub(crate) fn create(place: &Place, user: Option<u32>, fsync: bool) -> Result<(), Error> {
    let (draft, data, password) = (place.path("data.new"), place.path("data"), place.path("password"));
    let failed = || Error::io(format!("cannot make {}", data.display()));
    remove(&draft)?;
    DirBuilder::new().mode(0o700).create(&draft).map_err(failed())?;
    place.secret("password")?;
    for path in [&draft, &password] {
        chown(path, user, user).map_err(failed())?;
    }
    let options = ["--auth=scram-sha-256", "--encoding=UTF8", "--no-locale", "--username", USER];
    let mut args: Vec<OsString> = options.map(Into::into).into();
    args.extend(["--pwfile".into(), password.into(), "--pgdata".into(), draft.clone().into()]);
    if !fsync {
        args.push("--no-sync".into());
    }
    let initdb = Task { program: postgres_programs::find("initdb")?, args, env: vec![], dir: place.dir().into(), user };
    tool::run("initdb", &initdb, "", INITDB_LIMIT_MS)?;
    keep_password(place)?;
    fs::rename(&draft, &data).map_err(failed())
}

/// The superuser's password is ours alone from now on: `nobody`, who runs the server, runs other programs as well.
pub(crate) fn keep_password(place: &Place) -> Result<(), Error> {
    let path = place.path("password");
    chown(&path, Some(geteuid().as_raw()), None).map_err(Error::io(format!("cannot take {} back", path.display())))
}

/// PostgreSQL takes the pid file of a killed predecessor for a live one when its number belongs to another process by
/// now, as it easily does in a container. A postmaster works in its data directory, so that tells them apart.
pub(crate) fn remove_stale_pid_file(data: &Path) -> Result<(), Error> {
    let path = data.join("postmaster.pid");
    let Ok(content) = fs::read_to_string(&path) else {
        return Ok(());
    };
    let pid = content.lines().next().unwrap_or_default();
    let works_in = fs::read_link(format!("/proc/{pid}/cwd")).ok();
    let is_live = works_in.is_some() && works_in == fs::canonicalize(data).ok();
    if is_live { Ok(()) } else { remove(&path) }
}

/// Removes a file or a directory, if it is there.
fn remove(path: &Path) -> Result<(), Error> {
    let removed = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io(format!("cannot remove {}", path.display()))(error))
        }
        _ => Ok(()),
    }
}
