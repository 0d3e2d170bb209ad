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
    after_help = "Each strategy sells to the same buyers, who come at the same times, whether or not those before them have an \
                        answer. Latency counts from the moment at which a request was to be sent. naive is there to be seen \
                        overselling; optimistic and redis-lock give up after some tries, and may leave units. The exit code is 1 \
                        where a strategy does what it should not: sells more than there is, or twice to a buyer, or leaves units.\n\n\
                        It works in a schema `flash_sim` of the database, which it drops in the end: one simulation at a time. What \
                        the strategy flash sells stays there, as a sale with orders.\n\n\
                        Example: flash sim --strategy naive,flash --buyers 5000 --units 100 --seed 7 --plot sim.svg"
)]
pub(crate) struct Sim {
    /// Which ways to sell: a list of names. Without it, all of them.
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = strategy())]
    pub(crate) strategy: Vec<Strategy>,
    /// People who want one unit each.
    #[arg(long, default_value_t = 5_000, value_parser = clap::value_parser!(u64).range(1..=500_000))]
    pub(crate) buyers: u64,
    /// Units that there are.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=500_000))]
    pub(crate) units: u64,
    /// Requests that are under way at once, each with a connection to PostgreSQL of its own.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=80))]
    pub(crate) concurrency: u64,
    /// Requests a second, on average; the gaps between them are random.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) rate: u64,
    /// How many of a hundred buyers press the button twice.
    #[arg(long, default_value_t = REPEAT_PERCENT, value_parser = clap::value_parser!(u64).range(0..=100))]
    pub(crate) repeat_percent: u64,
    /// Fixes who comes when; by default a new one each time, which is printed.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// Buyers come over HTTP: to the gateway where `flash` sells, and to a shop of its own where another way does. Without it
    /// they stand before Redis and PostgreSQL themselves.
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
        .try_map(|name| Strategy::named(&name).ok_or("there is no such strategy"))
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
