//! Both ends of a connection by TLS, over this machine's loopback.

use std::io::Read;
use std::sync::Arc;
use std::thread;

use flash_tls::{Pair, PairFiles};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::rustls::{ClientConnection, ServerConfig, StreamOwned};

use super::*;

/// A certificate of its own for `localhost`, and its key.
pub(crate) fn files(dir: &TempDir) -> PairFiles {
    let files = PairFiles { certificate: dir.path().join("server.pem"), key: dir.path().join("server.key") };
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    std::fs::write(&files.certificate, cert.pem()).unwrap();
    std::fs::write(&files.key, signing_key.serialize_pem()).unwrap();
    files
}

fn show(files: &PairFiles) -> Arc<ServerConfig> {
    Pair::read(files).and_then(|pair| pair.show(files, "http/1.1")).unwrap()
}

fn config() -> Arc<ServerConfig> {
    show(&files(&tempfile::tempdir().unwrap()))
}

/// A connection whose client is another thread, which reads on demand; what it has read to the end.
async fn left() -> (Socket, std::sync::mpsc::Sender<()>, thread::JoinHandle<io::Result<Vec<u8>>>) {
    let dir = tempfile::tempdir().unwrap();
    let files = files(&dir);
    let (_sender, shown) = watch::channel(show(&files));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let trusts = flash_tls::trust(Some(&files.certificate)).unwrap();
    let (reads, told) = std::sync::mpsc::channel();
    let client = thread::spawn(move || {
        let session = ClientConnection::new(trusts, "localhost".try_into().unwrap()).unwrap();
        let mut stream = StreamOwned::new(session, net::TcpStream::connect(address)?);
        stream.conn.complete_io(&mut stream.sock)?;
        // Who is never told to read hangs up.
        let Ok(()) = told.recv() else { return Ok(Vec::new()) };
        let mut read = Vec::new();
        // An end without a word is an error here: it may be a cut.
        stream.read_to_end(&mut read).map(|_| read)
    });
    let (stream, _) = listener.accept().await.unwrap();
    (accept(stream, &shown).await.unwrap().leave().unwrap(), reads, client)
}

fn is_full(result: &io::Result<impl Sized>) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock)
}

#[tokio::test]
async fn what_a_slow_watcher_has_no_room_for_waits_within_a_bound_and_comes_whole() {
    let (mut socket, reads, client) = left().await;
    let frame: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
    let mut sent = Vec::new();
    loop {
        let next = &frame[sent.len() % frame.len()..];
        let written = socket.write(next);
        if is_full(&written) {
            break;
        }
        let written = written.unwrap();
        assert!((1..=WATCHER_TLS_BYTES_MAX).contains(&written), "{written} bytes at once");
        sent.extend_from_slice(&next[..written]);
    }
    assert!(is_full(&socket.flush()), "no client reads yet");
    reads.send(()).unwrap();
    while is_full(&socket.flush()) {
        thread::yield_now();
    }
    drop(socket);
    assert!(client.join().unwrap().unwrap() == sent, "{} bytes", sent.len());
}

#[tokio::test]
async fn a_watcher_that_is_gone_is_noticed() {
    let (mut socket, reads, client) = left().await;
    drop(reads);
    assert!(client.join().unwrap().is_ok());
    let gone = loop {
        let written = socket.write(b"frame").and_then(|_| socket.flush());
        match written {
            Err(error) if error.kind() != io::ErrorKind::WouldBlock => break error,
            _ => thread::yield_now(),
        }
    };
    assert!(matches!(gone.kind(), io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe), "{gone}");
}

#[tokio::test]
async fn a_handshake_that_does_not_come_ends_the_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let _silent = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let (_config, shown) = watch::channel(config());
    tokio::time::pause();
    let started = Instant::now();
    assert!(accept(stream, &shown).await.is_none());
    assert_eq!(started.elapsed().as_secs(), HANDSHAKE_TIMEOUT_MS / 1000);
}
