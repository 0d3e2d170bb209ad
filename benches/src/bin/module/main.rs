//! Measures `libflash.so` in a private redis-server: the server's CPU time per call and its memory per reservation,
//! beside PING, INCR and Lua scripts that promise less or the same.
//!
//! Every figure of a sale of up to a million buyers is the least of two runs, each in a server of its own: other work
//! on the machine, and bad luck with the places that the server's memory gets, only ever add to it.

#![forbid(unsafe_code)]

mod case;
mod figures;
mod load;
mod marks;
mod plot;
mod report;
mod server;
mod subject;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, ValueEnum};

use crate::case::{Aof, Case, Ids};
use crate::figures::Figures;
use crate::report::Report;
use crate::server::Server;
use crate::subject::Subject;

/// Sizes for a look that takes a minute.
const QUICK_SIZES: [u64; 2] = [1_000, 100_000];

#[derive(Debug, Parser)]
#[command(about = "Server CPU per call and memory per reservation, beside PING, INCR and Lua")]
struct Args {
    /// Buyers and units of the sales that are measured. Ten million take 3 GB and some minutes of Lua.
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 100_000, 1_000_000, 10_000_000],
        value_parser = clap::value_parser!(u64).range(100..=100_000_000))]
    sizes: Vec<u64>,
    /// Kinds of buyer ids.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Ids::value_variants().iter().copied())]
    ids: Vec<Ids>,
    /// What is measured.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Subject::value_variants().iter().copied())]
    subjects: Vec<Subject>,
    /// Only small sales, and neither an AOF nor single calls.
    #[arg(long)]
    quick: bool,
    /// The module.
    #[arg(long, default_value = "target/release/libflash.so")]
    module: PathBuf,
    /// Where the figures go as JSON.
    #[arg(long, default_value = "target/bench-module.json")]
    json: PathBuf,
    /// Where the plot goes.
    #[arg(long, default_value = "target/bench-module.svg")]
    plot: PathBuf,
    /// Fails when a mark is missed. Without it a busy machine fails nothing.
    #[arg(long)]
    strict: bool,
}

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let sizes = if args.quick { &QUICK_SIZES[..] } else { &args.sizes };
    let cases = Case::all(sizes, &args.ids, !args.quick);
    let server = Server::start(&args.module, Aof::Off)?.version()?;
    let mut report = Report { server, load: [load_average()?; 2], figures: Vec::new(), marks: Vec::new() };
    let all = cases.iter().flat_map(|case| args.subjects.iter().map(move |subject| (*case, *subject)));
    for (at, (case, subject)) in all.enumerate() {
        eprintln!("{} of {}: {}, {case}", at + 1, cases.len() * args.subjects.len(), subject.name());
        report.figures.push(Figures::measure(subject, case, &args.module)?);
        report.marks = marks::check(&report.figures);
        report.load[1] = load_average()?;
        // Each time, so that nothing is lost of a run that is cut short.
        write(&args.json, &serde_json::to_string_pretty(&report)?)?;
        write(&args.plot, &plot::svg(&report.figures))?;
    }
    print!("{report}");
    let is_failed = args.strict && report.marks.iter().any(|mark| !mark.is_met);
    Ok(if is_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// Processes that were ready to run, on average over a minute.
fn load_average() -> anyhow::Result<f64> {
    let loads = fs::read_to_string("/proc/loadavg")?;
    Ok(loads.split(' ').next().context("/proc/loadavg is empty")?.parse()?)
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
