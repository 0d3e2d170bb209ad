//! What an operator can ask for.

use std::net::SocketAddr;

use clap::{Args as ClapArgs, Subcommand};

use super::{PostgresUrl, RedisUrl, Urls};

/// `flash audit`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The exit code is 0 if everything is whole, 1 if something is not, 2 if it cannot be determined, for \
                        instance because a server is away. URLs come from the environment, as for `flash gateway`.\n\n\
                        Example: flash audit drop --watch"
)]
pub(crate) struct Audit {
    /// Only this sale.
    #[arg(value_name = "SALE")]
    pub(crate) sale: Option<String>,
    /// Repeat the audit until Ctrl-C. Print what changes, with its time.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Milliseconds between two audits of --watch.
    #[arg(long, default_value_t = 2_000, requires = "watch", value_parser = clap::value_parser!(u64).range(100..=3_600_000))]
    pub(crate) every_ms: u64,
    /// The address that serves the metric of drifting sales to Prometheus, with --watch; default: none.
    #[arg(long, value_name = "ADDRESS", requires = "watch")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// What else to look at; a sale of that name goes behind `--`.
    #[command(subcommand)]
    pub(crate) command: Option<AuditCommand>,
    #[command(flatten)]
    pub(crate) redis: RedisUrl,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

/// What else can be looked at.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show what operators did, the newest first; or prove that nothing of it was changed, deleted or inserted since.
    Log(AuditLog),
}

/// `flash audit log`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "With --verify the exit code is 0 where the log is whole, 1 where it is not. Keep the hash that it prints \
                        where nobody gets who may change the tables.\n\nExample: flash audit log --verify"
)]
pub(crate) struct AuditLog {
    /// Reckon the hash of every row anew.
    #[arg(long)]
    pub(crate) verify: bool,
    /// A hash that --verify printed before: one of the rows must have it still.
    #[arg(long, value_name = "HASH", requires = "verify")]
    pub(crate) expect: Option<String>,
    /// At most so many rows.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) limit: u64,
}

/// `flash quarantine`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Nothing is deleted: what was replayed or discarded is shown by `list --all`. URLs come from the \
                        environment, as for `flash gateway`.\n\n\
                        Example: flash quarantine replay --sale drop --since 2h --dry-run"
)]
pub(crate) struct Quarantine {
    #[command(subcommand)]
    pub(crate) command: QuarantineCommand,
    #[command(flatten)]
    pub(crate) redis: RedisUrl,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

/// What to do with the quarantine.
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// Show what waits there.
    List {
        #[command(flatten)]
        filter: QuarantineFilter,
        /// Also what was replayed or discarded.
        #[arg(long)]
        all: bool,
    },
    /// Show one of them whole, with what it holds.
    Show {
        /// Its number.
        id: u64,
    },
    /// Write them after all. What cannot be written stays, with its new reason; the exit code is 1 then.
    Replay {
        #[command(flatten)]
        filter: QuarantineFilter,
        /// Only show which.
        #[arg(long)]
        dry_run: bool,
        /// Who decides so.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
    /// Decide that they are not to be written.
    Discard {
        #[command(flatten)]
        filter: QuarantineFilter,
        /// Only show which.
        #[arg(long)]
        dry_run: bool,
        /// Who decides so.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
}

/// Which rows are meant.
#[derive(Debug, ClapArgs)]
pub(crate) struct QuarantineFilter {
    /// Only these numbers.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<u64>,
    /// Only of this sale.
    #[arg(long)]
    pub(crate) sale: Option<String>,
    /// Only what came in the last while: 90s, 15m, 2h, 7d.
    #[arg(long, value_name = "AGO", value_parser = seconds)]
    pub(crate) since: Option<u64>,
    /// Only rows whose reason contains this text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// At most so many, the oldest first.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) limit: u64,
}

impl QuarantineFilter {
    /// Whether it says anything about which rows.
    pub(crate) const fn is_any(&self) -> bool {
        self.ids.is_empty() && self.sale.is_none() && self.since.is_none() && self.reason.is_none()
    }
}

/// Reads `90s`, `15m`, `2h` or `7d`.
pub(super) fn seconds(text: &str) -> Result<u64, String> {
    let unit = |last| match last {
        's' => Some(1),
        'm' => Some(60),
        'h' => Some(3_600),
        'd' => Some(86_400),
        _ => None,
    };
    let parts = text.char_indices().next_back().and_then(|(at, last)| Some((text.get(..at)?, unit(last)?)));
    let seconds = parts.and_then(|(number, unit)| number.parse::<u64>().ok()?.checked_mul(unit));
    let seconds = seconds.filter(|seconds| *seconds <= SINCE_S_MAX);
    seconds.ok_or_else(|| "must be a number and s, m, h or d, at most 3650d".to_owned())
}

/// Ten years.
const SINCE_S_MAX: u64 = 3_650 * 86_400;

/// `flash relay`
#[derive(Debug, ClapArgs)]
pub(crate) struct Relay {
    #[command(subcommand)]
    pub(crate) command: RelayCommand,
}

/// What to ask about the relays.
#[derive(Debug, Subcommand)]
pub(crate) enum RelayCommand {
    /// Show the sales with events that PostgreSQL lacks, and who relays them; RabbitMQ's queue, if FLASH_AMQP_URL is set;
    /// and the syncers, those within gateways too, with what waits for each, if FLASH_POSTGRES_URL is set.
    Status(Urls),
}

/// `flash config`
#[derive(Debug, ClapArgs)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// What to ask about the settings.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show what every setting is, with secrets left out.
    Show(ConfigShow),
}

/// `flash config show`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example: flash config show --origin gateway --threads 4")]
pub(crate) struct ConfigShow {
    /// Show also the origin of each: a flag, a variable, a line of the file, or the default.
    #[arg(long)]
    pub(crate) origin: bool,
    /// Only for this command, with these flags; by default for all commands, as they are without any.
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

/// `flash repair`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The exit code is 0 where everything is whole in the end, 1 where something is not, 2 where nobody can \
                        tell. Every repair is a row of the table repairs.\n\nExample: flash repair drop --dry-run"
)]
pub(crate) struct Repair {
    /// Only this sale.
    #[arg(value_name = "SALE")]
    pub(crate) sale: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Who does it.
    #[arg(long, env = "USER", default_value = "unknown")]
    pub(crate) by: String,
    /// Milliseconds that a gateway may take to recover a sale that was fenced.
    #[arg(long, default_value_t = 30_000, value_parser = clap::value_parser!(u64).range(0..=600_000))]
    pub(crate) wait_ms: u64,
    #[command(flatten)]
    pub(crate) redis: RedisUrl,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn a_while_is_a_number_and_its_unit() {
        for (text, want) in [
            ("90s", Some(90)),
            ("15m", Some(900)),
            ("2h", Some(7_200)),
            ("7d", Some(604_800)),
            ("0s", Some(0)),
            ("3651d", None),
            ("99999999999999999999d", None),
            ("", None),
            ("s", None),
            ("5", None),
            ("-5s", None),
            ("5é", None),
        ] {
            assert_eq!(seconds(text).ok(), want, "{text}");
        }
    }
}
