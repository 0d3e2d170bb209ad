//! A way to a server that can be led to another one, held back and cut, as a network can.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

/// Bytes that are carried at once.
const CARRIED_BYTES_MAX: usize = 64 * 1024;
/// How often it is looked whether what is held back may go on.
const LOOK: Duration = Duration::from_millis(1);

/// The way. Dropped, its connections are cut.
pub(crate) struct Forward {
    port: u16,
    state: Arc<State>,
}

struct State {
    /// The port on 127.0.0.1 where the server is.
    target: Mutex<u16>,
    is_held: AtomicBool,
    /// Grows with each cut. Connections of an earlier one are gone, with the bytes that they held.
    cuts: AtomicU64,
    open: Mutex<Vec<TcpStream>>,
}

impl Forward {
    /// A way to the server at this port of 127.0.0.1.
    pub(crate) fn to(target: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        let port = listener.local_addr()?.port();
        let state = Arc::new(State {
            target: Mutex::new(target),
            is_held: AtomicBool::new(false),
            cuts: AtomicU64::new(0),
            open: Mutex::new(Vec::new()),
        });
        let accepts = Arc::downgrade(&state);
        // It ends with the first connection after the way is dropped, or with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (Ok(stream), Some(state)) = (stream, accepts.upgrade()) else { return };
                // Where the server is away, the client sees its connection closed.
                let _ = state.carry(stream);
            }
        });
        Ok(Self { port, state })
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// From now on it leads there.
    pub(crate) fn lead_to(&self, target: u16) {
        *self.state.target.lock().unwrap_or_else(PoisonError::into_inner) = target;
    }

    /// From now on nothing passes, until the cut.
    pub(crate) fn hold(&self) {
        self.state.is_held.store(true, Ordering::SeqCst);
    }

    /// Ends every connection. What was held back is lost.
    pub(crate) fn cut(&self) {
        self.state.cuts.fetch_add(1, Ordering::SeqCst);
        let mut open = self.state.open.lock().unwrap_or_else(PoisonError::into_inner);
        for stream in open.drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        self.state.is_held.store(false, Ordering::SeqCst);
    }
}

impl Drop for Forward {
    fn drop(&mut self) {
        self.cut();
    }
}

impl State {
    fn carry(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let cuts = self.cuts.load(Ordering::SeqCst);
        let target = *self.target.lock().unwrap_or_else(PoisonError::into_inner);
        let server = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, target)))?;
        for stream in [&client, &server] {
            stream.set_nodelay(true)?;
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        open.extend([client.try_clone()?, server.try_clone()?]);
        drop(open);
        for (from, to) in [(client.try_clone()?, server.try_clone()?), (server, client)] {
            let state = Arc::clone(self);
            thread::spawn(move || {
                // A connection that breaks ends at both of its ends.
                let _ = state.copy(&from, &to, cuts);
                let _ = from.shutdown(Shutdown::Both);
                let _ = to.shutdown(Shutdown::Both);
            });
        }
        Ok(())
    }

    fn copy(&self, mut from: &TcpStream, mut to: &TcpStream, cuts: u64) -> io::Result<()> {
        let mut bytes = vec![0; CARRIED_BYTES_MAX];
        loop {
            let count = from.read(&mut bytes)?;
            while self.is_held.load(Ordering::SeqCst) && self.cuts.load(Ordering::SeqCst) == cuts {
                thread::sleep(LOOK);
            }
            if count == 0 || self.cuts.load(Ordering::SeqCst) != cuts {
                return Ok(());
            }
            to.write_all(&bytes[..count])?;
        }
    }
}
