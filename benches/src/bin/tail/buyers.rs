//! Buyers who come at a steady pace, over HTTP, each once; and once Redis is back, all at once for what is left.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use serde_json::Value;

/// Connections that the buyers share. A durability level may hold each answer back for half a second.
const CONNECTIONS: usize = 64;
/// An answer that takes longer is none.
const ANSWER_MAX: Duration = Duration::from_secs(2);
/// The rest after a connection or an answer in vain.
const REST: Duration = Duration::from_millis(5);
/// How long the first reservation may take. A level that is refused has none.
const FIRST_MAX: Duration = Duration::from_secs(3);
/// How long a sale may take to sell out once Redis is back.
const PATIENCE: Duration = Duration::from_secs(120);

/// A reservation that was acknowledged.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ack {
    pub(crate) buyer: u64,
    pub(crate) id: u64,
    pub(crate) asked: Instant,
    pub(crate) answered: Instant,
}

/// All of them.
pub(crate) struct Crowd {
    shop: Arc<Shop>,
    lines: Vec<JoinHandle<anyhow::Result<Vec<Ack>>>>,
}

struct Shop {
    address: String,
    sale: String,
    durability: &'static str,
    per_second: u64,
    begin: Instant,
    /// The next buyer.
    next: AtomicU64,
    acknowledged: AtomicU64,
    /// Since when Redis is back.
    back: OnceLock<Instant>,
    /// A buyer who asked since then has a reservation.
    sells_again: AtomicBool,
    is_over: AtomicBool,
}

/// What a buyer was answered.
enum Answer {
    Reserved(u64),
    SoldOut,
    Other,
}

impl Crowd {
    /// So many buyers a second begin to come.
    pub(crate) fn come(address: String, sale: &str, durability: &'static str, per_second: u64) -> Self {
        let shop = Arc::new(Shop {
            address,
            sale: sale.to_owned(),
            durability,
            per_second,
            begin: Instant::now(),
            next: AtomicU64::new(0),
            acknowledged: AtomicU64::new(0),
            back: OnceLock::new(),
            sells_again: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let line = |_| {
            let shop = Arc::clone(&shop);
            thread::spawn(move || shop.line())
        };
        let lines = (0..CONNECTIONS).map(line).collect();
        Self { shop, lines }
    }

    /// Waits for the first reservation, if there is one.
    pub(crate) fn wait_for_first(&self) {
        let begin = Instant::now();
        while self.shop.acknowledged.load(Ordering::SeqCst) == 0 && begin.elapsed() < FIRST_MAX {
            thread::sleep(REST);
        }
    }

    /// Redis is back; gives since when that is known. From now on buyers ask for `memory`, and all at once as soon as
    /// one of them has a reservation.
    pub(crate) fn redis_is_back(&self) -> Instant {
        *self.shop.back.get_or_init(Instant::now)
    }

    /// Waits until everything is sold; gives what was acknowledged.
    pub(crate) fn finish(self) -> anyhow::Result<Vec<Ack>> {
        let begin = Instant::now();
        while !self.lines.iter().all(JoinHandle::is_finished) {
            if begin.elapsed() > PATIENCE {
                self.shop.is_over.store(true, Ordering::SeqCst);
            }
            thread::sleep(REST);
        }
        let mut acks = Vec::new();
        for line in self.lines {
            acks.extend(line.join().ok().context("a buyer's thread panicked")??);
        }
        let sells = self.shop.sells_again.load(Ordering::SeqCst);
        ensure!(begin.elapsed() < PATIENCE, "after {PATIENCE:?} the sale is not sold out; it sells: {sells}");
        Ok(acks)
    }
}

impl Shop {
    /// Buyers one after the other, on one connection.
    fn line(&self) -> anyhow::Result<Vec<Ack>> {
        let (mut acks, mut connection) = (Vec::new(), None);
        while !self.is_over.load(Ordering::SeqCst) {
            let buyer = self.next.fetch_add(1, Ordering::SeqCst);
            let is_rush = self.sells_again.load(Ordering::SeqCst);
            if !is_rush {
                self.wait_for_turn(buyer);
            }
            let asked = Instant::now();
            match self.ask(&mut connection, buyer) {
                Ok(Answer::Reserved(id)) => {
                    acks.push(Ack { buyer, id, asked, answered: Instant::now() });
                    self.acknowledged.fetch_add(1, Ordering::SeqCst);
                    if self.back.get().is_some_and(|back| asked >= *back) {
                        self.sells_again.store(true, Ordering::SeqCst);
                    }
                }
                Ok(Answer::SoldOut) if is_rush => break,
                Ok(Answer::SoldOut | Answer::Other) => thread::sleep(REST),
                Err(_) => {
                    connection = None;
                    thread::sleep(REST);
                }
            }
        }
        Ok(acks)
    }

    fn wait_for_turn(&self, buyer: u64) {
        let due = self.begin + Duration::from_secs_f64(buyer as f64 / self.per_second as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
    }

    fn ask(&self, kept: &mut Option<BufReader<TcpStream>>, buyer: u64) -> io::Result<Answer> {
        let stream = match kept {
            Some(stream) => stream,
            None => kept.insert(self.connect()?),
        };
        let (sale, body) = (&self.sale, format!("{{\"buyer\":\"b{buyer}\"}}"));
        // A level may be out of reach after the loss: a promoted replica has no replica.
        let durability = if self.back.get().is_some() { "memory" } else { self.durability };
        let request = format!(
            "POST /v1/sales/{sale}/reservations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             idempotency-key: k{buyer}\r\nflash-durability: {durability}\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.get_mut().write_all(request.as_bytes())?;
        let (status, body) = answer(stream)?;
        let id = || body["id"].as_str()?.split_once('-')?.0.parse().ok();
        match status {
            201 => id().map(Answer::Reserved).ok_or_else(|| io::Error::other("a reservation without an id")),
            409 if body["type"] == "/problems/sold-out" => Ok(Answer::SoldOut),
            _ => Ok(Answer::Other),
        }
    }

    fn connect(&self) -> io::Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect(&self.address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        Ok(BufReader::new(stream))
    }
}

/// The status and the JSON of an answer.
fn answer(stream: &mut BufReader<TcpStream>) -> io::Result<(u16, Value)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        if stream.read_line(&mut head)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let line = head[start..].trim_end();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length: ") {
            length = value.parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("an answer without a status"))?;
    Ok((status, serde_json::from_slice(&body).unwrap_or_default()))
}
