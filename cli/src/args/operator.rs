//! What an operator can ask for.

use std::net::SocketAddr;

use clap::{Args as ClapArgs, Subcommand};

use super::{PostgresUrl, RedisUrl, Urls};

/// `flash audit`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The exit code is 0 if everything is correct, 1 if not, 2 if it cannot be determined, for example \
                  because a server is unavailable. URLs come from the environment, as for `flash gateway`.\n\nExample: \
                  flash audit drop --watch"
)]
pub(crate) struct Audit {
    /// Only this sale.
    #[arg(value_name = "SALE")]
    pub(crate) sale: Option<String>,
    /// Repeat the audit until Ctrl-C. Print what changes, with its time.
    #[arg(long)]
    pub(crate) watch: bool,
    /// Milliseconds between two audits of --watch.
    #[arg(
        long,
        default_value_t = 2_000,
        requires = "watch",
        value_parser = clap::value_parser!(u64).range(100..=3_600_000)
    )]
    pub(crate) every_ms: u64,
    /// The address that serves the metric of drifting sales to Prometheus, with --watch; default: none.
    #[arg(long, value_name = "ADDRESS", requires = "watch")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// Another subject; put a sale of this name after `--`.
    #[command(subcommand)]
    pub(crate) command: Option<AuditCommand>,
    #[command(flatten)]
    pub(crate) redis: RedisUrl,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

/// Other subjects of an audit.
#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// Show the audit log of operators' actions, newest first; or verify that no row was changed, deleted or inserted
    /// later.
    Log(AuditLog),
}

/// `flash audit log`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "With --verify, the exit code is 0 if the log is intact, 1 if not. Keep the printed hash where people \
                  who can change the tables have no access.\n\nExample: flash audit log --verify"
)]
pub(crate) struct AuditLog {
    /// Recompute and check the hash of every row.
    #[arg(long)]
    pub(crate) verify: bool,
    /// A hash that --verify printed earlier; one of the rows must still have it.
    #[arg(long, value_name = "HASH", requires = "verify")]
    pub(crate) expect: Option<String>,
    /// The largest number of rows.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) limit: u64,
}

/// `flash quarantine`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Nothing is deleted: `list --all` also shows messages that were replayed or discarded. URLs come from \
                  the environment, as for `flash gateway`.\n\nExample: flash quarantine replay --sale drop --since 2h \
                  --dry-run"
)]
pub(crate) struct Quarantine {
    #[command(subcommand)]
    pub(crate) command: QuarantineCommand,
    #[command(flatten)]
    pub(crate) redis: RedisUrl,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

/// Quarantine commands.
#[derive(Debug, Subcommand)]
pub(crate) enum QuarantineCommand {
    /// List quarantined messages.
    List {
        #[command(flatten)]
        filter: QuarantineFilter,
        /// Include messages that were replayed or discarded.
        #[arg(long)]
        all: bool,
    },
    /// Show one message with its content.
    Show {
        /// The number.
        id: u64,
    },
    /// Replay messages: write them to PostgreSQL. A message that is refused again stays, with its new reason, and the
    /// exit code is 1.
    Replay {
        #[command(flatten)]
        filter: QuarantineFilter,
        /// Only show the selected messages.
        #[arg(long)]
        dry_run: bool,
        /// The operator's name for the audit log.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
    /// Discard messages, so that they are never written.
    Discard {
        #[command(flatten)]
        filter: QuarantineFilter,
        /// Only show the selected messages.
        #[arg(long)]
        dry_run: bool,
        /// The operator's name for the audit log.
        #[arg(long, env = "USER", default_value = "unknown")]
        by: String,
    },
}

/// The selected rows.
#[derive(Debug, ClapArgs)]
pub(crate) struct QuarantineFilter {
    /// Only these numbers.
    #[arg(value_name = "ID")]
    pub(crate) ids: Vec<u64>,
    /// Only this sale.
    #[arg(long)]
    pub(crate) sale: Option<String>,
    /// Only messages that are not older than this: 90s, 15m, 2h, 7d.
    #[arg(long, value_name = "AGO", value_parser = seconds)]
    pub(crate) since: Option<u64>,
    /// Only rows whose reason contains this text.
    #[arg(long, value_name = "TEXT")]
    pub(crate) reason: Option<String>,
    /// The largest number of rows, oldest first.
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

/// Relay commands.
#[derive(Debug, Subcommand)]
pub(crate) enum RelayCommand {
    /// Show the sales with events that PostgreSQL lacks, and their relays; RabbitMQ's queue, if FLASH_AMQP_URL is set;
    /// and all syncers with their waiting messages, if FLASH_POSTGRES_URL is set.
    Status(Urls),
}

/// `flash config`
#[derive(Debug, ClapArgs)]
pub(crate) struct Config {
    #[command(subcommand)]
    pub(crate) command: ConfigCommand,
}

/// Configuration commands.
#[derive(Debug, Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show the value of every setting; secrets are hidden.
    Show(ConfigShow),
}

/// `flash config show`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example: flash config show --origin gateway --threads 4")]
pub(crate) struct ConfigShow {
    /// Also show the origin of each value: a flag, a variable, a line of the file, or the default.
    #[arg(long)]
    pub(crate) origin: bool,
    /// Only this command, with these flags; default: all commands, without flags.
    #[arg(value_name = "COMMAND", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<String>,
}

/// `flash repair`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The exit code is 0 if everything is correct in the end, 1 if not, 2 if it cannot be determined. \
                  Every repair is recorded in the table repairs.\n\nExample: flash repair drop --dry-run"
)]
pub(crate) struct Repair {
    /// Only this sale.
    #[arg(value_name = "SALE")]
    pub(crate) sale: Option<String>,
    /// Only show what would be repaired.
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// The operator's name for the audit log.
    #[arg(long, env = "USER", default_value = "unknown")]
    pub(crate) by: String,
    /// Milliseconds to wait for a gateway to recover a fenced sale.
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
