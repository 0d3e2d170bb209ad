//! Measures what watchers cost buyers: reservations at a steady pace, in turns without anybody who watches and with
//! many, before one gateway. Prints a table for Markdown.

#![forbid(unsafe_code)]

mod crowd;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use clap::Parser;
use flash_benches::{buyers, http, machine};
use flash_servers::usage;

use crate::crowd::Crowd;
use flash_benches::threads::Threads;
use flash_benches::world::{Built, Part, World};

const ABOUT: &str = "\
Reservations at a steady pace before one gateway, in turns without any watcher and with many. *us a reservation* is the CPU of
the threads that answer buyers; *events/s* is what each watcher was sent.";

const KIB: f64 = 1024.0;
const MIB: f64 = 1024.0 * KIB;

#[derive(Debug, Parser)]
#[command(about = "What watchers cost buyers")]
struct Args {
    /// Watchers in the turns that have any.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=16_000))]
    watchers: u32,
    /// Reservations a second.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    per_second: u64,
    /// Seconds of each turn.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=600))]
    turn_s: u64,
    /// Turns of each kind.
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    turns: u32,
    /// The program.
    #[arg(long, default_value = "target/release/flash")]
    flash: PathBuf,
    /// The module.
    #[arg(long, default_value = "target/release/libflash.so")]
    module: PathBuf,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let built = Built { flash: std::path::absolute(&args.flash)?, module: std::path::absolute(&args.module)? };
    let world = World::start(&built)?;
    let gateway = world.gateway(&["--transport", "direct"])?;
    println!("{}\n\n{} reservations a second. {ABOUT}\n", machine::describe(), args.per_second);
    println!(
        "| watchers | us a reservation | p50, ms | p99, ms | us/s of the watchers' thread | events/s | gateway, MB |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    let empty_bytes = usage::resident_bytes(gateway.pid());
    for turn in 0..args.turns {
        measure(&world, &gateway, &args, &format!("calm-{turn}"), 0)?;
        let most = measure(&world, &gateway, &args, &format!("watched-{turn}"), args.watchers)?;
        if turn == 0 {
            let each = most.saturating_sub(empty_bytes) as f64 / f64::from(args.watchers) / KIB;
            eprintln!("a watcher takes at most {each:.2} KiB of the gateway");
        }
    }
    Ok(())
}

/// One turn; gives what memory the gateway had.
fn measure(world: &World, gateway: &Part, args: &Args, sale: &str, watchers: u32) -> anyhow::Result<u64> {
    let units = args.per_second * args.turn_s * 2;
    http::create(&gateway.address, "/v1/sales", &format!("{{\"sale\":\"{sale}\",\"total\":{units}}}"))?;
    let crowd = Crowd::watch(&gateway.address, sale, watchers)?;
    let (before, seen, begin) = (Threads::of(gateway.pid())?, crowd.events(), Instant::now());
    let latency = buyers::come(&gateway.address, sale, args.per_second, || {
        thread::sleep(Duration::from_secs(args.turn_s));
        Ok(())
    })?;
    let (took, elapsed) = (Threads::of(gateway.pid())?.since(&before), begin.elapsed().as_secs_f64());
    let events = (crowd.events() - seen) as f64 / elapsed / f64::from(watchers.max(1));
    let bytes = usage::resident_bytes(gateway.pid());
    println!(
        "| {watchers} | {:.1} | {:.2} | {:.2} | {:.0} | {events:.1} | {:.1} |",
        took.of_name("flash-http") / 1e3 / latency.len() as f64,
        latency.value_at_quantile(0.50) as f64 / 1e3,
        latency.value_at_quantile(0.99) as f64 / 1e3,
        took.of_name("flash-events") / 1e3 / elapsed,
        bytes as f64 / MIB,
    );
    drop(crowd);
    send_home(world, sale)?;
    Ok(bytes)
}

/// The gateway notices who has hung up when it writes: so something happens in the sale.
fn send_home(world: &World, sale: &str) -> anyhow::Result<()> {
    for _ in 0..3 {
        redis::cmd("FLASH.RESTOCK").arg(format!("flash:{sale}")).arg(1).exec(&mut world.connect()?)?;
        thread::sleep(Duration::from_secs(1));
    }
    Ok(())
}
