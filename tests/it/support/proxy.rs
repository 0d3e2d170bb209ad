//! The way to a server, for a test that cuts it, or counts what goes there.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// Passes connections on to a server.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    way: Arc<Mutex<Way>>,
}

/// What both directions of every connection look at.
#[derive(Default)]
struct Way {
    /// Whether what the server says is thrown away.
    is_mute: bool,
    ends: Vec<TcpStream>,
    /// Connections that were made.
    came: usize,
    /// What is counted, and how often it went to the server.
    counted: (&'static str, usize),
}

impl Proxy {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let way = Arc::new(Mutex::new(Way::default()));
        let ways = way.clone();
        thread::spawn(move || {
            for near in listener.incoming() {
                // The client learns it by the end of the connection.
                let _ = near.and_then(|near| connect(&ways, near, server));
            }
        });
        Self { address, way }
    }

    /// Counts from now on how often this goes to the server.
    pub(crate) fn count(&self, what: &'static str) {
        self.way.lock().expect("no test panics with it").counted = (what, 0);
    }

    pub(crate) fn counted(&self) -> usize {
        self.way.lock().expect("no test panics with it").counted.1
    }

    /// Connections that came, from the beginning.
    pub(crate) fn connections(&self) -> usize {
        self.way.lock().expect("no test panics with it").came
    }

    /// From now on the server receives everything, and its answers are lost.
    pub(crate) fn mute(&self) {
        self.way.lock().expect("no test panics with it").is_mute = true;
    }

    /// Cuts every connection. New ones pass both ways.
    pub(crate) fn cut(&self) {
        let mut way = self.way.lock().expect("no test panics with it");
        way.is_mute = false;
        for end in way.ends.drain(..) {
            // It may be closed by now.
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

fn connect(way: &Arc<Mutex<Way>>, near: TcpStream, server: SocketAddr) -> std::io::Result<()> {
    let far = TcpStream::connect(server)?;
    let (near_reader, far_reader) = (near.try_clone()?, far.try_clone()?);
    let ends = [near.try_clone()?, far.try_clone()?];
    {
        let mut way = way.lock().expect("no test panics with it");
        way.came += 1;
        way.ends.extend(ends);
    }
    let (there, back) = (way.clone(), way.clone());
    let mut end = Vec::new();
    thread::spawn(move || pass(near_reader, far, |bytes| count(&there, &mut end, bytes)));
    thread::spawn(move || pass(far_reader, near, |_| back.lock().is_ok_and(|way| !way.is_mute)));
    Ok(())
}

/// Counts in `bytes` what is to be counted, also where it began in the `end` of the bytes before. All of it passes.
fn count(way: &Mutex<Way>, end: &mut Vec<u8>, bytes: &[u8]) -> bool {
    let Ok(mut way) = way.lock() else { return true };
    let (what, length) = (way.counted.0.as_bytes(), way.counted.0.len());
    end.extend_from_slice(bytes);
    if length > 0 {
        way.counted.1 += end.windows(length).filter(|window| *window == what).count();
    }
    end.drain(..end.len() - end.len().min(length.saturating_sub(1)));
    true
}

/// Passes on what is read, where `passes` says so, until either end is closed.
fn pass(mut from: TcpStream, mut to: TcpStream, mut passes: impl FnMut(&[u8]) -> bool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if passes(&bytes[..read]) && to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
