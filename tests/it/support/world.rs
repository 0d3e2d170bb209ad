//! A whole Flash for one test: gateway and syncer as processes, Redis of its own, a database and a vhost of its own.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitStatus;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use flash_broker::QUEUE;
use flash_servers::{Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, silent};
use flash_vault::SkuSold;
use serde_json::Value;
use tempfile::TempDir;

use super::http::Http;
use super::program::Program;
use super::proxy::Proxy;
use super::redis::Server;
use super::wait;

/// Started once for all tests. The kernel ends them with this process.
struct Shared {
    postgres: Postgres,
    rabbitmq: RabbitMq,
    _dir: TempDir,
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        let dir = tempfile::tempdir().expect("a directory");
        let postgres = PostgresOptions::new(dir.path().join("postgres"));
        let rabbitmq = RabbitMqOptions::new(dir.path().join("rabbitmq"));
        Shared {
            postgres: Postgres::start(&postgres, silent).expect("PostgreSQL starts"),
            rabbitmq: RabbitMq::start(&rabbitmq, silent).expect("RabbitMQ starts"),
            _dir: dir,
        }
    })
}

/// A whole Flash.
pub(crate) struct World {
    pub(crate) redis: Server,
    pub(crate) address: SocketAddr,
    gateway: Option<Program>,
    other_gateway: Option<Program>,
    syncer: Option<Program>,
    /// Of a user of Redis; none: the owner's.
    pub(crate) redis_url: Option<String>,
    /// None: the transport is direct.
    pub(crate) amqp: Option<String>,
    pub(crate) postgres: String,
    runtime: tokio::runtime::Runtime,
    vault: flash_vault::Client,
}

impl World {
    /// Everything runs and is ready.
    pub(crate) fn start() -> Self {
        let mut world = Self::start_without_syncer();
        world.start_syncer();
        world
    }

    pub(crate) fn start_without_syncer() -> Self {
        let (name, amqp) = vhost();
        Self::start_with(&name, amqp)
    }

    /// Without a syncer. The gateway's way to RabbitMQ is one that can be cut.
    pub(crate) fn start_behind_a_proxy() -> (Self, Proxy) {
        let (name, amqp) = vhost();
        let server = SocketAddr::from(([127, 0, 0, 1], shared().rabbitmq.server.port()));
        let proxy = Proxy::to(server);
        let behind = amqp.replace(&format!(":{}/", server.port()), &format!(":{}/", proxy.address.port()));
        let mut world = Self::start_with(&name, behind);
        world.amqp = Some(amqp);
        (world, proxy)
    }

    /// Without RabbitMQ and syncer: the gateway writes to PostgreSQL itself.
    pub(crate) fn start_direct(database: &str) -> Self {
        Self::start_by(database, None)
    }

    /// With a RabbitMQ of the test's own, which it may kill.
    pub(crate) fn start_with(database: &str, amqp: String) -> Self {
        Self::start_by(database, Some(amqp))
    }

    fn start_by(database: &str, amqp: Option<String>) -> Self {
        shared().postgres.create_database(database).expect("a database");
        Self::start_at(shared().postgres.url(database), amqp)
    }

