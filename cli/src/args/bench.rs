//! `flash bench`

use std::path::PathBuf;

use clap::Args as ClapArgs;

use crate::secret::url_source;

/// As many as a machine has room for.
pub(crate) const BUYERS_MAX: u64 = 10_000_000;

/// `flash bench`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Buyers come at random times that the seed fixes, whether or not those before them have an answer. Latency counts from \
                  the moment at which a request was to be sent. The same seed is also the same buyers: at the same sale they have \
                  what they have. Afterwards the sale must count as many units more as buyers were told 201, as long as nobody \
                  else buys or gives back, and no hold expires. The generator is saturated where its thread had no time left: \
                  then what is slow is the generator.\n\n\
                  Where buyers have to say who they are, FLASH_TOKENS_FILE names a file with a token or key of each on a line of \
                  its own (or FLASH_TOKENS holds them), and there are no more buyers than lines.\n\n\
                  With --baseline, worse is: fewer requests a second; p50 or p99 of 201, 200 or 409, where each has 100 requests \
                  at least, higher by a millisecond at least; or a larger part of 503, 504 and errors, by a thousandth of all at \
                  least. The exit code is 1 where the sale does not count what it should or something is worse, 2 where nobody \
                  can tell what the sale counts.\n\n\
                  Example: flash bench http://127.0.0.1:8080 --sale drop --rate 2000 --seconds 30 -o json > before.json"
)]
pub(crate) struct Bench {
    /// Where the gateway is: http://127.0.0.1:8080, https://shop.example
    #[arg(value_name = "URL")]
    pub(crate) url: String,
    /// The sale; it must be there already.
    #[arg(long)]
    pub(crate) sale: String,
    /// Of which SKU, where the sale has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) sku: Option<String>,
    /// People who want one unit each.
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u64).range(1..=BUYERS_MAX))]
    pub(crate) buyers: u64,
    /// Instead of --buyers: as many as come in so many seconds.
    #[arg(long, conflicts_with = "buyers", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) seconds: Option<u64>,
    /// Requests that are under way at once, each on a connection of its own.
    #[arg(long, default_value_t = 256, value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) concurrency: u64,
    /// Requests a second, on average; the gaps between them are random.
    #[arg(long, default_value_t = 2_000, value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub(crate) rate: u64,
    /// How many of a hundred buyers press the button twice.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(0..=100))]
    pub(crate) repeat_percent: u64,
    /// Fixes who comes when; by default a new one each time, which is printed.
    #[arg(long)]
    pub(crate) seed: Option<u64>,
    /// A PEM file of the authorities by which the gateway is trusted; by default the public ones are.
    #[arg(long, value_name = "FILE")]
    pub(crate) cacert: Option<PathBuf>,
    /// What a former run with the same load printed with `-o json`: say what is worse now.
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,
    /// By how many per cent it may be worse.
    #[arg(long, default_value_t = 25, requires = "baseline", value_parser = clap::value_parser!(u64).range(0..=1_000))]
    pub(crate) tolerance_percent: u64,
    #[command(flatten)]
    pub(crate) tokens: Tokens,
}

url_source!(Tokens, tokens, tokens_file, "FLASH_TOKENS", "FLASH_TOKENS_FILE");
