//! A TCP proxy between two of ours, which does to their bytes what a network may do.

mod pump;
mod rules;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;

use self::rules::Rules;
pub(crate) use self::rules::{Cut, Direction, Flow};

/// Between the two.
pub(crate) struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What all connections of a proxy look at.
pub(crate) struct Shared {
    server: Mutex<SocketAddr>,
    rules: watch::Sender<Rules>,
    /// The cut that waits to happen: it happens once.
    cut: Mutex<Option<Cut>>,
}

impl Proxy {
    /// Listens on a free port, and leads to `server`.
    pub(crate) fn start(runtime: &Handle, server: SocketAddr) -> Result<Self> {
        let listener = runtime.block_on(TcpListener::bind(("127.0.0.1", 0))).context("a proxy's port")?;
        let address = listener.local_addr()?;
        let shared =
            Arc::new(Shared { server: Mutex::new(server), rules: watch::Sender::default(), cut: Mutex::default() });
        runtime.spawn(serve(listener, shared.clone()));
        Ok(Self { address, shared })
    }

    /// Where clients connect.
    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// What happens to bytes from now on, those of connections that are open included.
    pub(crate) fn set(&self, direction: Direction, flow: Flow) {
        self.shared.rules.send_modify(|rules| rules.set(direction, flow));
    }

    /// The same in both directions.
    pub(crate) fn set_both(&self, flow: Flow) {
        Direction::BOTH.into_iter().for_each(|direction| self.set(direction, flow));
    }

    /// Cuts the connection that carries the byte after so many more of a direction, counted over all connections.
    pub(crate) fn cut_after(&self, direction: Direction, bytes: u64) {
        *self.shared.cut() = Some(Cut { direction, bytes });
    }

    /// Whether the last cut has happened, or was called off.
    pub(crate) fn has_cut(&self) -> bool {
        self.shared.cut().is_none()
    }

    /// New connections lead there.
    pub(crate) fn lead_to(&self, server: SocketAddr) {
        *self.shared.server.lock().unwrap_or_else(PoisonError::into_inner) = server;
    }

    /// Lets everything pass again. What stood still goes on to where it was sent, late.
    pub(crate) fn heal(&self) {
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
    let up = pump::run(from_client, to_server, Direction::ToServer, shared);
    let down = pump::run(from_server, to_client, Direction::ToClient, shared);
    if tokio::try_join!(up, down).is_err() {
        // A cut says "reset" and not "end", and what was under way is gone.
        let _ = (client.set_zero_linger(), server.set_zero_linger());
    }
}

/// Waits in async code; the delay is what is wanted here, not something to wait for.
async fn pause(time: Duration) {
    tokio::time::sleep_until(tokio::time::Instant::now() + time).await;
}
