//! `flash sim`

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use flash_sim::Strategy;

use super::Stack;

/// How many of a hundred buyers press the button twice, where nothing else is said.
pub(crate) const REPEAT_PERCENT: u64 = 20;

/// `flash sim`
#[derive(Debug, ClapArgs)]
#[command(
    // The servers of a `flash dev` may be in use.
    mut_arg("dir", |dir| dir.default_value(".flash/sim")),
    after_help = "Each strategy sells to the same buyers, who arrive at the same times, whether or not earlier \
                  requests have an answer. Latency counts from the scheduled time of a request. The strategy naive \
                  demonstrates overselling; optimistic and redis-lock give up after some tries, and may leave units. \
                  The exit code is 1 if a strategy fails unexpectedly: it oversells, sells twice to a buyer, or leaves \
                  units.\n\nThe simulation uses the database schema `flash_sim`, and drops it at the end, so run one \
                  simulation at a time. The sale and the orders of the strategy flash stay in the \
                  database.\n\nExample: flash sim --strategy naive,flash --buyers 5000 --units 100 --seed 7 --plot \
                  sim.svg"
)]
pub(crate) struct Sim {
    /// The strategies, a list of names; default: all.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = strategy())]
    pub(crate) strategy: Vec<Strategy>,
    /// Buyers who want one unit each.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=500_000))]
    pub(crate) buyers: u64,
    /// Units on sale.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=500_000))]
    pub(crate) units: u64,
    /// Concurrent requests, each with its own connection to PostgreSQL.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=80))]
    pub(crate) concurrency: u64,
    /// Requests per second on average; the gaps between them are random.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) rate: u64,
    /// Buyers in a hundred that send their request twice.
    #[arg(long, default_value_t = REPEAT_PERCENT, value_parser = clap::value_parser!(u64).range(0..=100))]
    pub(crate) repeat_percent: u64,
    /// Fixes the arrival times of the buyers; default: a new seed each time, which is printed.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Buyers send HTTP requests: to the gateway for the strategy `flash`, and to a small shop for each other strategy.
    /// Without this flag they call Redis and PostgreSQL directly.
    #[arg(long)]
    pub(crate) http: bool,
    /// A file for a chart of the results, as SVG.
    #[arg(long, value_name = "FILE")]
    pub(crate) plot: Option<PathBuf>,
    /// The servers.
    #[command(flatten)]
    pub(crate) stack: Stack,
}

fn strategy() -> impl TypedValueParser<Value = Strategy> {
    PossibleValuesParser::new(Strategy::ALL.map(Strategy::name))
        .try_map(|name| Strategy::named(&name).ok_or("unknown strategy"))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::{Args, Command};

    #[test]
    fn it_has_servers_of_its_own_where_a_flash_dev_runs() {
        let Command::Dev(dev) = Args::parse_from(["flash", "dev"]).command else { panic!("not dev") };
        let Command::Sim(sim) = Args::parse_from(["flash", "sim"]).command else { panic!("not sim") };
        assert_eq!((dev.stack.dir.to_str(), sim.stack.dir.to_str()), (Some(".flash"), Some(".flash/sim")));
        let Command::Sim(sim) = Args::parse_from(["flash", "sim", "--dir", "x"]).command else { panic!("not sim") };
        assert_eq!(sim.stack.dir.to_str(), Some("x"));
    }
}