    /// In a database of a PostgreSQL of the test's own, which it may kill. (Without a URL of RabbitMQ the transport is
    /// direct.)
    pub(crate) fn start_at(postgres: String, amqp: Option<String>) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let vault = runtime.block_on(flash_vault::connect(&postgres)).expect("PostgreSQL answers");
        let (redis, address) = (Server::start_with(&["--flash.fence-on-load", "yes"]), free_address());
        let (gateway, other_gateway, syncer, redis_url) = (None, None, None, None);
        let mut world =
            Self { redis, address, gateway, other_gateway, syncer, redis_url, amqp, postgres, runtime, vault };
        let migrate = Program::start(&["migrate"], &world.environment());
        assert!(migrate.wait().0.success(), "the schema can be made");
        world.start_gateway();
        world
    }

    pub(crate) fn start_gateway(&mut self) {
        self.start_gateway_with(&[]);
    }

    /// With more arguments.
    pub(crate) fn start_gateway_with(&mut self, args: &[&str]) {
        let listen = self.address.to_string();
        let args = [&["gateway", "-o", "json", "--listen", &listen], args].concat();
        let mut gateway = Program::start(&args, &self.environment());
        gateway.line();
        self.gateway = Some(gateway);
        wait::until("a gateway that is ready", || {
            let answer = self.http().get("/readyz").ok()?;
            (answer.status == 200).then_some(())
        });
    }

    /// Starts one more gateway; from now on the test speaks to it.
    pub(crate) fn start_second_gateway(&mut self) {
        self.start_second_gateway_with(&[]);
    }

    /// The same with more arguments.
    pub(crate) fn start_second_gateway_with(&mut self, args: &[&str]) {
        self.other_gateway = self.gateway.take();
        self.address = free_address();
        self.start_gateway_with(args);
    }

    pub(crate) fn start_syncer(&mut self) {
        self.syncer = Some(self.start_flash(&["syncer"]));
    }

    /// A syncer that serves metrics at the address given.
    pub(crate) fn start_measured_syncer(&mut self) -> SocketAddr {
        let address = free_address();
        self.syncer = Some(self.start_flash(&["syncer", "--metrics-listen", &address.to_string()]));
        address
    }

    /// Starts `flash` with the world's URLs, to print JSON.
    pub(crate) fn start_flash(&self, args: &[&str]) -> Program {
        Program::start(&[&["-o", "json"], args].concat(), &self.environment())
    }

    pub(crate) fn kill_gateway(&mut self) {
        self.gateway.take().expect("a gateway runs").kill();
    }

    /// Kills the gateway that ran before the second one was started.
    pub(crate) fn kill_first_gateway(&mut self) {
        self.other_gateway.take().expect("two gateways run").kill();
    }

    /// Runs the program to its end; what it printed on stdout.
    pub(crate) fn run(&self, args: &[&str]) -> (ExitStatus, String) {
        Program::start(args, &self.environment()).wait()
    }

    /// Stops the gateway in order: it relays what it has.
    pub(crate) fn stop_gateway(&mut self) {
        let gateway = self.gateway.take().expect("a gateway runs");
        gateway.interrupt();
        assert!(gateway.wait().0.success(), "the gateway stops in order");
    }

    pub(crate) fn kill_syncer(&mut self) {
        self.syncer.take().expect("a syncer runs").kill();
    }

    /// Kills Redis as a crash would, and starts it again on the same data.
    pub(crate) fn crash_redis(&mut self) {
        self.redis.redis.server.kill().expect("ours to kill");
        self.redis.redis.server.restart().expect("Redis starts again");
    }

    pub(crate) fn http(&self) -> Http {
        Http::connect(self.address).expect("the gateway takes connections")
    }

    /// Creates a sale; `body` is its JSON. On a busy machine a gateway that was started a moment ago may not have got
    /// to PostgreSQL yet.
    pub(crate) fn create_sale(&self, body: &str) {
        let answer = wait::until("an answer", || {
            let answer = self.http().post("/v1/sales", body).expect("an answer");
            (answer.status != 503).then_some(answer)
        });
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// Asks PostgreSQL over a new connection from now on: it was started again.
    pub(crate) fn ask_anew(&mut self) {
        self.vault = self.runtime.block_on(flash_vault::connect(&self.postgres)).expect("PostgreSQL answers");
    }

    /// Held and confirmed orders of a sale in PostgreSQL.
    pub(crate) fn orders(&self, sale: &str) -> u64 {
        self.ask(async |vault| flash_vault::active_orders(vault, sale).await.expect("readable"))
    }

    pub(crate) fn twice_served_buyers(&self, sale: &str) -> u64 {
        self.ask(async |vault| flash_vault::twice_served_buyers(vault, sale).await.expect("readable"))
    }

    pub(crate) fn sold(&self, sale: &str) -> Vec<SkuSold> {
        self.ask(async |vault| flash_vault::sold_units(vault, sale).await.expect("readable"))
    }

    /// One order's state.
    pub(crate) fn order_state(&self, sale: &str, id: u64) -> Option<String> {
        let order = self.ask(async |vault| flash_vault::order(vault, sale, id).await.expect("readable"))?;
        Some(order.state.name().to_owned())
    }

    pub(crate) fn wait_for_orders(&self, sale: &str, count: u64) {
        wait::until(&format!("{count} orders of {sale}"), || (self.orders(sale) == count).then_some(()));
    }

    /// Waits until Redis knows that PostgreSQL has everything.
    pub(crate) fn wait_for_empty_journal(&self, sale: &str) {
        let mut connection = self.redis.connect();
        wait::until("an empty journal", || {
            let events = super::redis::status(&mut connection, &format!("flash:{sale}"), "journal_events");
            (events == 0).then_some(())
        });
    }

    /// Runs `flash` with the world's URLs: its exit code, and what it printed, a line of JSON each.
    pub(crate) fn flash(&self, args: &[&str]) -> (i32, Vec<Value>) {
        let (status, printed) = self.start_flash(args).wait();
        let line = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line:?}: {error}"));
        (status.code().expect("it ended by itself"), printed.lines().map(line).collect())
    }

    /// Runs statements in PostgreSQL.
    pub(crate) fn sql(&self, statements: &str) {
        self.ask(async |vault| vault.batch_execute(statements).await).unwrap_or_else(|error| {
            panic!("{statements}: {error:?}");
        });
    }

    /// The first column of each row that a query gives, as text.
    pub(crate) fn rows(&self, query: &str) -> Vec<String> {
        let query = format!("SELECT answer::text FROM ({query}) AS question (answer)");
        let rows = self.ask(async |vault| vault.query(&query, &[]).await).expect("readable");
        rows.iter().map(|row| row.get(0)).collect()
    }

    /// Messages that wait in RabbitMQ's queue.
    pub(crate) fn queued(&self) -> u64 {
        let depth = self.runtime.block_on(async {
            let connection = flash_broker::connect(self.amqp(), "test").await.expect("RabbitMQ answers");
            flash_broker::depth(&connection).await.expect("RabbitMQ answers")
        });
        depth.map_or(0, |depth| depth.ready)
    }

    /// Takes the queue from RabbitMQ.
    pub(crate) fn delete_queue(&self) {
        self.runtime.block_on(async {
            let connection = flash_broker::connect(self.amqp(), "test").await.expect("RabbitMQ answers");
            let channel = connection.create_channel().await.expect("RabbitMQ answers");
            channel.queue_delete(QUEUE.into(), Default::default()).await.expect("RabbitMQ obeys");
        });
    }

    /// Declares the queue with other settings than Flash's.
    pub(crate) fn declare_other_queue(&self) {
        self.runtime.block_on(async {
            let connection = flash_broker::connect(self.amqp(), "test").await.expect("RabbitMQ answers");
            let channel = connection.create_channel().await.expect("RabbitMQ answers");
            channel.queue_declare(QUEUE.into(), Default::default(), Default::default()).await.expect("RabbitMQ obeys");
        });
    }

    fn amqp(&self) -> &str {
        self.amqp.as_ref().expect("the transport is RabbitMQ")
    }

    fn ask<T>(&self, question: impl AsyncFnOnce(&flash_vault::Client) -> T) -> T {
        self.runtime.block_on(question(&self.vault))
    }

    /// Where the servers are, for a `flash` of the test's own: Redis, the transport, PostgreSQL, and what a gateway is
    /// told.
    pub(crate) fn environment(&self) -> [(&'static str, String); 5] {
        let transport = match &self.amqp {
            Some(amqp) => ("FLASH_AMQP_URL", amqp.clone()),
            None => ("FLASH_TRANSPORT", "direct".to_owned()),
        };
        [
            ("FLASH_REDIS_URL", self.redis_url.clone().unwrap_or_else(|| self.redis.redis.url())),
            transport,
            ("FLASH_POSTGRES_URL", self.postgres.clone()),
            ("FLASH_AUTH", "none".to_owned()),
            ("FLASH_ID_SECRET", "the same for all gateways of a Redis".to_owned()),
        ]
    }
}

