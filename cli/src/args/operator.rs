//! What an operator can ask for.

use clap::Args as ClapArgs;

use super::{PostgresUrl, RedisUrl};

/// `flash audit`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The exit code is 0 where everything is whole, 1 where something is not, 2 where nobody can tell, as \
                        when a server is away. URLs come from the environment, as for `flash gateway`.\n\n\
                        Example: flash audit drop --watch"
)]
pub(crate) struct Audit {
    /// Only this sale.
    #[arg(value_name = "SALE")]
    pub(crate) sale: Option<String>,
    /// Go on until Ctrl-C, and print what changes.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Milliseconds between two audits of --watch.
    #[arg(long, default_value_t = 2_000, requires = "watch", value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    pub(crate) every_ms: u64,
    #[command(flatten)]
    pub(crate) redis: RedisUrl,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}
