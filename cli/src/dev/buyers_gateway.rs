//! The gateway that simulated buyers meet: `flash gateway` as a process of its own, so that it can be killed while the
//! one with the console goes on. Any number of gateways may share a Redis.

use std::ffi::OsString;

use anyhow::{Context, Result};
use flash_client::Durability;
use flash_servers::GatewayOptions;

use crate::args;
use crate::load::{Api, Endpoint};
use crate::stack::{Orders, Servers, Urls, id_secret};

/// Its directory, beside those of the servers.
const FOLDER: &str = "buyers-gateway";

/// Started by the first who needs it: most who run `flash dev` simulate nothing.
#[derive(Debug, Clone)]
pub(super) struct BuyersGateway {
    options: GatewayOptions,
    orders: Orders,
}

impl BuyersGateway {
    pub(super) fn new(args: &args::Stack, servers: &Servers<'_>, durability: Durability) -> Result<Self> {
        Ok(Self { options: options(args, &servers.urls, durability)?, orders: servers.orders.clone() })
    }

    /// Where it is. It runs from now on, and is ready.
    pub(super) async fn ready(&self) -> Result<Endpoint> {
        let options = self.options.clone();
        let url = self.orders.work(move |stack| stack.gateway(&options)).await?;
        let endpoint = Endpoint::read(&url, None)?;
        Api::wait_for(&endpoint).await.context("the buyers' gateway")?;
        Ok(endpoint)
    }
}

/// What it is started with: the settings of the gateway in this process. It has no rate limits, for all simulated
/// buyers come from one address.
fn options(args: &args::Stack, urls: &Urls, durability: Durability) -> Result<GatewayOptions> {
    let transport = if urls.amqp.is_some() { "amqp" } else { "direct" };
    let mut words: Vec<OsString> =
        ["--auth", "none", "--threads", "1", "--transport", transport].map(Into::into).into();
    // It delivers webhooks, too: as the other one does.
    words.extend(["--webhooks-private".into(), "--durability".into(), durability.to_string().into()]);
    let mut env: Vec<(&'static str, OsString)> = vec![
        ("FLASH_ID_SECRET", id_secret::of(&args.dir)?.into()),
        ("FLASH_REDIS_URL", urls.redis.clone().into()),
        ("FLASH_POSTGRES_URL", urls.postgres.clone().into()),
    ];
    if let Some(amqp) = &urls.amqp {
        env.push(("FLASH_AMQP_URL", amqp.into()));
        env.push(("FLASH_MESSAGE_KEYS", std::path::absolute(id_secret::message_keys(&args.dir)?)?.into()));
    }
    let program = std::env::current_exe().context("cannot find this program's file")?;
    Ok(GatewayOptions { dir: args.dir.join(FOLDER), program, args: words, env })
}
