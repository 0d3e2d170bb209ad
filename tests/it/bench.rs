//! `flash bench`: at a gateway that answers what a test wants, and at real ones.

use std::collections::{BTreeSet, VecDeque};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use flash_tests::built;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::certificates::Certificates;
use crate::support::program::Program;
use crate::support::tls::text;
use crate::support::wait;
use crate::support::world::World;

/// Instead of a status: it hangs up.
const NO_ANSWER: u16 = 0;
const TOTAL: u64 = 1_000;

/// A gateway that answers reservations as the test says, one after the other, and then with 409 `sold-out`.
#[derive(Clone)]
struct Stranger {
    address: SocketAddr,
    book: Arc<Mutex<Book>>,
}

struct Book {
    answers: VecDeque<u16>,
    /// Whether its sale counts what it sells.
    counts: bool,
    /// How often it still shows its sale.
    shows: u32,
    taken: u64,
    /// Whose unit is whose, in their order.
    buyers: Vec<String>,
    /// The bodies that came.
    came: Vec<String>,
}

impl Stranger {
    fn start(answers: &[u16], counts: bool, shows: u32) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address");
        let book = Book {
            answers: answers.iter().copied().collect(),
            counts,
            shows,
            taken: 0,
            buyers: Vec::new(),
            came: Vec::new(),
        };
        let stranger = Self { address, book: Arc::new(Mutex::new(book)) };
        let of_thread = stranger.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let stranger = of_thread.clone();
                thread::spawn(move || stranger.serve(stream));
            }
        });
        stranger
    }

    /// One that has nothing to sell.
    fn sold_out() -> Self {
        Self::start(&[], true, u32::MAX)
    }

    fn serve(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream);
        while let Some((line, body)) = request(&mut reader) {
            let Some((status, body)) = self.answer(&line, body) else { return };
            let length = body.len();
            let answer = format!("HTTP/1.1 {status} Whatever\r\ncontent-length: {length}\r\n\r\n{body}");
            if reader.get_mut().write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, line: &str, body: String) -> Option<(u16, String)> {
        let mut book = self.book.lock().expect("whole");
        if line.starts_with("GET /v1/sales/drop ") {
            if book.shows == 0 {
                return Some((503, String::new()));
            }
            book.shows -= 1;
            let stock = json!({"total": TOTAL, "available": TOTAL - book.taken, "held": 0, "confirmed": book.taken});
            let mut sale = stock.clone();
            sale["limit"] = json!(1);
            sale["skus"] = json!([stock]);
            sale["skus"][0]["sku"] = json!("default");
            return Some((200, sale.to_string()));
        }
        assert!(line.starts_with("POST /v1/sales/drop/reservations "), "{line}");
        book.came.push(body.clone());
        let status = book.answers.pop_front().unwrap_or(409);
        let known = book.buyers.iter().position(|buyer| *buyer == body);
        let id = known.unwrap_or(book.buyers.len());
        // What it does not know it has done.
        if [201, 504].contains(&status) && known.is_none() {
            book.buyers.push(body);
            book.taken += u64::from(book.counts);
        }
        let answer = json!({"type": "/problems/sold-out", "id": id.to_string()});
        (status != NO_ANSWER).then(|| (status, answer.to_string()))
    }

    fn bench(&self, args: &[&str]) -> (i32, Value) {
        bench(&format!("http://{}", self.address), args)
    }

    fn came(&self) -> Vec<String> {
        self.book.lock().expect("whole").came.clone()
    }
}

/// The first line and the body of the next request; none when there is no other.
fn request(reader: &mut BufReader<TcpStream>) -> Option<(String, String)> {
    let (mut first, mut length) = (String::new(), 0);
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().expect("a number");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((first, String::from_utf8(body).expect("text")))
}

/// Its exit code, and what it printed; none where it could not begin.
fn try_bench(url: &str, args: &[&str]) -> Option<(i32, Value)> {
    let args = [&["bench", "-o", "json", "--sale", "drop", url], args].concat();
    let (status, printed) = Program::start(&args, &[]).wait();
    Some((status.code()?, serde_json::from_str(&printed).ok()?))
}

