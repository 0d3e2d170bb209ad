//! Free ports on 127.0.0.1.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::net::{self, AddressFamily, SocketFlags, SocketType};
use rustix::process::geteuid;

use crate::{Error, own_dir};

/// First port handed out, above the well-known servers.
const PORT_MIN: u16 = 20_000;

/// Ports that belong to one process at a time, whether or not anybody listens there: a server that is down for a moment
/// is to find its port free when it comes back.
const BLOCK_PORTS: u16 = 64;

/// How many such blocks there are. The last port lies just below the range from which Linux gives local ports to
/// outgoing connections (`ip_local_port_range`, 32,768 by default). A port from that range may be taken while a server
/// starts; worse, a client that keeps connecting to the port of a killed server may be connected to itself, and then
/// holds the port against the server's return.
const BLOCKS: u16 = 199;

/// Blocks of one process. Where it needs more ports, it hands its own out again.
const OWN_BLOCKS_MAX: usize = 8;

/// The blocks of this process.
struct Own {
    blocks: Vec<Block>,
    /// The next port to look at, counted over all of them.
    next: usize,
    /// Which of their ports was given to the server in which directory.
    given: BTreeMap<u16, PathBuf>,
    /// Blocks that only ports of earlier lives are taken from.
    earlier: Vec<Block>,
}

static OWN: Mutex<Own> = Mutex::new(Own::new());

struct Block {
    first: u16,
    /// Locked as long as this process lives.
    _lock: File,
}

/// Is the port free of listeners?
pub(crate) fn is_free(port: u16) -> bool {
    look_at(port).is_ok()
}

/// Looks without listening: whatever another thread starts meanwhile holds a copy of the socket until it has become the
/// program that it is to be, and a copy of a listener would be one to the next look, and to the server itself.
fn look_at(port: u16) -> io::Result<OwnedFd> {
    let socket = net::socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    net::bind(&socket, &SocketAddrV4::new(Ipv4Addr::LOCALHOST, port))?;
    Ok(socket)
}

/// A port that is free now, and that no other process of this user which asks here gets as long as this one lives. No
/// port is handed out twice before 511 others have been.
///
/// # Errors
/// When all are taken, or there is no place for lock files.
pub fn pick() -> Result<u16, Error> {
    own().pick()
}

/// The same, for the server in this directory.
pub(crate) fn pick_for(dir: &Path) -> Result<u16, Error> {
    own().pick_for(dir)
}

/// Whether the server in this directory can have the port again that it had before, maybe in an earlier life: it is
/// free, and no other process gets it from now on.
pub(crate) fn take_again(port: u16, dir: &Path) -> Result<bool, Error> {
    Ok(is_free(port) && own().take_again(port, dir)?)
}

fn own() -> MutexGuard<'static, Own> {
    OWN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Own {
    const fn new() -> Self {
        Self { blocks: Vec::new(), next: 0, given: BTreeMap::new(), earlier: Vec::new() }
    }

    fn pick_for(&mut self, dir: &Path) -> Result<u16, Error> {
        let port = self.pick()?;
        self.given.insert(port, dir.to_owned());
        Ok(port)
    }

    fn take_again(&mut self, port: u16, dir: &Path) -> Result<bool, Error> {
        let Some(at) = port.checked_sub(PORT_MIN).map(|offset| offset / BLOCK_PORTS).filter(|at| *at < BLOCKS) else {
            return Ok(true);
        };
        let is_in = |blocks: &[Block]| blocks.iter().any(|block| block.first == first_port(at));
        // It may have been given to another by now, or will be.
        if is_in(&self.blocks) {
            return Ok(self.given.get(&port).is_some_and(|given| given == dir));
        }
        if is_in(&self.earlier) {
            return Ok(true);
        }
        let block = lock_block(at)?;
        let is_ours = block.is_some();
        self.earlier.extend(block);
        Ok(is_ours)
    }

    fn pick(&mut self) -> Result<u16, Error> {
        let tries = OWN_BLOCKS_MAX * usize::from(BLOCK_PORTS);
        for _ in 0..tries {
            let port = self.next_port()?;
            if is_free(port) {
                return Ok(port);
            }
        }
        Err(Error::NoFreePort { tried: tries })
    }

    fn next_port(&mut self) -> Result<u16, Error> {
        let (block, offset) = (self.next / usize::from(BLOCK_PORTS), self.next % usize::from(BLOCK_PORTS));
        if block == self.blocks.len() {
            match if block < OWN_BLOCKS_MAX { take_block()? } else { None } {
                Some(block) => self.blocks.push(block),
                None if block == 0 => return Err(Error::NoFreePort { tried: usize::from(BLOCKS * BLOCK_PORTS) }),
                None => {
                    self.next = 0;
                    return self.next_port();
                }
            }
        }
        self.next += 1;
        Ok(self.blocks[block].first + u16::try_from(offset).unwrap_or_default())
    }
}

