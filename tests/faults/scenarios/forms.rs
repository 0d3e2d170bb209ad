//! Forms and data whose product is large: each check is bounded, takes no thread from buyers, and leaves nothing.

use std::fs;
use std::net::SocketAddr;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use flash_tests::http::Http;
use rand::RngExt;
use serde_json::{Value, json};

use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::Terms;

/// Attackers at once, and what each sends.
const ATTACKERS: usize = 8;
const REQUESTS_EACH: usize = 20;
/// Processor time that one of their requests may take of a gateway, milliseconds: the largest check is 1,000,000 steps
/// of some 50 ns in a release build, and a debug build is ten times as slow.
const CPU_MS_EACH_MAX: u64 = 1_500;
/// What a gateway's memory may grow by meanwhile, KiB.
const GROWS_KIB_MAX: u64 = 256 * 1024;

pub(super) fn run(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| {
        let sales: Vec<(String, Vec<Value>)> = shapes()
            .into_iter()
            .enumerate()
            .map(|(at, (form, data))| {
                create(world.gateways[0], &format!("form-{seed}-{at}"), &form).map(|sale| (sale, data))
            })
            .collect::<Result<_>>()?;
        let tally = round::run(world, seed, USUAL, |strike| attack(strike, &sales))?;
        let eyes = crate::eyes::Eyes::new(&world.background.handle, world.servers.urls())?;
        for (sale, _) in &sales {
            let sku = eyes.settled_status(sale)?.skus.first().map(|sku| (sku.available, sku.held, sku.confirmed));
            ensure!(sku == Some((1, 0, 0)), "{sale}: what was refused has left {sku:?}");
        }
        Ok(tally)
    })
}

/// Forms that are small, and data that none of them takes, as large as a body may be.
fn shapes() -> Vec<(Value, Vec<Value>)> {
    let consts: Vec<Value> = (1..300).map(|at| json!({"const": at})).collect();
    let countries: Vec<Value> = (0..120).map(|at| json!({"const": format!("country-{at}"), "title": "x"})).collect();
    let zeros = |count: usize| vec![0; count];
    let list = |items: Value| json!({"properties": {"a": items}, "required": ["b"]});
    vec![
        (list(json!({"items": {"anyOf": consts}})), vec![json!({"a": zeros(7_500)}), json!({"a": zeros(400)})]),
        (list(json!({"items": {"oneOf": countries}})), vec![json!({"a": vec!["country-9"; 1_000]})]),
        (
            list(json!({"uniqueItems": true})),
            vec![json!({"a": (0..3_000).collect::<Vec<_>>()}), json!({"a": zeros(7_000)})],
        ),
        (
            list(json!({"items": {"pattern": "^(a|aa|aaa)*b$"}})),
            vec![json!({"a": ["a".repeat(15_000)]}), json!({"a": vec!["aaaa"; 2_000]})],
        ),
        (list(json!({"contains": {"const": 1}, "minContains": 2})), vec![json!({"a": zeros(7_500)})]),
        (
            json!({"$defs": {"n": {"items": {"items": {"items": {"enum": [1, 2, 3]}}}}}, "properties": {"a": {"allOf": vec![json!({"$ref": "#/$defs/n"}); 60]}}, "required": ["b"]}),
            vec![json!({"a": vec![vec![vec![7; 5]; 5]; 120]})],
        ),
        (
            json!({"additionalProperties": {"not": {}}, "required": ["b"]}),
            vec![json!((0..1_200).map(|at| (format!("k{at}"), json!(0))).collect::<serde_json::Map<_, _>>())],
        ),
    ]
}

fn create(gateway: SocketAddr, sale: &str, form: &Value) -> Result<String> {
    let body = json!({"sale": sale, "total": 1, "form": form}).to_string();
    let answer = Http::connect(gateway)?.post("/v1/sales", &body)?;
    ensure!(answer.status == 201, "{answer:?}");
    Ok(sale.to_owned())
}

fn attack(strike: &mut Strike, sales: &[(String, Vec<Value>)]) -> Result<()> {
    let at = strike.random.random_range(0..2);
    let (gateway, pid) = (strike.world.gateways[at], strike.world.processes[at].pid().context("a gateway")?);
    strike.note(format!("gateway-{at}: {ATTACKERS} send data for which forms are long work"));
    let before = Used::of(pid)?;
    thread::scope(|scope| {
        let attackers: Vec<_> = (0..ATTACKERS).map(|number| scope.spawn(move || one(gateway, number, sales))).collect();
        attackers.into_iter().try_for_each(|attacker| attacker.join().expect("an attacker does not panic"))
    })?;
    let after = Used::of(pid)?;
    let cpu_ms = (after.cpu_ms - before.cpu_ms) / (ATTACKERS * REQUESTS_EACH) as u64;
    let grown_kib = after.most_kib.saturating_sub(before.most_kib);
    strike.note(format!("gateway-{at}: {cpu_ms} ms of a processor a request, {grown_kib} KiB more"));
    ensure!(
        cpu_ms <= CPU_MS_EACH_MAX && grown_kib <= GROWS_KIB_MAX,
        "an attack takes {cpu_ms} ms a request, {grown_kib} KiB"
    );
    Ok(())
}

fn one(gateway: SocketAddr, number: usize, sales: &[(String, Vec<Value>)]) -> Result<()> {
    for at in 0..REQUESTS_EACH {
        let (sale, data) = &sales[(number + at) % sales.len()];
        let body = json!({"buyer": format!("attacker-{number}-{at}"), "data": data[at % data.len()]}).to_string();
        let answer = Http::connect(gateway)?.post(&format!("/v1/sales/{sale}/reservations"), &body)?;
        match answer.status {
            422 | 503 => {}
            _ => bail!("{sale} answers {answer:?} to {body:.200}"),
        }
    }
    Ok(())
}

/// What a process has used so far.
struct Used {
    cpu_ms: u64,
    /// The most memory that it had at once.
    most_kib: u64,
}

impl Used {
    fn of(pid: u32) -> Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
        let (_, rest) = stat.rsplit_once(") ").context("a name")?;
        let ticks = rest.split(' ').skip(11).take(2).map(str::parse::<u64>).sum::<Result<u64, _>>()?;
        let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("VmHWM")?;
        let most_kib = most.trim().trim_end_matches(" kB").parse()?;
        // The kernel counts in hundredths of a second.
        Ok(Self { cpu_ms: ticks * 10, most_kib })
    }
}
