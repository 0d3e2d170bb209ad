//! Answers that are not read, of requests that show and of requests that sell: they hold little memory, not for long,
//! and hold up no buyer.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use flash_tests::http::Http;
use flash_tests::unread::{QUEUED_BYTES_EACH_MAX, held, tiny};
use flash_tests::wait;

use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Terms;

/// Connections to each gateway that ask and read nothing.
const CONNECTIONS: usize = 100;
/// Requests on each of them, all at once.
const PIPELINED: usize = 60;
/// By when the gateways have closed almost all of them: 10 s without progress, and some for a busy machine.
const CLOSED: Duration = Duration::from_secs(40);
/// Of a hundred connections, those that may still be there then: buyers have some.
const LEFT_PERCENT: usize = 15;
/// Units of the sale that is asked for without an end.
const UNITS: u64 = 500;

pub(super) fn run(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| {
        let sale = format!("unread-{seed}");
        create(world.gateways[0], &sale)?;
        let tally = round::run(world, seed, USUAL, |strike| strike_with(strike, &sale))?;
        let mut eyes = crate::eyes::Eyes::new(&world.background.handle, world.servers.urls())?;
        let status = eyes.settled_status(&sale)?;
        let sku = status.skus.first().context("a SKU")?;
        ensure!(sku.available + sku.confirmed == UNITS, "{sku:?}");
        let orders = eyes.rows(&sale)?.orders.len() as u64;
        ensure!(
            orders == sku.confirmed,
            "Redis sold {} units without a reader, PostgreSQL has {orders}",
            sku.confirmed
        );
        Ok(tally)
    })
}

fn create(gateway: std::net::SocketAddr, sale: &str) -> Result<()> {
    let body = serde_json::json!({"sale": sale, "total": UNITS}).to_string();
    let answer = Http::connect(gateway)?.post("/v1/sales", &body)?;
    ensure!(answer.status == 201, "{answer:?}");
    Ok(())
}

fn strike_with(strike: &mut Strike, sale: &str) -> Result<()> {
    strike.note(format!("{CONNECTIONS} connections to each gateway ask {PIPELINED} times each, and read nothing"));
    let gateways = strike.world.gateways;
    let mut streams: Vec<TcpStream> = Vec::new();
    for at in 0..CONNECTIONS {
        for gateway in gateways {
            let mut stream = tiny(gateway)?;
            // A gateway that has enough of it may hang up.
            let _ = stream.write_all(requests(at, sale).as_bytes());
            streams.push(stream);
        }
    }
    let (asked, mut most) = (Instant::now(), 0);
    let closed = wait::within(CLOSED, || {
        let [first, second] = gateways.map(|gateway| held(gateway.port()).unwrap_or_default());
        most = most.max(first.1 + second.1);
        (first.0.max(second.0) <= CONNECTIONS * LEFT_PERCENT / 100).then_some(())
    });
    strike.note(format!("they held {most} bytes at most, for {} s", asked.elapsed().as_secs()));
    ensure!(most <= streams.len() as u64 * QUEUED_BYTES_EACH_MAX, "{most} bytes wait to be read");
    closed.with_context(|| format!("connections that read nothing last {} s", CLOSED.as_secs()))
}

/// Every other connection sells.
fn requests(at: usize, sale: &str) -> String {
    if at.is_multiple_of(2) {
        return "GET /openapi.json HTTP/1.1\r\nhost: localhost\r\n\r\n".repeat(PIPELINED);
    }
    let reserve = |number: usize| {
        let body = format!("{{\"buyer\":\"unread-{at}-{number}\"}}");
        format!(
            "POST /v1/sales/{sale}/reservations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    (0..PIPELINED).map(reserve).collect()
}
