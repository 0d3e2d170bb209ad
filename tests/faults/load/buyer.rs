//! One buyer after the other, on one connection: asks, asks again, pays or gives back.

use std::io;
use std::net::SocketAddr;
use std::thread;
use std::time::Duration;

use flash_tests::http::{self, Http};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::Load;
use super::history::{Answer, Ask, Entry, State};
use super::shape::sku;

/// An answer that takes longer is unknown. It is more than the gateway's own limit.
const TIMEOUT: Duration = Duration::from_millis(1_500);
/// How often a request whose outcome is unknown is sent again.
const REPEATS_MAX: usize = 3;
/// Buyers that several threads are at once.
const SHARED_BUYERS: u64 = 12;

/// Of a hundred wishes: those of a shared buyer, those that ask again although they have their answer, holds that are
/// paid for, holds that are given back, unknown outcomes that are left so.
const SHARED_PERCENT: u32 = 20;
const AGAIN_PERCENT: u32 = 25;
const CONFIRM_PERCENT: u32 = 45;
const RELEASE_PERCENT: u32 = 25;
const LEAVE_PERCENT: u32 = 20;

struct Buyer<'a> {
    load: &'a Load,
    random: StdRng,
    /// Which gateway, and the connection to it.
    at: usize,
    http: Option<Http>,
    /// The id of the newest reservation, as the gateway spells it.
    id: String,
    entries: Vec<Entry>,
}

/// Has wishes until there are enough of them; their history.
pub(crate) fn run(load: &Load, number: u64) -> Vec<Entry> {
    let random = StdRng::seed_from_u64(load.seed.wrapping_mul(31).wrapping_add(number));
    let at = usize::from(number % 2 == 1);
    let mut buyer = Buyer { load, random, at, http: None, id: String::new(), entries: Vec::new() };
    let mut wishes = 0;
    while load.goes_on(wishes) {
        buyer.wish(&format!("{number}-{wishes}"));
        wishes += 1;
        if wishes > load.size.wishes || !load.size.pause.is_zero() {
            thread::park_timeout(load.size.pause.max(Duration::from_millis(2)));
        }
    }
    buyer.entries
}

/// Asks each sale for a unit through one gateway, as somebody does who sees whether it sells.
pub(crate) fn probe(load: &Load, gateway: usize, name: &str) -> Vec<Entry> {
    let random = StdRng::seed_from_u64(0);
    let mut buyer = Buyer { load, random, at: gateway, http: None, id: String::new(), entries: Vec::new() };
    for sale in 0..load.sales.len() {
        let (who, key) = (format!("probe-{name}"), format!("probe-{name}-{sale}"));
        buyer.send(sale, &who, &key, Ask::Reserve(vec![(0, 1)]));
    }
    buyer.entries
}

