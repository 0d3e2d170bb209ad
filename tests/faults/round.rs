//! One round: sales, buyers, a fault in their midst; then everything heals, comes to rest and is checked.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow, bail};
use flash_tests::http::Http;
use flash_tests::wait;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::checker::{self, Case, Excuses, Tally};
use crate::eyes::{Eyes, Rows};
use crate::load::{Answer, Entry, Load, Sale, Size, probe, sales};
use crate::observer::Observer;
use crate::process::Process;
use crate::strike::Strike;
use crate::world::World;

/// How long everything may take to come to rest after the last fault is gone, without anybody's help.
const LIVENESS: Duration = Duration::from_secs(60);
/// On a machine that is busy with other things: by how much that is more (`FAULT_SLOWNESS=3`).
const SLOWNESS: &str = "FAULT_SLOWNESS";
/// The load of most rounds.
pub(crate) const USUAL: Size = Size { wishes: 12, pause: Duration::ZERO };

/// What is there of a sale, as one look shows it.
struct Seen {
    rows: Rows,
    in_redis: BTreeMap<u64, Option<crate::load::State>>,
}

/// Runs a round. An error is a violation, with what led to it.
pub(crate) fn run(
    world: &mut World,
    seed: u64,
    size: Size,
    fault: impl FnOnce(&mut Strike) -> Result<()>,
) -> Result<Tally> {
    static ROUNDS: AtomicU64 = AtomicU64::new(0);
    let mut random = StdRng::seed_from_u64(seed);
    let sales = sales(&mut random, &format!("round-{}", ROUNDS.fetch_add(1, Ordering::Relaxed)));
    create(world, &sales)?;
    let observer = Observer::start(eyes(world)?, sales.clone());
    let load = Load::new(seed, sales, world.gateways, size);
    let after = random.random_range(0..load.requests_min() * 2 / 3);
    let names = load.sales.iter().map(|sale| sale.name.clone()).collect();
    let mut strike = Strike::new(world, seed, load.begun, names);
    let (struck, entries) = load.run(after, || {
        let struck = fault(&mut strike);
        strike.note("heal");
        struck.and(strike.world.heal())
    });
    let (schedule, excuses) = strike.into_parts();
    let result = struck.and_then(|()| settle_and_check(world, &load, entries, &excuses));
    let (looks, seen) = observer.stop();
    let told = |error: anyhow::Error| anyhow!("{error:#}\nthe schedule was\n  {}", schedule.join("\n  "));
    let mut tally = result.map_err(told)?;
    if !seen.is_empty() {
        return Err(told(anyhow!("{}", seen.join("\n"))));
    }
    tally.looks = looks;
    Ok(tally)
}

fn eyes(world: &World) -> Result<Eyes> {
    Eyes::new(&world.background.handle, world.servers.urls())
}

/// The limit for liveness on this machine.
fn limit() -> Duration {
    let slowness = std::env::var(SLOWNESS).ok().and_then(|text| text.parse().ok()).unwrap_or(1.0);
    LIVENESS.mul_f64(slowness)
}

fn create(world: &World, sales: &[Sale]) -> Result<()> {
    for sale in sales {
        let created = wait::within(limit(), || {
            let answer = Http::connect(world.gateways[0]).and_then(|mut http| http.post("/v1/sales", &sale.body()));
            answer.is_ok_and(|answer| matches!(answer.status, 200 | 201)).then_some(())
        });
        if created.is_none() {
            bail!("the sale {} could not be created", sale.name);
        }
    }
    Ok(())
}

fn settle_and_check(world: &mut World, load: &Load, mut entries: Vec<Entry>, excuses: &Excuses) -> Result<Tally> {
    let healed = Instant::now();
    let said = |world: &World| [0, 1].map(|gateway| world.processes[gateway].log_tail()).join("\n");
    entries.extend(probes(load, healed).map_err(|error| anyhow!("{error:#}; the gateways say\n{}", said(world)))?);
    let mut eyes = eyes(world)?;
    let mut tally = Tally::default();
    let mut wrong = Vec::new();
    for (at, sale) in load.sales.iter().enumerate() {
        let seen = settle(&mut eyes, sale, healed)
            .map_err(|error| anyhow!("{error:#}; syncer-0 says\n{}", world.processes[2].log_tail()))?;
        let entries = entries.iter().filter(|entry| entry.sale == at).collect();
        let case = Case { sale, entries, rows: &seen.rows, in_redis: seen.in_redis, excuses };
        let (more, found) = checker::check(&case);
        tally.add(more);
        wrong.extend(found);
    }
    world.processes.iter_mut().try_for_each(Process::ensure_sound)?;
    tally.settle_ms_max = u64::try_from(healed.elapsed().as_millis()).unwrap_or(u64::MAX);
    if wrong.is_empty() { Ok(tally) } else { bail!("{}", wrong.join("\n")) }
}

/// Asks each gateway until it sells again: a "no" for want of units is as good as a "yes".
fn probes(load: &Load, healed: Instant) -> Result<Vec<Entry>> {
    let sells = |entry: &Entry| match &entry.answer {
        Answer::Ok { .. } => true,
        Answer::Refused(problem) => problem == "sold-out",
        Answer::Unknown(_) => false,
    };
    let mut entries = Vec::new();
    for gateway in 0..load.gateways.len() {
        let mut tries = 0;
        let left = limit().saturating_sub(healed.elapsed());
        let sold = wait::within(left, || {
            tries += 1;
            let probes = probe(load, gateway, &format!("{gateway}-{tries}"));
            let all = probes.iter().all(sells);
            entries.extend(probes);
            all.then_some(())
        });
        if sold.is_none() {
            let last: Vec<_> = entries.iter().rev().take(load.sales.len()).collect();
            bail!("gateway-{gateway} does not sell {} s after everything healed: {last:?}", left.as_secs());
        }
    }
    Ok(entries)
}

/// Waits until a sale has come to rest; what is there then.
fn settle(eyes: &mut Eyes, sale: &Sale, healed: Instant) -> Result<Seen> {
    let mut last = anyhow!("not looked at");
    let seen =
        wait::within(limit().saturating_sub(healed.elapsed()), || look(eyes, sale).map_err(|error| last = error).ok());
    seen.ok_or_else(|| {
        anyhow!("{} has not come to rest {} s after everything healed: {last:#}", sale.name, limit().as_secs())
    })
}

/// Everything in one moment: the sale has made no event meanwhile.
fn look(eyes: &mut Eyes, sale: &Sale) -> Result<Seen> {
    let before = eyes.status(&sale.name)?;
    let rows = eyes.rows(&sale.name)?;
    checker::settled(sale, &before, &rows).map_err(|missing| anyhow!(missing))?;
    let ids: Vec<u64> = rows.orders.iter().map(|order| order.id).collect();
    let states = eyes.states(&sale.name, &ids)?;
    if eyes.status(&sale.name)?.seq != before.seq {
        bail!("the sale still makes events");
    }
    Ok(Seen { rows, in_redis: ids.into_iter().zip(states).collect() })
}
