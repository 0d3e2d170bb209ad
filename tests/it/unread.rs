//! Answers that are not read: what they hold in the kernel is bounded, and their connections are closed in time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use flash_tests::unread::{QUEUED_BYTES_EACH_MAX, held, tiny};

use crate::support::wait;
use crate::support::world::World;

/// Connections that ask and read nothing.
const CONNECTIONS: usize = 200;
/// Requests on each, all at once.
const PIPELINED: usize = 60;
/// How long one that takes nothing may last: 10 s, and some for a busy machine.
const CLOSED_S_MAX: u64 = 30;

#[test]
fn answers_that_are_not_read_hold_little_and_not_for_long() {
    let world = World::start_direct("unread");
    let port = world.address.port();
    let asked = "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(PIPELINED);
    let began = Instant::now();
    let mut streams: Vec<TcpStream> =
        (0..CONNECTIONS).map(|_| tiny(world.address).expect("the gateway takes connections")).collect();
    for stream in &mut streams {
        stream.write_all(asked.as_bytes()).expect("it is sent");
    }
    let mut most = 0;
    wait::until("an end of all of them", || {
        let (count, bytes) = held(port).expect("Linux");
        most = most.max(bytes);
        (count < CONNECTIONS / 20 && most > 0).then_some(())
    });
    println!("{CONNECTIONS} x {PIPELINED} held {most} bytes at most, closed after {:?}", began.elapsed());
    assert!(most <= CONNECTIONS as u64 * QUEUED_BYTES_EACH_MAX, "{most} bytes");
    assert!(began.elapsed() < Duration::from_secs(CLOSED_S_MAX), "{:?}", began.elapsed());
    for mut stream in streams {
        stream.set_read_timeout(Some(Duration::from_secs(5))).expect("a timeout");
        let mut rest = Vec::new();
        let all = stream.read_to_end(&mut rest).is_ok() && rest.len() >= asked.len() * PIPELINED;
        assert!(!all, "what is not read in time is gone");
    }
    assert_eq!(world.http().get("/livez").expect("an answer").status, 200);
}