/// Takes a block that no process has. Every process begins its search at a random one.
fn take_block() -> Result<Option<Block>, Error> {
    let start = random();
    let mut blocks = (0..BLOCKS).map(|at| lock_block((start + at) % BLOCKS));
    blocks.find_map(Result::transpose).transpose()
}

/// Takes this block; none: it is taken.
fn lock_block(at: u16) -> Result<Option<Block>, Error> {
    let dir = own_dir::open(&locks(), 0o700)?;
    let failed = || Error::io(format!("cannot lock ports in {}", dir.display()));
    let lock = lock_file(&dir.join(at.to_string())).map_err(failed())?;
    Ok(lock.try_lock().is_ok().then(|| Block { first: first_port(at), _lock: lock }))
}

const fn first_port(block: u16) -> u16 {
    PORT_MIN + block * BLOCK_PORTS
}

fn lock_file(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).truncate(false).write(true).open(path)
}

/// Where the lock files are. They are empty, and stay.
fn locks() -> PathBuf {
    std::env::temp_dir().join(format!("flash-ports-{}", geteuid().as_raw()))
}

fn random() -> u16 {
    let [low, high, ..] = RandomState::new().hash_one(()).to_le_bytes();
    u16::from_le_bytes([low, high]) % BLOCKS
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn picked_ports_are_free_distinct_and_out_of_the_way_of_outgoing_connections() {
        let mut ports: Vec<u16> = (0..100).map(|_| pick().unwrap()).collect();
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 100);
        assert!(ports.iter().all(|port| (20_000..32_768).contains(port)));
    }

    #[test]
    fn a_port_with_a_listener_is_not_free() {
        let port = pick().unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
        drop(listener);
        assert!(is_free(port));
    }

    #[test]
    fn a_look_that_is_still_held_hinders_neither_another_nor_a_server() {
        let port = pick().unwrap();
        let _held = look_at(port).unwrap();
        assert!(is_free(port));
        let _listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
        assert!(!is_free(port));
    }

    #[test]
    fn a_port_is_handed_out_once_even_if_no_process_listens() {
        let (mut one, mut other) = (Own::new(), Own::new());
        let [ours, theirs] = [&mut one, &mut other].map(|own| [0; 200].map(|_: u16| own.pick().unwrap()));
        assert!(ours.iter().all(|port| !theirs.contains(port)), "{ours:?} {theirs:?}");
    }

    #[test]
    fn a_server_has_its_port_again_unless_somebody_else_may_get_it() {
        let (mut before, mut now, mut other) = (Own::new(), Own::new(), Own::new());
        let (ada, bob) = (Path::new("ada"), Path::new("bob"));
        let [port, next] = [ada, bob].map(|dir| before.pick_for(dir).unwrap());
        assert!(before.take_again(port, ada).unwrap());
        assert!(!before.take_again(port, bob).unwrap(), "it is ada's");
        assert!(!now.take_again(port, ada).unwrap(), "another process hands it out");
        drop(before);
        assert!(now.take_again(port, ada).unwrap() && now.take_again(next, bob).unwrap());
        assert!(!other.take_again(port, ada).unwrap());
        let picked: Vec<u16> = (0..2_000).map(|_| now.pick().unwrap()).collect();
        assert!(!picked.contains(&port) && !picked.contains(&next));
        assert!(!now.take_again(picked[0], ada).unwrap(), "it was given to nobody in a directory");
        assert!(now.take_again(5, ada).unwrap(), "it was never handed out");
    }

    #[test]
    fn a_process_that_needs_many_ports_hands_its_own_out_again() {
        let mut own = Own::new();
        let ports: std::collections::BTreeSet<u16> = (0..2_000).map(|_| own.pick().unwrap()).collect();
        assert!(own.blocks.len() <= OWN_BLOCKS_MAX && ports.len() <= OWN_BLOCKS_MAX * usize::from(BLOCK_PORTS));
    }
}