impl Buyer<'_> {
    fn chance(&mut self, percent: u32) -> bool {
        self.random.random_ratio(percent, 100)
    }

    fn wish(&mut self, name: &str) {
        let sale = self.random.random_range(0..self.load.sales.len());
        let shared = self.chance(SHARED_PERCENT);
        let buyer =
            if shared { format!("shared-{}", self.random.random_range(0..SHARED_BUYERS)) } else { format!("b-{name}") };
        let key = format!("k-{name}");
        let ask = Ask::Reserve(self.items(sale));
        let Answer::Ok { id, state, .. } = self.insist(sale, &buyer, &key, &ask) else { return };
        if self.chance(AGAIN_PERCENT) {
            self.send(sale, &buyer, &key, ask);
        }
        // What a shared buyer has, another thread may have asked for as well: it stays.
        if shared || state != State::Held {
            return;
        }
        let chance = self.random.random_range(0..100);
        if chance < CONFIRM_PERCENT {
            self.insist(sale, &buyer, &key, &Ask::Confirm(id));
        } else if chance < CONFIRM_PERCENT + RELEASE_PERCENT {
            self.insist(sale, &buyer, &key, &Ask::Release(id));
        }
    }

    fn items(&mut self, sale: usize) -> Vec<(usize, u64)> {
        let load = self.load;
        let sale = &load.sales[sale];
        let first = self.random.random_range(0..sale.totals.len());
        let quantity = self.random.random_range(1..=sale.limit.div_ceil(2));
        let mut items = vec![(first, quantity)];
        if sale.limit > 2 && self.chance(30) {
            items.push(((first + 1) % sale.totals.len(), 1));
        }
        items
    }

    /// Asks until the outcome is known, or patience ends.
    fn insist(&mut self, sale: usize, buyer: &str, key: &str, ask: &Ask) -> Answer {
        let mut answer = self.send(sale, buyer, key, ask.clone());
        for _ in 0..REPEATS_MAX {
            if !answer.is_unknown() || self.chance(LEAVE_PERCENT) {
                break;
            }
            answer = self.send(sale, buyer, key, ask.clone());
        }
        answer
    }

    /// One request. Where its outcome is unknown, the next one goes to the other gateway.
    fn send(&mut self, sale: usize, buyer: &str, key: &str, ask: Ask) -> Answer {
        let from = self.load.begun.elapsed();
        let answer = self.answer(sale, buyer, key, &ask);
        if !matches!(answer, Answer::Ok { .. } | Answer::Refused(_)) {
            self.http = None;
            self.at = 1 - self.at;
        }
        let (to, buyer, key) = (self.load.begun.elapsed(), buyer.to_owned(), key.to_owned());
        self.load.answered.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.entries.push(Entry { sale, buyer, key, ask, from, to, answer: answer.clone() });
        answer
    }

    fn answer(&mut self, sale: usize, buyer: &str, key: &str, ask: &Ask) -> Answer {
        let mut http = match self.connection() {
            Ok(http) => http,
            // Nothing was sent.
            Err(error) => {
                self.at = 1 - self.at;
                return Answer::Refused(format!("not connected: {error}"));
            }
        };
        let path = format!("/v1/sales/{}/reservations", self.load.sales[sale].name);
        let sent = match ask {
            Ask::Reserve(items) => {
                let items: Vec<_> =
                    items.iter().map(|(at, units)| serde_json::json!({"sku": sku(*at), "quantity": units})).collect();
                let body = serde_json::json!({"buyer": buyer, "items": items}).to_string();
                let headers = [("content-type", "application/json"), ("idempotency-key", key)];
                http.send("POST", &path, &headers, &body)
            }
            Ask::Confirm(_) => http.send("POST", &format!("{path}/{}/confirm", self.id), &[], ""),
            Ask::Release(_) => http.send("DELETE", &format!("{path}/{}", self.id), &[], ""),
        };
        if let Some(id) = sent.as_ref().ok().and_then(http::Answer::id) {
            id.clone_into(&mut self.id);
        }
        self.http = Some(http);
        outcome(sent)
    }

    fn connection(&mut self) -> io::Result<Http> {
        let address: SocketAddr = self.load.gateways[self.at];
        self.http.take().map_or_else(|| Http::connect_with(address, TIMEOUT), Ok)
    }
}

/// What an answer says about the outcome. Only what the API promises to be "no" is one.
fn outcome(sent: io::Result<http::Answer>) -> Answer {
    let answer = match sent {
        Ok(answer) => answer,
        Err(error) => return Answer::Unknown(error.to_string()),
    };
    match answer.status {
        200 | 201 => {
            let (id, state) = (answer.number(), answer.body["state"].as_str().and_then(State::of));
            let replayed = answer.header("idempotency-replayed").is_some() || answer.status == 200;
            match (id, state) {
                (Some(id), Some(state)) => Answer::Ok { id, state, replayed },
                _ => Answer::Unknown(format!("an answer without id or state: {}", answer.body)),
            }
        }
        400..500 | 503 => Answer::Refused(answer.problem().to_owned()),
        _ => Answer::Unknown(answer.problem().to_owned()),
    }
}