/// A database of a test's own, without tables.
pub(crate) fn empty_database() -> String {
    static DATABASES: AtomicU32 = AtomicU32::new(0);
    let name = format!("database_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    shared().postgres.create_database(&name).expect("a database");
    shared().postgres.url(&name)
}

/// A database of a test's own, with its tables.
pub(crate) fn database() -> String {
    let url = empty_database();
    let migrate = Program::start(&["migrate"], &[("FLASH_POSTGRES_URL", url.clone())]);
    assert!(migrate.wait().0.success(), "the schema can be made");
    url
}

/// A name, and a vhost that is called so. The URL of a user of a vhost, who may configure, write and read what these
/// patterns match; `owner` is the URL of its owner.
pub(crate) fn broker_user(owner: &str, name: &str, rights: [&str; 3]) -> String {
    let (server, vhost) = owner.rsplit_once('/').expect("a vhost");
    let (_, address) = server.rsplit_once('@').expect("a user");
    let user = format!("{name}_{vhost}");
    shared().rabbitmq.create_user(&user, "hush", vhost, rights).expect("a user");
    format!("amqp://{user}:hush@{address}/{vhost}")
}

/// Removes what [`broker_user`] made.
pub(crate) fn remove_broker_user(url: &str) {
    let name = url.strip_prefix("amqp://").and_then(|rest| rest.split(':').next()).expect("a user");
    shared().rabbitmq.delete_user(name).expect("it is there");
}

pub(crate) fn vhost() -> (String, String) {
    static WORLDS: AtomicU32 = AtomicU32::new(0);
    let name = format!("test_{}", WORLDS.fetch_add(1, Ordering::Relaxed));
    shared().rabbitmq.create_vhost(&name).expect("a vhost");
    let amqp = shared().rabbitmq.url(&name);
    (name, amqp)
}

/// An address that is free now, and that no outgoing connection is given while a gateway is down.
pub(crate) fn free_address() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, flash_servers::free_port().expect("a free port")).into()
}
