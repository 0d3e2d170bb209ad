//! A vhost and a database for each test, and a syncer between them.

use std::os::unix::fs::PermissionsExt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use std::ops::Deref;

use flash_broker::{Amqp, EXCHANGE, QUEUE, ROUTING_KEY, connect, declare, publish};
use flash_servers::{Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, silent};
use flash_syncer::{Config, Error, run};
use flash_transport::Outgoing;
use flash_vault::migrate;
use flash_wire::Message;
use flash_wire::message::{
    MESSAGE_VERSION, MessageChange, MessageEvent, MessageItem, MessageReserved, MessageSku, MessageTerms,
};
use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Confirmation, Connection};
use tempfile::TempDir;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// For everything that is waited for, also while the machine is busy with other tests.
const DEADLINE: Duration = Duration::from_secs(120);

/// PostgreSQL and RabbitMQ in a directory of their own.
pub(crate) struct Servers {
    pub(crate) postgres: Postgres,
    pub(crate) rabbitmq: RabbitMq,
    _dir: TempDir,
}

impl Servers {
    pub(crate) fn start() -> Self {
        // PostgreSQL runs as another user, who must get there.
        let open = std::fs::Permissions::from_mode(0o755);
        let dir = tempfile::Builder::new().permissions(open).tempdir().unwrap();
        let postgres = Postgres::start(&PostgresOptions::new(dir.path().join("postgres")), silent).unwrap();
        let rabbitmq = RabbitMq::start(&RabbitMqOptions::new(dir.path().join("rabbitmq")), silent).unwrap();
        Self { postgres, rabbitmq, _dir: dir }
    }

    /// Those of this run, for tests that let them live.
    pub(crate) fn shared() -> &'static Self {
        static SERVERS: OnceLock<Servers> = OnceLock::new();
        SERVERS.get_or_init(Self::start)
    }

    /// A syncer's configuration for a vhost and a database of their own.
    pub(crate) async fn config(&self, redis: &str) -> Setup {
        static TESTS: AtomicU64 = AtomicU64::new(0);
        let name = format!("test_{}", TESTS.fetch_add(1, Ordering::Relaxed));
        self.rabbitmq.create_vhost(&name).unwrap();
        self.postgres.create_database(&name).unwrap();
        let (amqp, postgres) = (self.rabbitmq.url(&name), self.postgres.url(&name));
        migrate(&mut flash_vault::connect(&postgres).await.unwrap()).await.unwrap();
        Setup { amqp, config: Config { postgres, redis: redis.to_owned(), name } }
    }
}

/// What a syncer is started with.
#[derive(Clone)]
pub(crate) struct Setup {
    pub(crate) config: Config,
    pub(crate) amqp: String,
}

impl Deref for Setup {
    type Target = Config;

    fn deref(&self) -> &Config {
        &self.config
    }
}

/// A syncer at work.
pub(crate) struct Syncer {
    stop: oneshot::Sender<()>,
    running: JoinHandle<Result<(), Error>>,
}

impl Syncer {
    pub(crate) fn start(setup: &Setup) -> Self {
        let (stop, stopped) = oneshot::channel();
        let setup = setup.clone();
        let running = tokio::spawn(async move {
            let shutdown = async { drop(stopped.await) };
            run(&setup, &Amqp::new(&setup.amqp), shutdown).await
        });
        Self { stop, running }
    }

    /// Tells it to stop, and waits until it has.
    pub(crate) async fn stop(self) {
        self.stop.send(()).unwrap();
        self.running.await.unwrap().unwrap();
    }

    /// Ends it wherever it is, its connections with it.
    pub(crate) fn kill(self) {
        self.running.abort();
    }
}

/// Where messages are published.
pub(crate) struct Publisher {
    channel: Channel,
    _connection: Connection,
}

impl Publisher {
    pub(crate) async fn new(config: &Setup) -> Self {
        let connection = connect(&config.amqp, "test").await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        declare(&channel).await.unwrap();
        channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
        Self { channel, _connection: connection }
    }

    pub(crate) async fn publish(&self, message: &Message<'_>) {
        let confirm = publish(&self.channel, &Outgoing::of(message.clone()), &flash_broker::MessageKeys::default())
            .await
            .unwrap();
        assert_eq!(confirm.await.unwrap(), Confirmation::Ack(None));
    }

    pub(crate) async fn publish_bytes(&self, body: &[u8]) {
        let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
        let publish = self.channel.basic_publish(EXCHANGE.into(), ROUTING_KEY.into(), options, body, properties);
        assert_eq!(publish.await.unwrap().await.unwrap(), Confirmation::Ack(None));
    }

    /// How many messages the stopped syncer has left in the queue. (The queue has one reader at a time, and what the
    /// last one did not acknowledge is back before the next one gets anything.)
    pub(crate) async fn left(&self) -> usize {
        self.publish_bytes(b"the end").await;
        let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
        let consume = self.channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default());
        let before_the_end = consume.await.unwrap().map(Result::unwrap).take_while(|message| {
            let is_end = message.data == b"the end";
            async move { !is_end }
        });
        tokio::time::timeout(DEADLINE, before_the_end.count()).await.unwrap()
    }
}

/// The sale's first event, followed by `count` orders of a unit each.
pub(crate) fn history(sale: &str, count: u64) -> Vec<Message<'_>> {
    let terms = MessageTerms {
        skus: vec![MessageSku { sku: "default".to_owned(), total: count }],
        limit: 1,
        hold_ms: None,
        opens_at_ms: None,
        closes_at_ms: None,
        journal_events_max: Some(1_000),
    };
    let reserved = |buyer: u64| {
        MessageChange::Reserved(MessageReserved {
            buyer: format!("buyer-{buyer}").into(),
            items: vec![MessageItem { sku: "default".into(), quantity: 1 }],
            ..MessageReserved::default()
        })
    };
    let changes = std::iter::once(MessageChange::Warmed(terms)).chain((0..count).map(reserved));
    let message = |(seq, change)| {
        let events = vec![MessageEvent { seq, at_ms: 1, change }];
        Message { version: MESSAGE_VERSION, sale: sale.into(), epoch: 1, published_at_ms: None, events }
    };
    (1..).zip(changes).map(message).collect()
}

/// Orders and units sold in a sale, by the tables.
pub(crate) async fn sold(config: &Config, sale: &str) -> (u64, u64) {
    let client = flash_vault::connect(&config.postgres).await.unwrap();
    let orders = flash_vault::active_orders(&client, sale).await.unwrap();
    let units = flash_vault::sold_units(&client, sale).await.unwrap();
    (orders, units.iter().map(|sku| sku.sold).sum())
}

/// Looks until the condition holds; fails when it does not within the deadline.
pub(crate) async fn wait_until(what: &str, holds: impl AsyncFn() -> bool) {
    let begin = Instant::now();
    while !holds().await {
        assert!(begin.elapsed() < DEADLINE, "not within {DEADLINE:?}: {what}");
        tokio::task::yield_now().await;
    }
}
