//! Measures the way from the journal to PostgreSQL: orders a second, CPU time and memory of each part, beside the usual
//! way of one INSERT and one acknowledgement a message. Every case has fresh servers, and counts what PostgreSQL has.

#![forbid(unsafe_code)]

mod back;
mod drain;
mod naive;
mod report;
mod selling;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};

use crate::drain::Way;
use crate::report::Report;
use crate::selling::AppendFsync;
use flash_benches::mark::Mark;
use flash_benches::world::Built;

/// Of what takes a minute in all.
const QUICK_ORDERS: u64 = 50_000;
const QUICK_NAIVE_ORDERS: u64 = 5_000;
const QUICK_CALM_S: u64 = 3;
/// Of the sale that Redis loses.
const LOST_ORDERS: u64 = 100_000;

#[derive(Debug, Parser)]
#[command(about = "Orders a second from the journal to PostgreSQL, and what they cost")]
struct Args {
    #[command(subcommand)]
    child: Option<Child>,
    /// Orders of each case.
    #[arg(long, default_value_t = 1_000_000, value_parser = clap::value_parser!(u64).range(1_000..=100_000_000))]
    orders: u64,
    /// Orders of the usual way: it is slow.
    #[arg(long, default_value_t = 50_000, value_parser = clap::value_parser!(u64).range(100..=100_000_000))]
    naive_orders: u64,
    /// Buyers a second where selling goes on.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    buyers_per_second: u64,
    /// How long they are measured with nothing to drain.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u64).range(1..=600))]
    calm_s: u64,
    /// What is measured.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Case::value_variants().iter().copied())]
    cases: Vec<Case>,
    /// Few orders.
    #[arg(long)]
    quick: bool,
    /// The program.
    #[arg(long, default_value = "target/release/flash")]
    flash: PathBuf,
    /// The module.
    #[arg(long, default_value = "target/release/libflash.so")]
    module: PathBuf,
    /// Fails when a mark is missed. Without it a busy machine fails nothing.
    #[arg(long)]
    strict: bool,
}

/// What the program is as a child of itself.
#[derive(Debug, Subcommand)]
enum Child {
    /// Writes orders in the usual way.
    #[command(hide = true)]
    NaiveConsumer {
        /// How many there are.
        orders: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Case {
    /// In runs, through RabbitMQ.
    Runs,
    /// One event a message.
    OneByOne,
    /// Without a broker.
    Direct,
    /// One INSERT and one acknowledgement a message.
    Naive,
    /// A backlog that drains while selling goes on.
    Selling,
    /// A sale that Redis has lost, of 100,000 orders.
    Lost,
}

fn main() -> anyhow::Result<ExitCode> {
    let mut args = Args::parse();
    if let Some(Child::NaiveConsumer { orders }) = args.child {
        naive::consume(orders)?;
    }
    if args.quick {
        (args.orders, args.naive_orders, args.calm_s) = (QUICK_ORDERS, QUICK_NAIVE_ORDERS, QUICK_CALM_S);
    }
    let built = Built { flash: std::path::absolute(&args.flash)?, module: std::path::absolute(&args.module)? };
    let mut report = Report { load: [load_average()?, String::new()], ..Report::default() };
    for case in &args.cases {
        eprintln!("{case:?}");
        measure(*case, &args, &built, &mut report)?;
    }
    report.load[1] = load_average()?;
    print!("{report}");
    let is_failed = args.strict && !report.marks().iter().all(Mark::is_met);
    Ok(if is_failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn measure(case: Case, args: &Args, built: &Built, report: &mut Report) -> anyhow::Result<()> {
    match case {
        Case::Runs => report.runs = Some(Way::Runs.measure(built, args.orders)?),
        Case::OneByOne => report.one_by_one = Some(Way::OneByOne.measure(built, args.orders)?),
        Case::Direct => report.direct = Some(Way::Direct.measure(built, args.orders)?),
        Case::Naive => report.naive = Some(naive::measure(built, args.naive_orders)?),
        Case::Selling => {
            for appendfsync in [AppendFsync::Always, AppendFsync::EverySec] {
                let sold = selling::measure(built, appendfsync, args.orders, args.buyers_per_second, args.calm_s)?;
                report.sold.push(sold);
            }
        }
        Case::Lost => report.back = Some(back::measure(built, LOST_ORDERS)?),
    }
    Ok(())
}

/// Processes that were ready to run, on average over a minute.
fn load_average() -> anyhow::Result<String> {
    let loads = fs::read_to_string("/proc/loadavg")?;
    Ok(loads.split(' ').next().unwrap_or_default().to_owned())
}
