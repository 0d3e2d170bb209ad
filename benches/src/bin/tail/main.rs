//! Measures the tail: how much of what was acknowledged each durability level loses with Redis, and how old the oldest
//! of it is. Buyers reserve over HTTP at a steady pace; at a random moment Redis is lost in the way that hurts the
//! level most, and comes back; the gateway recovers the sale, which sells out; then each acknowledged reservation is
//! looked up in PostgreSQL. Prints a table for Markdown.

#![forbid(unsafe_code)]

mod buyers;
mod forward;
mod level;
mod loss;
mod report;
mod round;
mod stage;
mod synced;
mod verdict;

use std::hash::{BuildHasher, RandomState};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use clap::Parser;
use flash_benches::machine;

use crate::level::{Level, Plight};
use crate::report::{HEAD, Line};
use crate::stage::{Programs, Stage};

/// Rounds of each level with `--quick`.
const QUICK_ROUNDS: u64 = 3;

const ABOUT: &str = "\
*Missing* is what was acknowledged before the loss (201) and is neither an order nor a recorded rejection in the end;
*oldest missing* is how old the oldest such answer was at the moment of the loss: the tail. No level allows an id that two
buyers were given, more orders than units, two orders of a buyer, or a reservation that is missing although it was
acknowledged after the recovery: the last column would say BROKEN. It says refused where nothing was acknowledged, because
this Redis cannot give what was asked for.";

#[derive(Debug, Parser)]
#[command(about = "The tail of acknowledged reservations that each durability level may lose with Redis")]
struct Args {
    /// Rounds of each level. In every second one PostgreSQL is silent before the loss, and the gateway is killed as
    /// well.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    rounds: u64,
    /// Three rounds of each level.
    #[arg(long)]
    quick: bool,
    /// These levels only: memory, everysec-power, everysec-killed, always, fsync, fsync-everysec, replica, replicas=1.
    #[arg(long, value_delimiter = ',')]
    levels: Vec<String>,
    /// Reservations a second.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(10..=100_000))]
    per_second: u64,
    /// Decides when Redis is lost; none: any.
    #[arg(long)]
    seed: Option<u64>,
    /// Another server than the redis-server of the search path.
    #[arg(long)]
    server: Option<PathBuf>,
    /// The program.
    #[arg(long, default_value = "target/release/flash")]
    flash: PathBuf,
    /// The module.
    #[arg(long, default_value = "target/release/libflash.so")]
    module: PathBuf,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let rounds = if args.quick { QUICK_ROUNDS } else { args.rounds };
    let seed = args.seed.unwrap_or_else(|| RandomState::new().hash_one(()));
    let programs = Programs {
        flash: std::path::absolute(&args.flash)?,
        module: std::path::absolute(&args.module)?,
        redis: args.server.as_deref().map(std::path::absolute).transpose()?,
    };
    let server = version(programs.redis.as_deref().unwrap_or(Path::new("redis-server")));
    let build = if cfg!(debug_assertions) { " Built by the dev profile." } else { "" };
    println!("{}{build}\n", machine::describe());
    println!("{} reservations a second, seed {seed}, {server}.", args.per_second);
    println!("{ABOUT}\n\n{HEAD}");
    let mut is_kept = true;
    for level in Level::ALL {
        if !args.levels.is_empty() && !args.levels.iter().any(|name| name == level.name) {
            continue;
        }
        for (plight, rounds) in Plight::BOTH.into_iter().zip([rounds.div_ceil(2), rounds / 2]) {
            let line = measure(&programs, level, plight, rounds, seed, args.per_second)?;
            println!("{line}");
            is_kept &= line.is_kept();
        }
    }
    Ok(if is_kept { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn measure(
    programs: &Programs,
    level: Level,
    plight: Plight,
    rounds: u64,
    seed: u64,
    per_second: u64,
) -> anyhow::Result<Line> {
    let mut line = Line { level, plight, rounds: Vec::new() };
    if rounds == 0 {
        return Ok(line);
    }
    let mut stage = Stage::start(programs, level)?;
    for at in 0..rounds {
        let verdict = round::play(&mut stage, plight, &format!("tail-{at}"), seed.wrapping_add(at), per_second)?;
        eprintln!("{}, {}, round {at}: {verdict:?}", level.name, plight.name());
        line.rounds.push(verdict);
    }
    Ok(line)
}

/// The name of a server, and its version.
fn version(server: &Path) -> String {
    let output = Command::new(server).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let mut words = text.split(' ');
    let (name, version) = (words.next().unwrap_or_default(), words.find_map(|word| word.strip_prefix("v=")));
    format!("{name} {}", version.unwrap_or("of an unknown version"))
}
