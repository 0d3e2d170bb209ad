//! Bytes that are no request: the gateway says so, or hangs up; it does not fail, nor leave anybody waiting.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, RngExt, SeedableRng};

use crate::checker::Tally;
use crate::runner::Runner;
use crate::world::{Terms, World};

/// Inputs of one round.
const INPUTS: u64 = 1_000;
/// Who send them at once: an input of which the gateway waits for the rest holds up no more than its own line.
const LINES: u64 = 20;
/// How often an input is sent again that took the gateway too long.
const REPEATS_MAX: u32 = 5;
/// How many say that this is all: of the others the gateway waits for the rest, five seconds each.
const HALF_CLOSED: f64 = 0.9999;
/// The gateway's own limits for slow clients are shorter.
const PATIENCE: Duration = Duration::from_secs(15);

/// Requests to begin with; most inputs are one of these with a wound or two.
const WHOLE: [&str; 5] = [
    "POST /v1/sales/drop/reservations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n{\"buyer\":\"ada\"}",
    "POST /v1/sales HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"sal\r\n0\r\n\r\n",
    "GET /v1/sales/drop HTTP/1.1\r\nhost: localhost\r\n\r\n",
    "DELETE /v1/sales/drop/reservations/1 HTTP/1.1\r\nhost: localhost\r\nidempotency-key: \"a\\\"b\"\r\n\r\n",
    "POST /v1/sales/drop/reservations/2/confirm HTTP/1.1\r\nhost: localhost\r\nflash-request: 1\r\ncontent-length: 0\r\n\r\n",
];
/// What is put into them.
const PIECES: [&[u8]; 12] = [
    b"\0",
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"{",
    b"\"",
    b"\xff\xfe",
    b"18446744073709551616",
    b"-1",
    b"%00",
    b"\\ud800",
    b"Content-Length: 1\r\n",
];

pub(super) fn http(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| {
        let gateway = world.gateways[0];
        let line = |number: u64| move || one_line(gateway, seed.wrapping_mul(LINES).wrapping_add(number));
        thread::scope(|scope| {
            let lines: Vec<_> = (0..LINES).map(|number| scope.spawn(line(number))).collect();
            lines.into_iter().try_for_each(|line| line.join().expect("a line does not panic"))
        })?;
        sound(world)?;
        Ok(Tally::default())
    })
}

fn one_line(gateway: SocketAddr, seed: u64) -> Result<()> {
    let mut random = StdRng::seed_from_u64(seed);
    for _ in 0..INPUTS / LINES {
        let input = input(&mut random);
        let half_closed = random.random_bool(HALF_CLOSED);
        ask(gateway, &input, half_closed)?;
    }
    Ok(())
}

fn input(random: &mut StdRng) -> Vec<u8> {
    let mut bytes = WHOLE.choose(random).expect("there are some").as_bytes().to_vec();
    for _ in 0..random.random_range(1..4) {
        let at = random.random_range(0..=bytes.len());
        match random.random_range(0..5) {
            0 => bytes.truncate(at),
            1 => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte ^= 1 << random.random_range(0..8)),
            2 => drop(bytes.splice(at..at, PIECES.choose(random).expect("there are some").iter().copied())),
            3 => drop(bytes.splice(at..at, vec![b'a'; random.random_range(1..20_000)])),
            _ => {
                let mut noise = vec![0; random.random_range(1..64)];
                random.fill_bytes(&mut noise);
                bytes.splice(at..at, noise);
            }
        }
    }
    bytes
}

/// Sends it, and looks at the answer. What took the gateway too long may do so on a busy machine, but not again and
/// again.
fn ask(gateway: SocketAddr, input: &[u8], half_closed: bool) -> Result<()> {
    let mut answer = send(gateway, input, half_closed)?;
    for _ in 0..REPEATS_MAX {
        if !has_status(&answer, "504") {
            break;
        }
        answer = send(gateway, input, half_closed)?;
    }
    if has_status(&answer, "5") {
        bail!("{answer:?} to {:?}", String::from_utf8_lossy(input));
    }
    Ok(())
}

/// Whether one of the answers has a status that begins so.
fn has_status(answers: &str, status: &str) -> bool {
    let begins = |version| answers.lines().filter_map(move |line| line.strip_prefix(version));
    begins("HTTP/1.1 ").chain(begins("HTTP/1.0 ")).any(|rest| rest.starts_with(status))
}

/// Reads until the gateway has answered and hung up.
fn send(gateway: SocketAddr, input: &[u8], half_closed: bool) -> Result<String> {
    let mut stream = TcpStream::connect_timeout(&gateway, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    // A gateway that has read enough may hang up before all is sent.
    let _ = stream.write_all(input);
    if half_closed {
        let _ = stream.shutdown(Shutdown::Write);
    }
    let mut answer = Vec::new();
    match stream.take(64 * 1024).read_to_end(&mut answer) {
        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
            bail!("no end after {} s of {:?}", PATIENCE.as_secs(), String::from_utf8_lossy(input))
        }
        _ => {}
    }
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn sound(world: &mut World) -> Result<()> {
    world.processes.iter_mut().try_for_each(crate::process::Process::ensure_sound)
}
