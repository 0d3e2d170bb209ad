//! Logs go to stderr.

use tracing_subscriber::EnvFilter;

use crate::args::LogFormat;

/// What is logged where FLASH_LOG says nothing. lapin reports each lost connection as several errors of its own; ours say
/// it once, and what follows from it.
const DEFAULT: &str = "warn,lapin=off";

/// Starts to log what FLASH_LOG asks for: `warn`, `flash_gateway=debug,info`, …
pub(crate) fn start(format: LogFormat) {
    let filter = EnvFilter::try_from_env("FLASH_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => builder.init(),
        LogFormat::Json => builder.json().init(),
    }
}
