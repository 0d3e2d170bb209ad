//! Measures the gateway beside what is usual, against one Redis and in one run: CPU a request at saturation, and
//! latency at half of it. All of them sell the same: one unit a buyer, held for a pay window, never oversold, with a
//! repeat answered as the first time, and each order in a journal or queue for its writer.

#![forbid(unsafe_code)]

mod figures;
mod generator;
mod line;
mod open_connections;
mod plain;
mod report;
mod request;
mod rivals;
mod stage;
mod subject;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use flash_benches::machine;

use crate::figures::Figures;
use crate::report::Report;
use crate::stage::Stage;
use crate::subject::{Server, Subject};
use flash_benches::mark::Mark;
use flash_benches::world::Built;

/// The gateway's: its rivals must not lose by another.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Of a look that takes a minute.
const QUICK_S: u64 = 1;

#[derive(Debug, Parser)]
#[command(about = "CPU a request and latency of the gateway, nginx with Lua and a service in Node")]
struct Args {
    /// How long each is measured at saturation, and as long at half of it.
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often all of them are measured, in turns; the best of each counts.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Once, and not for long.
    #[arg(long)]
    quick: bool,
    /// The program.
    #[arg(long, default_value = "target/release/flash")]
    flash: PathBuf,
    /// The module.
    #[arg(long, default_value = "target/release/libflash.so")]
    module: PathBuf,
    /// The service in Node, beside what it needs.
    #[arg(long, default_value = "target/bench-node/service.js")]
    node: PathBuf,
    /// Serves as hyper alone would, to be measured.
    #[arg(long, hide = true)]
    plain: bool,
    /// Fails when a mark is missed. Without it a busy machine fails nothing.
    #[arg(long)]
    strict: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let mut args = Args::parse();
    if args.plain {
        return plain::serve().map(|()| ExitCode::SUCCESS);
    }
    if args.quick {
        (args.seconds, args.rounds) = (QUICK_S, 1);
    }
    let built = Built { flash: std::path::absolute(&args.flash)?, module: std::path::absolute(&args.module)? };
    let before = load_average()?;
    let stage = Stage::start(&built, &args.node)?;
    let mut best: Vec<Figures> = Vec::new();
    for round in 0..args.rounds {
        for subject in Subject::ALL {
            eprintln!("{} of {}: {}", round + 1, args.rounds, subject.name());
            let figures = Figures::measure(&stage, subject, round, Duration::from_secs(args.seconds))?;
            let known = best.iter().position(|best| best.subject == subject).map(|at| best.remove(at));
            best.push(match known {
                Some(known) => known.least(figures),
                None => figures,
            });
        }
    }
    let memory = open_connections::measure(&stage.gateway.address, stage.pid(Server::Flash))?;
    let versions = [("nginx", "-v"), ("node", "--version"), ("redis-server", "--version")];
    let versions = versions.map(|(name, arg)| Ok(format!("{name} {}", rivals::version(name, arg)?)));
    let report = Report {
        machine: machine::describe(),
        versions: versions.into_iter().collect::<anyhow::Result<Vec<_>>>()?.join(", ") + ".",
        load: [before, load_average()?],
        figures: best,
        memory,
    };
    print!("{report}");
    let is_failed = args.strict && !report.marks().iter().all(Mark::is_met);
    Ok(if is_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Processes that were ready to run, on average over a minute.
fn load_average() -> anyhow::Result<String> {
    let loads = fs::read_to_string("/proc/loadavg")?;
    Ok(loads.split(' ').next().unwrap_or_default().to_owned())
}
