//! What carries the events from Redis to PostgreSQL, as it is chosen. No other file knows which transports there are.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use clap::{Args, ValueEnum};
use flash_broker::{Amqp, MessageKeys};
use flash_doctor::BrokerOrWhy;
use flash_gateway::{Config, Gateway, StartError};
use flash_transport::{Broker, Direct, Transport as _};

use crate::barrier;
use crate::secret::url_source;
use crate::syncer::task::Syncer;

url_source!(AmqpUrl, amqp_url, amqp_url_file, "FLASH_AMQP_URL", "FLASH_AMQP_URL_FILE");

impl AmqpUrl {
    /// Declares the exchange and the queues in the vhost that it names.
    pub(crate) async fn declare(&self) -> Result<()> {
        let connection = flash_broker::connect(&self.source().read()?, "flash migrate").await?;
        let channel = connection.create_channel().await.context("RabbitMQ refused a channel")?;
        flash_broker::declare(&channel).await?;
        // What is declared stays, however the connection ends.
        let _ = connection.close(200, "declared".into()).await;
        Ok(())
    }
}

/// What carries the events from Redis to PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    /// RabbitMQ, and syncers that read from it.
    Amqp,
    /// Nothing: a syncer in the gateway's process. The journals in Redis are the only buffer.
    Direct,
}

/// Where the brokers are.
#[derive(Debug, Args)]
pub(crate) struct Brokers {
    #[command(flatten)]
    amqp: AmqpUrl,
    /// A file with the keys that sign messages in RabbitMQ, one per line: the first signs, and each verifies. The file
    /// is read again when it changes. Without one, a client that may publish to RabbitMQ may make orders.
    #[arg(long, value_name = "FILE", env = "FLASH_MESSAGE_KEYS")]
    message_keys: Option<PathBuf>,
}

impl Brokers {
    /// A transport of this kind. (Within a runtime: what it reads again, it reads in the background.)
    pub(crate) fn open(&self, kind: Kind) -> Result<Transport> {
        match kind {
            Kind::Amqp => self.shared(),
            Kind::Direct => Ok(Transport::Direct(Direct::default())),
        }
    }

    /// The transport that several processes share.
    pub(crate) fn shared(&self) -> Result<Transport> {
        self.rabbitmq(self.amqp.source().read()?)
    }

    /// The same. None: no URL is set.
    pub(crate) fn shared_if_set(&self) -> Result<Option<Transport>> {
        self.amqp.source().read_if_set()?.map(|url| self.rabbitmq(url)).transpose()
    }

    /// The broker of this kind of transport by its name, or why it is not known. None: it has none.
    pub(crate) fn broker(&self, kind: Kind) -> Option<(&'static str, BrokerOrWhy)> {
        let broker = |url| Arc::new(Amqp::new(url)) as Arc<dyn Broker>;
        match kind {
            Kind::Amqp => {
                let url = self.amqp.source().read().map_err(|error| format!("{error:#}"));
                Some((flash_broker::NAME, url.map(broker)))
            }
            Kind::Direct => None,
        }
    }

    fn rabbitmq(&self, url: String) -> Result<Transport> {
        let amqp = Amqp::new(url);
        let Some(file) = &self.message_keys else { return Ok(Transport::Amqp(amqp)) };
        let keys = open_keys(file)?;
        tokio::spawn(keys.clone().watch());
        Ok(Transport::Amqp(amqp.with_keys(keys)))
    }
}

fn open_keys(file: &Path) -> Result<MessageKeys> {
    MessageKeys::open(file).map_err(|error| anyhow!("the message keys {}: {error}", file.display()))
}

/// A transport, whichever it is.
pub(crate) enum Transport {
    Amqp(Amqp),
    Direct(Direct),
}

impl Transport {
    /// RabbitMQ at this URL, where messages are signed with the keys of a file; without a URL, the one within this
    /// process.
    pub(crate) fn of_this_machine(amqp: Option<String>, keys: impl FnOnce() -> Result<PathBuf>) -> Result<Self> {
        match amqp {
            Some(url) => Ok(Self::Amqp(Amqp::new(url).with_keys(open_keys(&keys()?)?))),
            None => Ok(Self::Direct(Direct::default())),
        }
    }

    pub(crate) fn start_gateway(self, config: Config) -> Result<Gateway, StartError> {
        match self {
            Self::Amqp(amqp) => Gateway::start(config, amqp),
            Self::Direct(direct) => Gateway::start(config, direct),
        }
    }

    /// Starts a syncer as a task of this process.
    pub(crate) fn start_syncer(&self, config: flash_syncer::Config) -> Syncer {
        match self {
            Self::Amqp(amqp) => Syncer::start(config, amqp.clone()),
            Self::Direct(direct) => Syncer::start(config, direct.clone()),
        }
    }

    /// Is a syncer until `stop`.
    pub(crate) async fn sync(
        &self,
        config: &flash_syncer::Config,
        stop: impl Future<Output = ()>,
    ) -> Result<(), flash_syncer::Error> {
        match self {
            Self::Amqp(amqp) => flash_syncer::run(config, amqp, stop).await,
            Self::Direct(direct) => flash_syncer::run(config, direct, stop).await,
        }
    }

    /// Waits until everything that it carries now is in PostgreSQL.
    pub(crate) async fn pass_barrier(&self, vault: &flash_vault::Client) -> Result<()> {
        match self {
            Self::Amqp(amqp) => barrier::pass(vault, amqp).await,
            Self::Direct(direct) => barrier::pass(vault, direct).await,
        }
    }

    /// The server that it goes through, if it has one.
    pub(crate) fn broker(&self) -> Option<Arc<dyn Broker>> {
        match self {
            Self::Amqp(amqp) => amqp.broker(),
            Self::Direct(direct) => direct.broker(),
        }
    }
}
