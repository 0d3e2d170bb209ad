//! A TCP proxy between two of ours, which does to their bytes what a network may do.

mod hold;
mod pump;
mod rules;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

pub use self::hold::Hold;
use self::hold::Holds;
use self::rules::Rules;
pub use self::rules::{Cut, Direction, Flow};

/// Between the two.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What all connections of a proxy look at.
#[derive(Debug)]
pub(crate) struct Shared {
    server: Mutex<SocketAddr>,
    rules: watch::Sender<Rules>,
    /// The cut that waits to happen: it happens once.
    cut: Mutex<Option<Cut>>,
    holds: Holds,
}

impl Proxy {
    /// Listens on a free port, and leads to `server`.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start(runtime: &Handle, server: SocketAddr) -> Result<Self> {
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).context("a proxy's port")?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            server: Mutex::new(server),
            rules: watch::Sender::default(),
            cut: Mutex::default(),
            holds: Holds::default(),
        });
        runtime.spawn(serve(listener, shared.clone()));
        Ok(Self { address, shared })
    }

    /// Where clients connect.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What happens to bytes from now on, those of connections that are open included.
    pub fn set(&self, direction: Direction, flow: Flow) {
        self.shared.rules.send_modify(|rules| rules.set(direction, flow));
    }

    /// The same in both directions.
    pub fn set_both(&self, flow: Flow) {
        Direction::BOTH.into_iter().for_each(|direction| self.set(direction, flow));
    }

    /// Cuts the connection that carries the byte after so many more of a direction, counted over all connections.
    pub fn cut_after(&self, direction: Direction, bytes: u64) {
        *self.shared.cut() = Some(Cut { direction, bytes });
    }

    /// Whether the last cut has happened, or was called off.
    #[must_use]
    pub fn has_cut(&self) -> bool {
        self.shared.cut().is_none()
    }

    /// New connections lead there.
    pub fn lead_to(&self, server: SocketAddr) {
        *self.shared.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// Holds the first message that is such; see [`Hold`]. It replaces a hold that waits, and lets go what is held.
    pub fn hold(&self, hold: Hold) {
        self.let_go();
        self.shared.holds.wait_for(hold);
    }

    /// Whether the message that was waited for came, and is held.
    #[must_use]
    pub fn is_held(&self) -> bool {
        self.shared.holds.is_held()
    }

    /// Lets the held message go on to where it was sent, late; also where its sender has left. No message is waited
    /// for.
    pub fn let_go(&self) {
        self.shared.holds.let_go();
    }

    /// Drops the held message, and ends its connection.
    pub fn drop_held(&self) {
        self.shared.holds.drop_held();
    }

    /// Pieces that went through in both directions, from the beginning.
    #[must_use]
    pub fn pieces(&self) -> u64 {
        self.shared.holds.pieces()
    }

    /// Lets everything pass again. What stood still goes on to where it was sent, late.
    pub fn heal(&self) {
        self.let_go();
        *self.shared.cut() = None;
        self.set_both(Flow::Pass);
    }
}

impl Shared {
    fn server(&self) -> SocketAddr {
        *self.server.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn cut(&self) -> std::sync::MutexGuard<'_, Option<Cut>> {
        self.cut.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many of these bytes may still pass; fewer than all of them: then the connection is cut.
    fn pass(&self, direction: Direction, bytes: usize) -> usize {
        let mut cut = self.cut();
        let Some(waiting) = cut.as_mut().filter(|waiting| waiting.direction == direction) else { return bytes };
        let all = bytes as u64;
        if all <= waiting.bytes {
            waiting.bytes -= all;
            return bytes;
        }
        let some = usize::try_from(waiting.bytes).unwrap_or(bytes);
        *cut = None;
        some
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { continue };
        let shared = shared.clone();
        tokio::spawn(async move {
            // Where the server is away, the client's connection breaks at once.
            if let Ok(server) = TcpStream::connect(shared.server()).await {
                join(client, server, &shared).await;
            }
        });
    }
}

/// Carries bytes until both sides have ended or the connection is cut.
async fn join(mut client: TcpStream, mut server: TcpStream, shared: &Shared) {
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((from_client, to_client), (from_server, to_server)) = (client.split(), server.split());
    let id = shared.holds.new_connection();
    let up = pump::run(from_client, to_server, Direction::ToServer, shared, id);
    let down = pump::run(from_server, to_client, Direction::ToClient, shared, id);
    // A client that has left takes back nothing of what it has sent.
    let down = async {
        let ended = down.await;
        shared.holds.nothing_held(id).await;
        ended
    };
    if tokio::try_join!(up, down).is_err() {
        // A cut says "reset" and not "end", and what was under way is gone.
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// Waits in async code; the delay is what is wanted here, not something to wait for.
async fn pause(time: Duration) {
    tokio::time::sleep_until(tokio::time::Instant::now() + time).await;
}
