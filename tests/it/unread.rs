//! Answers that are not read: what they hold in the kernel is bounded, and their connections are closed in time.

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Socket, Type};

use crate::support::wait;
use crate::support::world::World;

/// Connections that ask and read nothing.
const CONNECTIONS: usize = 200;
/// Requests on each, all at once.
const PIPELINED: usize = 60;
/// What the kernel may hold for one of them at the gateway's end: its send buffer, twice for its own notes.
const BYTES_EACH_MAX: u64 = 2 * 2 * 64 * 1024;
/// How long one that takes nothing may last: 10 s, and some for a busy machine.
const CLOSED_S_MAX: u64 = 30;

fn tiny(address: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(1).expect("the kernel's least");
    socket.connect(&address.into()).expect("the gateway takes connections");
    socket.into()
}

/// The sockets of a port, by their local end: how many there are, and what they hold to be sent.
fn held(port: u16) -> (usize, u64) {
    let table = fs::read_to_string("/proc/net/tcp").expect("Linux");
    let ours = table.lines().skip(1).filter_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let local = u16::from_str_radix(words.get(1)?.rsplit(':').next()?, 16).ok()?;
        let is_open = *words.get(3)? != "0A" && *words.get(3)? != "06";
        let queued = u64::from_str_radix(words.get(4)?.split(':').next()?, 16).ok()?;
        (local == port && is_open).then_some(queued)
    });
    ours.fold((0, 0), |(count, bytes), queued| (count + 1, bytes + queued))
}

#[test]
fn answers_that_are_not_read_hold_little_and_not_for_long() {
    let world = World::start_direct("unread");
    let port = world.address.port();
    let asked = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(PIPELINED);
    let began = Instant::now();
    let mut streams: Vec<TcpStream> = (0..CONNECTIONS).map(|_| tiny(world.address)).collect();
    for stream in &mut streams {
        stream.write_all(asked.as_bytes()).expect("it is sent");
    }
    let mut most = 0;
    wait::until("an end of all of them", || {
        let (count, bytes) = held(port);
        most = most.max(bytes);
        (count < CONNECTIONS / 20 && most > 0).then_some(())
    });
    println!("{CONNECTIONS} x {PIPELINED} held {most} bytes at most, closed after {:?}", began.elapsed());
    assert!(most <= CONNECTIONS as u64 * BYTES_EACH_MAX, "{most} bytes");
    assert!(began.elapsed() < Duration::from_secs(CLOSED_S_MAX), "{:?}", began.elapsed());
    for mut stream in streams {
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let mut rest = Vec::new();
        let all = stream.read_to_end(&mut rest).is_ok() && rest.len() >= asked.len() * PIPELINED;
        assert!(!all, "what is not read in time is gone");
    }
    assert_eq!(world.http().get("/livez").expect("an answer").status, 200);
}
