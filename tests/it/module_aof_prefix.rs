//! A crash may cut the AOF anywhere. Whatever is left of it loads into a state that the sale has been in: the one after
//! the last command that is whole.

use std::{fs, thread};

use redis::{Connection, Value};
use tempfile::tempdir;

use crate::support::aof;
use crate::support::redis::{Server, connect, digest, flat, run, start_in, unfence};
use crate::support::wait;

/// Says at how many places the file is cut at least.
const CUTS: &str = "FLASH_AOF_CUTS";
const CUTS_DEFAULT: usize = 2_000;
/// Servers that start again and again, side by side: a start is mostly waiting.
const WORKERS: usize = 4;

fn cuts() -> usize {
    std::env::var(CUTS).map_or(CUTS_DEFAULT, |cuts| cuts.parse().expect("a number"))
}

/// How long the AOF was after a command, and the digests of the two sales then.
struct Passed {
    bytes: usize,
    state: [String; 2],
}

fn state(redis: &mut Connection) -> [String; 2] {
    ["drop", "other"].map(|sale| digest(redis, sale))
}

/// Runs commands of every kind until the AOF is long enough, and notes down each state that the sales pass through.
fn history(server: &Server, redis: &mut Connection) -> Vec<Passed> {
    let file = aof::file(server.redis.server.dir());
    let mut passed = Vec::new();
    let mut step = |redis: &mut Connection, command: &str| {
        let reply: Value = run(redis, command);
        let bytes = fs::read(&file).expect("every write is in the file before it is answered").len();
        passed.push(Passed { bytes, state: state(redis) });
        (flat(&reply), bytes)
    };
    step(redis, "PING");
    step(redis, "FLASH.WARM drop SKU a 5000 SKU b 5000 HOLD 600000 LIMIT 9 JOURNAL 1000");
    step(redis, "FLASH.WARM other 50 HOLD 1");
    let cuts = cuts();
    for buyer in 0.. {
        let (reserved, _) = step(redis, &format!("FLASH.RESERVE drop buyer-{buyer} SKU a 1 SKU b 2 ID r DATA [1,2]"));
        let id = reserved.split(' ').nth(1).expect("an id").to_owned();
        step(redis, &format!("FLASH.RESERVE drop buyer-{buyer} SKU a 1 SKU b 2 ID r"));
        step(redis, &format!("FLASH.{} drop {id}", if buyer % 2 == 0 { "CONFIRM" } else { "RELEASE" }));
        step(redis, &format!("FLASH.ACK drop 1 {id}"));
        for command in ["FLASH.CLOSE drop", "FLASH.RESTOCK drop SKU b 7", "FLASH.OPEN drop"] {
            step(redis, command);
        }
        let term = u64::from(buyer) + 1;
        let (fenced, _) = step(redis, &format!("FLASH.FENCE drop TERM {term}"));
        let seq = fenced.split(' ').nth(2).expect("a seq").to_owned();
        let unfence = unfence(redis, "drop", term, &format!("1 {seq}"));
        step(redis, &unfence);
        expire_a_hold_of_other(redis, buyer);
        // Its own event and the expiry of the hold before it are one transaction.
        step(redis, &format!("FLASH.RESERVE other buyer-{buyer}"));
        if step(redis, "PING").1 > cuts {
            return passed;
        }
    }
    unreachable!("every round writes something")
}

fn expire_a_hold_of_other(redis: &mut Connection, buyer: u32) {
    let Some(earlier) = buyer.checked_sub(1) else { return };
    wait::until("the hold's end", || {
        let reply: Value = run(redis, &format!("FLASH.STATUS other BUYER buyer-{earlier}"));
        flat(&reply).contains("state expired").then_some(())
    });
}

/// Crashes a server, cuts its file, and starts it again, for every `WORKERS`th byte from `first` on.
fn check_cuts(whole: &[u8], passed: &[Passed], first: usize) {
    let dir = tempdir().expect("a directory");
    let mut redis = start_in(dir.path(), &[]);
    let file = aof::file(dir.path());
    for cut in (first..=whole.len()).step_by(WORKERS) {
        redis.server.kill().expect("ours to kill");
        fs::write(&file, &whole[..cut]).expect("it can be written");
        redis = start_in(dir.path(), &[]);
        let last = passed.iter().rfind(|passed| passed.bytes <= cut);
        // Nothing whole is nothing: the state before the first command is that of two keys that are not there.
        let want = &last.unwrap_or(&passed[0]).state;
        assert_eq!(&state(&mut connect(&redis)), want, "cut at byte {cut} of {}", whole.len());
    }
}

#[test]
fn an_aof_cut_at_any_byte_loads_into_a_state_that_the_sale_has_been_in() {
    let server = Server::start();
    let passed = history(&server, &mut server.connect());
    let whole = fs::read(aof::file(server.redis.server.dir())).expect("it is there");
    assert!(whole.len() > cuts(), "{}", whole.len());
    thread::scope(|scope| {
        for worker in 0..WORKERS {
            let (whole, passed) = (&whole, &passed);
            scope.spawn(move || check_cuts(whole, passed, worker));
        }
    });
}
