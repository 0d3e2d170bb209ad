//! `flash bench`: buyers at a sale of any gateway, what they were answered and how soon, and whether it is true.

mod baseline;
mod report;
mod verdict;

use std::process::ExitCode;

use anyhow::{Result, anyhow, bail};
use flash_sim::Crowd;

use self::report::Line;
use self::verdict::Verdict;
use crate::args::{self, BUYERS_MAX, Output};
use crate::load::{self, Api, Endpoint, Load, Since, Stock, Who, Wish};
use crate::progress::Progress;
use crate::runtime::block_on;

/// The exit code of an unknown result.
const CANNOT_TELL: u8 = 2;

/// Sends them, and says how it went.
pub(crate) fn run(args: &args::Bench, output: Output) -> Result<ExitCode> {
    flash_wire::key::check_sale(&args.sale).map_err(|invalid| anyhow!("{invalid}"))?;
    let endpoint = Endpoint::read(&args.url, args.cacert.as_deref())?;
    let crowd = crowd(args)?;
    let who = who(args, &crowd)?;
    let baseline = args.baseline.as_deref().map(baseline::read).transpose()?;
    if let Some(baseline) = &baseline {
        baseline::check_load(baseline, args, &crowd)?;
    }
    let mut line = block_on(bench(args, endpoint, crowd, who))?;
    if let Some(baseline) = &baseline {
        line.worse = baseline::worse(&line, baseline, args.tolerance_percent);
    }
    line.print(output);
    Ok(match line.verdict {
        Verdict::Unknown => ExitCode::from(CANNOT_TELL),
        Verdict::Exact if line.worse.is_empty() => ExitCode::SUCCESS,
        Verdict::Exact | Verdict::Broken => ExitCode::FAILURE,
    })
}

async fn bench(args: &args::Bench, endpoint: Endpoint, crowd: Crowd, who: Who) -> Result<Line> {
    let sale = Api::connect(&endpoint).await?.sale(&args.sale).await?;
    if args.sku.is_none() && sale.skus.len() > 1 {
        let skus: Vec<&str> = sale.skus.iter().map(|sku| sku.sku.as_str()).collect();
        bail!("the sale has several SKUs; --sku must name one: {}", skus.join(", "));
    }
    let load = Load {
        endpoint: endpoint.clone(),
        wish: Wish::new(&args.sale, args.sku.clone(), who).with_limit(sale.limit),
        crowd,
        concurrency: args.concurrency,
        since: Since::Due,
    };
    let pressed = load::press(load, &Progress::new()).await?;
    Ok(Line::new(args, &crowd, &pressed, sale.stock, stock(&endpoint, &args.sale).await))
}

/// What the sale counts afterwards, if it says so.
async fn stock(endpoint: &Endpoint, sale: &str) -> Option<Stock> {
    let asked = async { Api::connect(endpoint).await?.sale(sale).await };
    match asked.await {
        Ok(sale) => Some(sale.stock),
        Err(error) => {
            eprintln!("flash: cannot read the sale's count: {error:#}");
            None
        }
    }
}

fn crowd(args: &args::Bench) -> Result<Crowd> {
    let buyers = match args.seconds {
        Some(seconds) => (args.rate * seconds * 100 / (100 + args.repeat_percent)).max(1),
        None => args.buyers,
    };
    if buyers > BUYERS_MAX {
        bail!("--rate and --seconds give {buyers} buyers, more than {BUYERS_MAX}");
    }
    let seed = args.seed.unwrap_or_else(rand::random);
    Ok(Crowd { buyers, repeat_percent: args.repeat_percent, requests_per_s: args.rate, seed })
}

/// Named buyers are others for each seed: who had a unit in an earlier run would buy nothing in this one.
fn who(args: &args::Bench, crowd: &Crowd) -> Result<Who> {
    let Some(tokens) = args.tokens.source().read_if_set()? else {
        return Ok(Who::Named(format!("-{:016x}", crowd.seed)));
    };
    let tokens: Vec<String> =
        tokens.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    if (tokens.len() as u64) < crowd.buyers {
        bail!("{} tokens for {} buyers: each buyer needs one", tokens.len(), crowd.buyers);
    }
    Ok(Who::Tokens(tokens))
}