fn bench(url: &str, args: &[&str]) -> (i32, Value) {
    try_bench(url, args).unwrap_or_else(|| panic!("{args:?}: it said nothing"))
}

/// Fails, and says so on stderr.
fn refused(url: &str, args: &[&str], told: &str) {
    let ran = Command::new(built("flash")).args(["bench", "--sale", "drop", url]).args(args).output();
    let ran = ran.expect("flash runs");
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.code() == Some(1) && errors.contains(told), "{args:?}: {errors}");
}

/// How many requests came to an outcome.
fn count(line: &Value, outcome: &str) -> u64 {
    line["outcomes"][outcome]["requests"].as_u64().unwrap_or(0)
}

/// Seven buyers, one after the other.
const SEVEN: [&str; 8] = ["--buyers", "7", "--repeat-percent", "0", "--concurrency", "1", "--rate", "1000000"];

#[test]
fn every_answer_is_counted_under_its_outcome_and_one_that_does_not_come_is_an_error() {
    // The second has a unit by a request of before; the last two ask again until they know.
    let stranger = Stranger::start(&[201, 200, NO_ANSWER, 429, 503, 503, 201, 504, 504, 200, 409], true, u32::MAX);
    let (code, line) = stranger.bench(&SEVEN);
    let outcomes = [
        ("reserved", 3),
        ("replayed", 1),
        ("sold_out", 1),
        ("rate_limited", 1),
        ("error", 1),
        ("unavailable", 0),
        ("unknown", 0),
    ];
    assert_eq!(outcomes.map(|(outcome, _)| count(&line, outcome)), outcomes.map(|(_, count)| count), "{line}");
    assert_eq!(line["repeats"], json!({"after_503": 2, "after_504": 2, "after_others": 0}), "{line}");
    for (outcome, _) in &outcomes[..5] {
        let times = ["p50_ms", "p99_ms", "p999_ms", "max_ms"].map(|name| line["outcomes"][outcome][name].as_f64());
        assert!(times[0] >= Some(0.0) && times.is_sorted(), "{line}");
    }
    assert!(line["first_error"].is_string(), "{line}");
    assert_eq!((line["requests"].as_u64(), line["rate"].as_u64()), (Some(7), Some(1_000_000)), "{line}");
    assert!(line["requests_per_s"].as_f64() > Some(0.0) && line["timely_percent"].as_f64() <= Some(100.0), "{line}");
    assert!(line["generator_saturated"].is_boolean() && line["generator_busy_percent"].is_number(), "{line}");
    assert_eq!((code, &line["verdict"], &line["after"]["confirmed"]), (0, &json!("exact"), &json!(3)), "{line}");
    let came: BTreeSet<String> = stranger.came().into_iter().collect();
    assert_eq!(came.len(), 7, "each is another buyer: {came:?}");
}

#[test]
fn a_gateway_that_promises_what_its_sale_does_not_count_is_found_out() {
    let (code, line) = Stranger::start(&[201, 201, 504, 201], false, u32::MAX).bench(&SEVEN);
    assert_eq!((code, &line["verdict"]), (1, &json!("BROKEN")), "{line}");
    let fault = line["faults"][0].as_str().expect("a fault");
    assert!(fault.starts_with("3 buyers got a unit") && fault.ends_with("counts 0 more units"), "{line}");
    // The buyer who got an unknown outcome asks again: for the unit that is taken for that buyer …
    let (code, line) = Stranger::start(&[504, 200], true, u32::MAX).bench(&SEVEN);
    assert_eq!((code, &line["verdict"], &line["after"]["confirmed"]), (0, &json!("exact"), &json!(1)), "{line}");
    // … and hears that there is none.
    let (code, line) = Stranger::start(&[504, 409], true, u32::MAX).bench(&SEVEN);
    assert_eq!((code, &line["verdict"], &line["after"]["confirmed"]), (1, &json!("BROKEN"), &json!(1)), "{line}");
}

