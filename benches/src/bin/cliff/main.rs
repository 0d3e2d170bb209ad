//! Whether the tail has a cliff: many buyers at once, and Redis syncs each command to disk before it answers. The
//! append-only file is rewritten in the middle, and now and then strace makes a sync take 300 ms. Runs once with the
//! time limit for Redis that gateways had before, and once with the present one. Prints a table for Markdown.

#![forbid(unsafe_code)]

mod report;
mod slow;
mod stage;

use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::thread;
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Parser;
use flash_benches::machine;

use crate::report::{HEAD, Line};
use crate::slow::SlowSyncs;
use crate::stage::Stage;

/// The time limits for Redis that are compared, milliseconds: that of before, and the default.
const LIMITS_MS: [u64; 2] = [500, 3_000];

#[derive(Debug, Parser)]
#[command(about = "The latency of 100,000 buyers whose answers wait for a disk that is slow now and then")]
struct Args {
    /// Buyers who want a unit each.
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    buyers: u64,
    /// Units on sale.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    units: u64,
    /// Requests a second.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    rate: u64,
    /// How long a slow sync takes, milliseconds.
    #[arg(long, default_value_t = 300, value_parser = clap::value_parser!(u64).range(1..=60_000))]
    slow_ms: u64,
    /// One sync in so many is slow.
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    every: u64,
    /// Time limits for Redis to compare, milliseconds.
    #[arg(long, value_delimiter = ',', default_values_t = LIMITS_MS)]
    limits_ms: Vec<u64>,
    /// The program.
    #[arg(long, default_value = "target/release/flash")]
    flash: PathBuf,
    /// The module.
    #[arg(long, default_value = "target/release/libflash.so")]
    module: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let build = if cfg!(debug_assertions) { " Built by the dev profile." } else { "" };
    println!("{}{build}\n", machine::describe());
    println!(
        "{} buyers, {} units, {} requests a second, `appendfsync always`; one sync in {} takes {} ms, and the file is \
         rewritten in the middle.\n",
        args.buyers, args.units, args.rate, args.every, args.slow_ms
    );
    println!("{HEAD}");
    let mut is_kept = true;
    for limit_ms in &args.limits_ms {
        let line = measure(&args, *limit_ms)?;
        println!("{line}");
        // Only the newest limit is promised to have no cliff.
        is_kept = line.is_kept();
    }
    Ok(if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(args: &Args, limit_ms: u64) -> anyhow::Result<Line> {
    let stage = Stage::start(&std::path::absolute(&args.flash)?, &std::path::absolute(&args.module)?, limit_ms)?;
    stage.create(args.units)?;
    let slow = SlowSyncs::start(stage.redis_pid()?, args.slow_ms, args.every)?;
    let mut bench = Command::new(&args.flash);
    bench.args(["bench", &stage.url(), "--sale", stage::SALE, "-o", "json", "--repeat-percent", "0"]);
    bench.args(["--buyers", &args.buyers.to_string(), "--rate", &args.rate.to_string()]);
    let bench = bench.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().context("flash bench")?;
    // The middle of the time that the buyers take.
    let until_middle = Duration::from_secs_f64(args.buyers as f64 / args.rate as f64 / 2.0);
    thread::sleep(until_middle);
    stage.rewrite_file()?;
    let output = bench.wait_with_output()?;
    let slow_syncs = slow.stop()?;
    ensure!(stage.has_rewritten_file()?, "the append-only file was not rewritten");
    let orders = stage.wait_for_orders()?;
    Line::of(&output.stdout, limit_ms, slow_syncs, orders)
}
