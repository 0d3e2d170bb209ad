//! Measures `libflash.so` in a private redis-server: the server's CPU time per call and its memory per reservation,
//! beside PING, INCR and a Lua script that makes the same promise.
//!
//! Every figure is the least of three runs, each in a server of its own: other work on the machine, and bad luck with
//! the places that the server's memory gets, only ever add to it.

#![forbid(unsafe_code)]

mod load;
mod report;
mod server;
mod subject;

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

use crate::load::Load;
use crate::report::Report;
use crate::server::Server;
use crate::subject::Subject;

/// Runs of each measurement. The least counts.
const RUNS: usize = 3;

#[derive(Debug, Parser)]
#[command(about = "Server CPU per call and memory per reservation, beside PING, INCR and Lua")]
struct Args {
    /// Calls of each kind, and units and buyers of the sale.
    #[arg(default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    calls: u64,
    /// Bytes of a buyer id.
    #[arg(long, default_value_t = 17, value_parser = clap::value_parser!(u8).range(10..=128))]
    buyer_bytes: u8,
    /// Connections that send at the same time.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=64))]
    connections: u16,
    /// Calls that a connection sends before it reads their replies.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    pipeline: u16,
    /// The module.
    #[arg(long, default_value = "target/release/libflash.so")]
    module: PathBuf,
    /// What is measured beside PING and INCR.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Subject::Lua, Subject::Module, Subject::ModuleBare])]
    subjects: Vec<Subject>,
    /// How the result is printed.
    #[arg(short, long, value_enum, default_value_t = Output::Table)]
    output: Output,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Output {
    Table,
    Json,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let module = &args.module;
    let load = Load {
        calls: args.calls,
        buyer_bytes: args.buyer_bytes,
        connections: args.connections,
        pipeline: args.pipeline,
    };
    let report = Report {
        server: Server::start(module)?.version()?,
        calls: load.calls,
        buyer_bytes: args.buyer_bytes,
        connections: load.connections,
        pipeline: load.pipeline,
        runs: RUNS,
        ping_us: subject::ping(module, &load)?,
        incr_us: subject::incr(module, &load)?,
        subjects: args.subjects.iter().map(|subject| subject.measure(module, &load)).collect::<Result<_, _>>()?,
    };
    match args.output {
        Output::Table => print!("{report}"),
        Output::Json => println!("{}", serde_json::to_string(&report)?),
    }
    Ok(())
}
