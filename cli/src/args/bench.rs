//! `flash bench`

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::secret::url_source;

/// A bound on the generator's memory.
pub(crate) const BUYERS_MAX: u64 = 10_000_000;

/// `flash bench`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The load is open-loop: buyers arrive at random times, fixed by the seed, whether or not earlier \
                  requests have an answer. Latency counts from the scheduled time of a request. The same seed gives \
                  the same buyers, who keep what they have bought in the same sale. Afterwards the sale's sold units \
                  must have grown by the number of 201 answers, provided that no one else buys or releases units and \
                  no hold expires. If the generator is reported as saturated, its own thread was too slow, and \
                  latencies are the generator's.\n\nIf the gateway requires authentication, FLASH_TOKENS_FILE names a \
                  file with one token or key per line, one line per buyer (or FLASH_TOKENS holds them). There can be \
                  no more buyers than lines.\n\nWith --baseline, these results are worse: fewer requests per second; a \
                  p50 or p99 of 201, 200 or 409 that is higher by at least one millisecond, if both runs have at least \
                  100 such requests; a share of 503, 504 and errors that is higher by at least a thousandth of all \
                  requests. The exit code is 1 if the sale's count is wrong or a result is worse, and 2 if the sale's \
                  count cannot be determined.\n\nExample: flash bench http://127.0.0.1:8080 --sale drop --rate 2000 \
                  --seconds 30 -o json > before.json"
)]
pub(crate) struct Bench {
    /// The gateway's URL: http://127.0.0.1:8080, https://shop.example
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// The sale, which must exist.
    #[arg(long)]
    pub(crate) sale: String,
    /// The SKU; required if the sale has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) sku: Option<String>,
    /// Buyers who want one unit each.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=BUYERS_MAX))]
    pub(crate) buyers: u64,
    /// Instead of --buyers: the duration, which with --rate gives the number of buyers.
    #[arg(long, conflicts_with = "buyers", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: Option<u64>,
    /// Concurrent requests, each on its own connection.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) concurrency: u64,
    /// Requests per second on average; the gaps between them are random.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) rate: u64,
    /// Buyers in a hundred that send their request twice.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=100))]
    pub(crate) repeat_percent: u64,
    /// Fixes the arrival times of the buyers; default: a new seed each time, which is printed.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// A PEM file with the certificate authorities for the gateway; default: the public ones.
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// The output of an earlier run of the same load with `-o json`; report results that are worse now.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// The tolerated difference from the baseline, in per cent.
    #[arg(long, default_value_t = 25, requires = "baseline", value_parser = clap::value_parser!(u64).range(0..=1_000))]
    pub(crate) tolerance_percent: u64,
    #[command(flatten)]
    pub(crate) tokens: Tokens,
}

url_source!(Tokens, tokens, tokens_file, "FLASH_TOKENS", "FLASH_TOKENS_FILE");
