//! Transports to test, and a relay and a syncer for them.

use std::collections::BTreeSet;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flash_broker::Amqp;
use flash_servers::{RabbitMq, RabbitMqOptions, silent};
use flash_transport::{Batches, Error, Outgoing, Transport, Window};
use tempfile::TempDir;
use tokio::time::timeout;

/// For everything that is waited for, also while the machine is busy with other tests.
pub(crate) const DEADLINE: Duration = Duration::from_secs(60);
/// Long enough to see that nothing comes; if the machine is too slow to show what is wrong, the test only sees less.
pub(crate) const A_MOMENT: Duration = Duration::from_millis(30);

/// The server of this run.
fn server() -> &'static RabbitMq {
    static SERVER: OnceLock<(TempDir, RabbitMq)> = OnceLock::new();
    let (_, server) = SERVER.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let server = RabbitMq::start(&RabbitMqOptions::new(dir.path().join("rabbitmq")), silent).unwrap();
        (dir, server)
    });
    server
}

/// The URL of a vhost of its own.
pub(crate) fn vhost_url() -> String {
    static VHOSTS: AtomicU64 = AtomicU64::new(0);
    let name = format!("test_{}", VHOSTS.fetch_add(1, Ordering::Relaxed));
    server().create_vhost(&name).unwrap();
    server().url(&name)
}

/// RabbitMQ, with a vhost of its own.
pub(crate) fn vhost() -> Amqp {
    Amqp::new(vhost_url())
}

/// A message with a number, and as many bytes as asked for.
pub(crate) fn message(number: u64, bytes: usize) -> Outgoing {
    let mut body = number.to_string().into_bytes();
    body.resize(bytes.max(body.len()), b' ');
    Outgoing { id: number.to_string(), body, published_at_ms: None, trace: None }
}

/// A message's number.
pub(crate) fn number(body: &[u8]) -> u64 {
    std::str::from_utf8(body).unwrap().trim().parse().unwrap()
}

/// A window. It waits until there is a source, where the transport wants one.
pub(crate) async fn window<T: Transport>(transport: &T) -> Window<T::Publisher, u64> {
    let publisher = timeout(DEADLINE, transport.publisher("test")).await.expect("a publisher in time").unwrap();
    Window::new(publisher)
}

pub(crate) async fn batches<T: Transport>(transport: &T) -> Batches<T::Source> {
    // RabbitMQ breaks the connection of a client that asks for a quorum queue while it is being made.
    for _ in 0..100 {
        match transport.source("test").await {
            Ok(source) => return Batches::new(source),
            Err(Error::Away(why)) => eprintln!("again: {why}"),
            Err(error) => panic!("{error}"),
        }
    }
    panic!("no source");
}

/// Waits for the outcome of everything in flight; gives what was confirmed, and what was not.
pub(crate) async fn settle<T: Transport>(window: &mut Window<T::Publisher, u64>) -> (BTreeSet<u64>, BTreeSet<u64>) {
    let (mut confirmed, mut others) = (BTreeSet::new(), BTreeSet::new());
    while !window.is_idle() {
        let (cargo, outcome) = timeout(DEADLINE, window.settled()).await.expect("an outcome in time");
        let settled = if outcome.is_confirmed() { &mut confirmed } else { &mut others };
        settled.insert(cargo.expect("a cargo"));
    }
    (confirmed, others)
}

/// As the relay does it: publishes until everything is confirmed; what failed, with all in flight, on a new connection.
pub(crate) async fn publish_until_confirmed<T: Transport>(transport: &T, numbers: impl IntoIterator<Item = u64>) {
    let mut open: BTreeSet<u64> = numbers.into_iter().collect();
    while !open.is_empty() {
        let Ok(publisher) = transport.publisher("test").await else { continue };
        let mut window = Window::new(publisher);
        let mut to_send = open.clone();
        loop {
            if let Some(number) = to_send.first().copied().filter(|_| window.has_room()) {
                to_send.remove(&number);
                if window.publish(number, &message(number, 1)).await.is_err() {
                    break;
                }
            } else if window.is_idle() {
                break;
            } else {
                let (cargo, outcome) = window.settled().await;
                if !outcome.is_confirmed() {
                    break;
                }
                open.remove(&cargo.expect("a cargo"));
            }
        }
    }
}
