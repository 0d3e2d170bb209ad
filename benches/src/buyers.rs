//! Buyers who come at a steady pace, over HTTP, whatever the answers take.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use hdrhistogram::Histogram;

use crate::http;
use crate::meter::Meter;

/// Connections that the buyers share.
const CONNECTIONS: u64 = 16;
/// The longest latency that is distinct from longer ones.
const LATENCY_US_MAX: u64 = 60_000_000;

/// What buyers waited for their answers, from the moment at which they were to ask, in microseconds.
pub type Latency = Histogram<u64>;

/// Sends so many buyers a second to a sale, each once, until `is_over`.
///
/// # Errors
/// When an answer is not as it should be, and that of `is_over`.
pub fn come(
    gateway: &str,
    sale: &str,
    per_second: u64,
    is_over: impl FnOnce() -> anyhow::Result<()>,
) -> anyhow::Result<Latency> {
    // A gateway serves before it has reached every server.
    Meter::start(&[]).until(|| Ok(u64::from(!http::is_ok(gateway, "/readyz")?)))?;
    let (over, begin) = (AtomicBool::new(false), Instant::now());
    thread::scope(|scope| {
        let over = &over;
        let line = |at| move || one_line(gateway, sale, (at, per_second), begin, over);
        let lines: Vec<_> = (0..CONNECTIONS).map(|at| scope.spawn(line(at))).collect();
        let waited = is_over();
        over.store(true, Ordering::Relaxed);
        let mut all = Histogram::new_with_max(LATENCY_US_MAX, 3)?;
        for line in lines {
            let latency = line.join().ok().context("a buyer's thread panicked")??;
            all.add(&latency)?;
        }
        waited?;
        Ok(all)
    })
}

/// Every [`CONNECTIONS`]th buyer, one after the other.
fn one_line(
    gateway: &str,
    sale: &str,
    (first, per_second): (u64, u64),
    begin: Instant,
    over: &AtomicBool,
) -> anyhow::Result<Latency> {
    let mut latency = Histogram::new_with_max(LATENCY_US_MAX, 3)?;
    let stream = TcpStream::connect(gateway)?;
    stream.set_nodelay(true)?;
    let mut stream = BufReader::new(stream);
    for at in (first..).step_by(usize::try_from(CONNECTIONS)?) {
        let due = begin + Duration::from_secs_f64(at as f64 / per_second as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        if over.load(Ordering::Relaxed) {
            break;
        }
        reserve(&mut stream, sale, at)?;
        latency.saturating_record(u64::try_from(due.elapsed().as_micros())?);
    }
    Ok(latency)
}

fn reserve(stream: &mut BufReader<TcpStream>, sale: &str, buyer: u64) -> anyhow::Result<()> {
    let body = format!("{{\"buyer\":\"b{buyer}\"}}");
    let request = format!(
        "POST /v1/sales/{sale}/reservations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
         content-length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.get_mut().write_all(request.as_bytes())?;
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        ensure!(stream.read_line(&mut head)? > 0, "the gateway closed the connection");
        let line = head[start..].trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse()?;
        }
    }
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    ensure!(
        head.starts_with("HTTP/1.1 201 "),
        "buyer {buyer} got {} {answer}",
        head.lines().next().unwrap_or_default()
    );
    Ok(())
}
