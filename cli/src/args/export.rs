//! What leaves PostgreSQL for other programs.

use clap::{Args as ClapArgs, Subcommand, ValueEnum};

use super::PostgresUrl;
use super::operator::seconds;
use crate::clock;

/// `flash export`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The URL comes from the environment, as for `flash gateway`. The exit code is 2 if there is no \
                        such sale, and 1 if orders are missing.\n\nExample: flash export orders --sale drop --format \
                        csv --since 2026-12-01T09:00:00Z > orders.csv"
)]
pub(crate) struct Export {
    #[command(subcommand)]
    pub(crate) command: ExportCommand,
    #[command(flatten)]
    pub(crate) postgres: PostgresUrl,
}

/// What is exported.
#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// Write the orders of a sale to stdout, by id.
    Orders(ExportOrders),
}

/// `flash export orders`
#[derive(Debug, ClapArgs)]
pub(crate) struct ExportOrders {
    /// The sale.
    #[arg(long)]
    pub(crate) sale: String,
    /// The format.
    #[arg(long, value_enum)]
    pub(crate) format: ExportFormat,
    /// Only orders that were reserved, or that ended, at this time (2026-12-01T09:00:00Z, RFC 3339), or this long ago
    /// (2h), or later.
    #[arg(long, value_name = "TIME|AGO", value_parser = unix_ms)]
    pub(crate) since: Option<u64>,
}

/// How orders are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// RFC 4180 with a header. A cell that a spreadsheet would take for a formula begins with an apostrophe instead.
    Csv,
    /// One JSON object on each line.
    Jsonl,
}

/// Reads a time, or an age: `90s`, `15m`, `2h` or `7d`.
fn unix_ms(text: &str) -> Result<u64, String> {
    if let Ok(age_s) = seconds(text) {
        return Ok(clock::now_ms().saturating_sub(age_s * 1_000));
    }
    let unreadable = "must be a time with an offset, such as 2026-12-01T09:00:00Z, or an age up to 3650d, such as 2h";
    let time: jiff::Timestamp = text.parse().map_err(|_| unreadable.to_owned())?;
    u64::try_from(time.as_millisecond()).map_err(|_| "must not be before 1970".to_owned())
}
