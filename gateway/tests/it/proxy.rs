//! A connection that can be cut: the way to a server, without touching the server.

use std::net::SocketAddr;

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Passes connections on to a server.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    is_whole: watch::Sender<bool>,
}

impl Proxy {
    pub(crate) async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (is_whole, receiver) = watch::channel(true);
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                tokio::spawn(pass(near, server, receiver.clone()));
            }
        });
        Self { address, is_whole }
    }

    /// Cuts every connection, and new ones at once.
    pub(crate) fn cut(&self) {
        self.is_whole.send_replace(false);
    }

    /// Lets new connections through.
    pub(crate) fn mend(&self) {
        self.is_whole.send_replace(true);
    }
}

async fn pass(mut near: TcpStream, server: SocketAddr, mut is_whole: watch::Receiver<bool>) {
    // It is the value now that counts, and from then on each change: a cut that is mended at once is a cut.
    if !*is_whole.borrow_and_update() {
        return;
    }
    let through = async {
        let mut far = TcpStream::connect(server).await?;
        copy_bidirectional(&mut near, &mut far).await
    };
    tokio::select! {
        _ = through => {}
        _ = is_whole.changed() => {}
    }
}
