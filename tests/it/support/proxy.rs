//! The way to a server, for a test that cuts it.

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
}

impl Proxy {
    pub(crate) fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a free port");
        let address = listener.local_addr().expect("bound");
        let way = Arc::new(Mutex::new(Way::default()));
        let ways = way.clone();
        thread::spawn(move || {
            for near in listener.incoming() {
                // Whoever came gets to know by the end of the connection.
                let _ = near.and_then(|near| connect(&ways, near, server));
            }
        });
        Self { address, way }
    }

    /// From now on the server hears everything, and nobody hears the server.
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
    way.lock().expect("no test panics with it").ends.extend([near.try_clone()?, far.try_clone()?]);
    thread::spawn(move || pass(near_reader, far, || false));
    let way = way.clone();
    thread::spawn(move || pass(far_reader, near, || way.lock().is_ok_and(|way| way.is_mute)));
    Ok(())
}

/// Passes on what is read, but for what is thrown away, until either end is closed.
fn pass(mut from: TcpStream, mut to: TcpStream, is_thrown_away: impl Fn() -> bool) {
    let mut bytes = [0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes) {
        if !is_thrown_away() && to.write_all(&bytes[..read]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}
