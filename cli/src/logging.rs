//! Logs go to stderr.

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// What is logged by default. lapin reports each lost connection as several errors of its own; ours say
/// it once, and what follows from it.
pub(crate) const DEFAULT: &str = "warn,lapin=off";

/// Where requests have their lines.
const REQUESTS: &str = "flash_gateway::requests=info";

/// How logs are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One line of JSON for each event.
    Json,
}

/// Starts to log what is asked for: `warn`, `flash_gateway=debug,info`, …; and requests, if they have lines.
pub(crate) fn start(filter: &str, format: Format, has_requests: bool) {
    let mut filter = EnvFilter::try_new(filter).unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    if has_requests && let Ok(requests) = REQUESTS.parse() {
        filter = filter.add_directive(requests);
    }
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        Format::Text => builder.init(),
        Format::Json => builder.json().init(),
    }
}