#[test]
fn a_sale_that_is_not_shown_afterwards_is_no_proof_of_anything() {
    let (code, line) = Stranger::start(&[201], true, 1).bench(&SEVEN);
    assert_eq!((code, &line["verdict"], &line["after"]), (2, &json!("unknown"), &Value::Null), "{line}");
    assert_eq!(count(&line, "reserved"), 1, "what was seen is told all the same: {line}");
}

#[test]
fn the_seed_is_who_comes_and_in_which_order() {
    let came = |seed: &str| {
        let stranger = Stranger::sold_out();
        stranger.bench(&[&SEVEN[..], &["--seed", seed]].concat());
        stranger.came()
    };
    let (seven, again, eight) = (came("7"), came("7"), came("8"));
    assert_eq!(seven, again);
    assert!(seven.iter().all(|buyer| !eight.contains(buyer)), "{seven:?} {eight:?}");
}

#[test]
fn a_result_worse_than_the_baseline_is_reported_and_fails() {
    const LOAD: [&str; 6] = ["--buyers", "200", "--rate", "100000", "--concurrency", "4"];
    let stranger = Stranger::sold_out();
    let (code, line) = stranger.bench(&LOAD);
    assert_eq!((code, &line["worse"], count(&line, "sold_out")), (0, &json!([]), 240), "{line}");
    let dir = tempfile::tempdir().expect("a directory");
    let file = text(&dir.path().join("baseline.json"));
    let against = |baseline: &Value| {
        fs::write(&file, baseline.to_string()).expect("writable");
        stranger.bench(&[&LOAD[..], &["--baseline", &file, "--tolerance-percent", "50"]].concat())
    };
    let mut slow = line.clone();
    (slow["requests_per_s"], slow["generator_saturated"]) = (json!(0.01), json!(true));
    for figure in ["p50_ms", "p99_ms"] {
        slow["outcomes"]["sold_out"][figure] = json!(1e9);
    }
    let (code, told) = against(&slow);
    assert_eq!((code, &told["worse"]), (0, &json!([])), "{told}");
    slow["requests_per_s"] = json!(1e9);
    let (code, told) = against(&slow);
    let worse = told["worse"].as_array().expect("a list");
    assert_eq!((code, worse.len(), &told["verdict"]), (1, 1, &json!("exact")), "{told}");
    assert!(worse[0].as_str().is_some_and(|worse| worse.ends_with("requests/s instead of 1000000000")), "{told}");

    let url = format!("http://{}", stranger.address);
    let came = stranger.came().len();
    let other = [&LOAD[..4], &["--concurrency", "8", "--baseline", &file]].concat();
    refused(&url, &other, "the baseline is of another load: --buyers 200 --repeat-percent 20 --concurrency 4");
    fs::write(&file, "{}").expect("writable");
    refused(&url, &[&LOAD[..], &["--baseline", &file]].concat(), "is not a result of `flash bench -o json`");
    assert_eq!(stranger.came().len(), came, "it is said before anything is sent");
}

#[test]
fn what_cannot_be_meant_is_refused_before_anything_is_sent() {
    let stranger = Stranger::sold_out();
    let url = format!("http://{}", stranger.address);
    refused(&format!("{url}/v1"), &[], "must have no path");
    refused("ftp://shop.example", &[], "must begin with http:// or https://");
    refused(&url, &["--rate", "1000000", "--seconds", "60"], "give 50000000 buyers, more than 10000000");
    let dir = tempfile::tempdir().expect("a directory");
    let tokens = text(&dir.path().join("tokens"));
    fs::write(&tokens, "hush-1\n\n hush-2 \n").expect("writable");
    refused(&url, &["--buyers", "3", "--tokens-file", &tokens], "2 tokens for 3 buyers: each buyer needs one");
    assert_eq!(stranger.came(), [""; 0]);
}

#[test]
fn a_real_sale_counts_what_its_buyers_got_and_the_same_buyers_get_nothing_more() {
    const CROWD: [&str; 8] = ["--buyers", "300", "--concurrency", "8", "--rate", "5000", "--seed", "7"];
    let world = World::start_direct("bench");
    world.create_sale("{\"sale\":\"drop\",\"total\":50}");
    let url = format!("http://{}", world.address);
    // On a busy machine the sale may not be shown in time.
    let run = || wait::until("a verdict", || try_bench(&url, &CROWD).filter(|(code, _)| *code != 2));
    let mut reserved = 0;
    let after = wait::until("all units sold", || {
        let (code, line) = run();
        assert_eq!((code, &line["verdict"], &line["faults"]), (0, &json!("exact"), &json!([])), "{line}");
        let outcomes = line["outcomes"].as_object().expect("outcomes").keys();
        assert_eq!(outcomes.map(|outcome| count(&line, outcome)).sum::<u64>(), 360, "{line}");
        reserved += count(&line, "reserved");
        (line["after"]["available"] == 0).then_some(line)
    });
    assert!(reserved <= 50, "{reserved}: {after}");
    let (_, again) = run();
    assert_eq!((count(&again, "reserved"), &again["after"]["confirmed"]), (0, &json!(50)), "{again}");
    world.wait_for_orders("drop", 50);
    assert_eq!(world.twice_served_buyers("drop"), 0);
}

/// A world with a gateway more, which speaks TLS and takes keys.
struct Shop {
    world: World,
    _gateway: Program,
    url: String,
    authority: String,
    /// A file with the keys of three buyers.
    keys: String,
    _dir: TempDir,
}

impl Shop {
    fn open() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let certificates = Certificates::make(dir.path());
        let world = World::start_direct("bench_keys");
        world
            .create_sale("{\"sale\":\"drop\",\"skus\":[{\"sku\":\"red\",\"total\":5},{\"sku\":\"blue\",\"total\":5}]}");
        let keys = ["ada", "bob", "eve"].map(|holder| {
            let (code, printed) = world.flash(&["keys", "create", "--role", "buyer", "--holder", holder]);
            assert_eq!(code, 0, "{printed:?}");
            printed[0]["key"].as_str().expect("a key").to_owned()
        });
        let file = dir.path().join("keys");
        fs::write(&file, keys.join("\n")).expect("writable");
        let [certificate, key] = [certificates.certificate(), certificates.key()].map(|path| text(&path));
        let mut gateway = world.start_flash(&[
            "gateway",
            "--auth=api-key",
            "--listen=127.0.0.1:0",
            &format!("--tls-certificate={certificate}"),
            &format!("--tls-key={key}"),
        ]);
        let line = gateway.line();
        let url = line["http"].as_str().expect("a URL").replace("127.0.0.1", "localhost");
        let (keys, authority) = (text(&file), text(&certificates.authority()));
        Self { world, _gateway: gateway, url, authority, keys, _dir: dir }
    }
}

#[test]
fn buyers_use_their_keys_and_an_untrusted_server_gets_none() {
    let shop = Shop::open();
    let three = ["--buyers", "3", "--concurrency", "2", "--tokens-file", &shop.keys];
    refused(&shop.url, &three, "cannot connect to the gateway");
    let trusting = [&three[..], &["--cacert", &shop.authority]].concat();
    wait::until("a sale with several SKUs", || {
        let ran = Command::new(built("flash")).args(["bench", "--sale", "drop", &shop.url]).args(&trusting).output();
        String::from_utf8_lossy(&ran.expect("flash runs").stderr).contains("--sku must name one").then_some(())
    });
    // On a busy machine some of them may have to come again.
    wait::until("a unit for each", || {
        let (code, line) = try_bench(&shop.url, &[&trusting[..], &["--sku", "blue"]].concat())?;
        assert!([0, 2].contains(&code), "{line}");
        (line["after"]["confirmed"] == 3).then_some(())
    });
    shop.world.wait_for_orders("drop", 3);
    let buyers = shop.world.rows("SELECT buyer FROM orders WHERE sale = 'drop' ORDER BY buyer");
    assert_eq!(buyers, ["ada", "bob", "eve"]);
}
