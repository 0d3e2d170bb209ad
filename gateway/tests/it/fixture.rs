//! A gateway with a Redis of its own, a database and a vhost of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::{Range, RangeInclusive};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use flash_broker::{Amqp, QUEUE};
use flash_client::Durability;
use flash_gateway::limits::REQUESTS_MAX;
use flash_gateway::{Auth, Config, Gateway, IdSecrets, Proxies};
use flash_relay::{RUN_EVENTS_MAX, RelayHandle};
use flash_servers::{Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, Redis, RedisOptions, silent};
use flash_wire::{Envelope, Message};
use futures_util::StreamExt;
use hmac::{Hmac, KeyInit, Mac};
use lapin::options::{BasicAckOptions, BasicConsumeOptions};
use lapin::types::FieldTable;
use rustix::process::{Pid, Signal, kill_process};
use sha2::Sha256;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::proxy::Proxy;

pub(crate) const DEADLINE: Duration = Duration::from_secs(60);

const ID_SECRET: &str = "the same for all gateways of a Redis";

/// The id that a gateway gives a reservation where no buyer has to prove anything.
pub(crate) fn public_id(sale: &str, number: u64) -> String {
    let mut hmac = Hmac::<Sha256>::new_from_slice(ID_SECRET.as_bytes()).unwrap();
    hmac.update(b"reservation\0");
    hmac.update(&number.to_be_bytes());
    hmac.update(sale.as_bytes());
    hmac.update(b"\0");
    let mac: String = hmac.finalize().into_bytes()[..16].iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{number}-{mac}")
}

/// What `/readyz?verbose` says when nothing is away.
pub(crate) const ALL_OK: &str = "\"redis\":\"ok\",\"rabbitmq\":\"ok\",\"postgres\":\"ok\"";

/// Started once for all tests; the kernel ends them with this process.
struct Shared {
    postgres: Postgres,
    rabbitmq: RabbitMq,
    _dir: TempDir,
}

fn shared() -> &'static Shared {
    static SHARED: OnceLock<Shared> = OnceLock::new();
    SHARED.get_or_init(|| {
        // PostgreSQL runs as another user, who must get there.
        let open = std::fs::Permissions::from_mode(0o755);
        let dir = tempfile::Builder::new().permissions(open).tempdir().unwrap();
        let postgres = PostgresOptions::new(dir.path().join("postgres"));
        let rabbitmq = RabbitMqOptions::new(dir.path().join("rabbitmq"));
        Shared {
            postgres: Postgres::start(&postgres, silent).unwrap(),
            rabbitmq: RabbitMq::start(&rabbitmq, silent).unwrap(),
            _dir: dir,
        }
    })
}

/// The module that cargo built beside this test.
fn module() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let module = test.ancestors().nth(2).unwrap().join("libflash.so");
    assert!(module.is_file(), "{} is not there: build it by `cargo build -p flash-module`", module.display());
    module
}

pub(crate) struct World {
    gateway: Option<Gateway>,
    pub(crate) redis: Redis,
    /// The gateway's way to RabbitMQ.
    pub(crate) rabbitmq: Proxy,
    pub(crate) postgres: String,
    config: Config,
    transport: Amqp,
    amqp: String,
    _dir: TempDir,
}

impl World {
    pub(crate) async fn start() -> Self {
        Self::start_with(RUN_EVENTS_MAX).await
    }

    /// With messages of so many events at most.
    pub(crate) async fn start_with(run_max: u64) -> Self {
        static WORLDS: AtomicU64 = AtomicU64::new(0);
        let name = format!("world_{}", WORLDS.fetch_add(1, Ordering::Relaxed));
        let dir = tempfile::tempdir().unwrap();
        let options = RedisOptions { module: Some(module()), ..RedisOptions::new(dir.path().join("redis")) };
        let redis = Redis::start(&options, silent).unwrap();
        shared().postgres.create_database(&name).unwrap();
        let postgres = shared().postgres.url(&name);
        flash_vault::migrate(&mut flash_vault::connect(&postgres).await.unwrap()).await.unwrap();
        shared().rabbitmq.create_vhost(&name).unwrap();
        let amqp = shared().rabbitmq.url(&name);
        let port = shared().rabbitmq.server.port();
        let rabbitmq = Proxy::to(SocketAddr::from(([127, 0, 0, 1], port))).await;
        let config = Config {
            listen: "127.0.0.1:0".parse().unwrap(),
            operator_listen: None,
            tls: None,
            operator_tls: None,
            auth: Auth::None,
            auth_none_anywhere: false,
            connections_per_address: 0,
            streams_per_address: 0,
            hsts_max_age_s: None,
            keep_alive: Duration::from_millis(flash_gateway::limits::KEEP_ALIVE_MS),
            hosts: Vec::new(),
            cors_origins: Vec::new(),
            id_secrets: IdSecrets { makes: ID_SECRET.to_owned(), also: None },
            redis: redis.url(),
            postgres: postgres.clone(),
            threads: 2,
            redis_timeout: Duration::from_millis(flash_client::REDIS_TIMEOUT_MS),
            requests_max: REQUESTS_MAX,
            rate_limits: Vec::new(),
            proxies: Proxies::default(),
            run_max,
            drain_notice: Duration::ZERO,
            // What reads the queue here is no syncer: nothing is acknowledged.
            sweep_after: Duration::from_secs(3_600),
            durability: Durability::MEMORY,
            webhooks_private: true,
            log_sample: 0,
            webhooks_cacert: None,
            devtools: None,
        };
        let transport = Amqp::new(amqp.replace(&format!(":{port}/"), &format!(":{}/", rabbitmq.address.port())));
        let gateway = Gateway::start(config.clone(), transport.clone()).unwrap();
        let world = Self { gateway: Some(gateway), redis, rabbitmq, postgres, config, transport, amqp, _dir: dir };
        let ready = async || {
            let answer = world.get("/readyz?verbose").await;
            answer.status == 200 && answer.body.contains(ALL_OK)
        };
        world.until("a ready gateway and all servers", ready).await;
        world
    }

    /// Where the gateway serves.
    pub(crate) fn address(&self) -> SocketAddr {
        self.gateway.as_ref().unwrap().address()
    }

    pub(crate) fn relay(&self) -> &RelayHandle {
        self.gateway.as_ref().unwrap().relay()
    }

    /// Stops the gateway in order.
    pub(crate) async fn stop_gateway(&mut self) {
        self.gateway.take().unwrap().stop().await;
    }

    /// One more gateway of the same servers.
    pub(crate) fn another_gateway(&self) -> Gateway {
        Gateway::start(self.config.clone(), self.transport.clone()).unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.ask("GET", path, "", "").await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.ask("POST", path, "Content-Type: application/json\r\n", body).await
    }

    pub(crate) async fn ask(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        ask(self.address(), method, path, headers, body).await
    }

    pub(crate) async fn create(&self, body: &str) {
        let answer = self.post("/v1/sales", body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    /// Reserves for each of so many buyers. On a busy machine an answer may be "unknown": then the buyer asks again.
    pub(crate) async fn reserve(&self, buyers: Range<u64>) {
        for buyer in buyers {
            let body = format!("{{\"buyer\":\"b{buyer}\"}}");
            let mut answer = self.post("/v1/sales/drop/reservations", &body).await;
            while answer.status == 504 {
                answer = self.post("/v1/sales/drop/reservations", &body).await;
            }
            assert!([200, 201].contains(&answer.status), "{answer:?}");
        }
    }

    /// Redis falls silent: its connections stay open, without answers.
    pub(crate) fn freeze_redis(&self) {
        self.signal_redis(Signal::STOP);
    }

    pub(crate) fn thaw_redis(&self) {
        self.signal_redis(Signal::CONT);
    }

    fn signal_redis(&self, signal: Signal) {
        let pid = self.redis.server.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Sends Redis one command of words.
    pub(crate) async fn redis(&self, command: &str) {
        let mut stream = TcpStream::connect(("127.0.0.1", self.redis.server.port())).await.unwrap();
        stream.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
        let mut reply = [0; 64];
        let read = stream.read(&mut reply).await.unwrap();
        assert!(read > 0 && reply[0] != b'-', "{command}: {}", String::from_utf8_lossy(&reply[..read]));
    }

    /// Takes messages of sale `drop` from the queue until each of these events has come. Answers how often each came.
    pub(crate) async fn take_events(&self, seqs: RangeInclusive<u64>) -> BTreeMap<u64, u64> {
        let (connection, mut consumer) = self.consume().await;
        let mut counts = BTreeMap::new();
        while seqs.clone().any(|seq| !counts.contains_key(&seq)) {
            let delivery = timeout(DEADLINE, consumer.next()).await;
            let delivery = delivery.unwrap_or_else(|_| panic!("only {counts:?} of {seqs:?} came")).unwrap().unwrap();
            delivery.ack(BasicAckOptions::default()).await.unwrap();
            let message = Message::decode(&delivery.data).unwrap();
            assert_eq!((message.sale.as_ref(), message.epoch), ("drop", 1));
            assert!(message.events.len() as u64 <= self.config.run_max, "{} events", message.events.len());
            for event in &message.events {
                *counts.entry(event.seq).or_default() += 1;
            }
        }
        connection.close(200, "".into()).await.unwrap();
        counts
    }

    /// Takes messages of sale `drop` from the queue up to a barrier. Answers the seqs, in the order in which they came.
    pub(crate) async fn take_until_barrier(&self, id: &str) -> Vec<u64> {
        let (connection, mut consumer) = self.consume().await;
        let mut seqs = Vec::new();
        loop {
            let delivery = timeout(DEADLINE, consumer.next()).await.expect("the barrier comes").unwrap().unwrap();
            delivery.ack(BasicAckOptions::default()).await.unwrap();
            match Envelope::decode(&delivery.data).unwrap() {
                Envelope::Events(message) => seqs.extend(message.events.iter().map(|event| event.seq)),
                Envelope::Barrier(barrier) if barrier.id() == id => break,
                Envelope::Barrier(_) => {}
            }
        }
        connection.close(200, "".into()).await.unwrap();
        seqs
    }

    /// A consumer of the queue, once there is one: RabbitMQ breaks the connection of a client that asks for a quorum
    /// queue in the moment in which it is made.
    async fn consume(&self) -> (lapin::Connection, lapin::Consumer) {
        let begin = Instant::now();
        loop {
            let (connection, channel) = self.channel().await;
            let options = BasicConsumeOptions::default();
            match channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default()).await {
                Ok(consumer) => return (connection, consumer),
                Err(error) => assert!(begin.elapsed() < DEADLINE, "still {error}"),
            }
        }
    }

    /// A way to RabbitMQ of the test's own.
    pub(crate) async fn channel(&self) -> (lapin::Connection, lapin::Channel) {
        let connection = flash_broker::connect(&self.amqp, "test").await.unwrap();
        let channel = connection.create_channel().await.unwrap();
        (connection, channel)
    }

    /// Waits until it is so.
    pub(crate) async fn until(&self, what: &str, mut is: impl AsyncFnMut() -> bool) {
        let begin = Instant::now();
        while !is().await {
            assert!(begin.elapsed() < DEADLINE, "waited in vain for {what}");
            tokio::task::yield_now().await;
        }
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    /// The id of the reservation that it is about.
    pub(crate) fn id(&self) -> &str {
        let id = self.body.split("\"id\":\"").nth(1).and_then(|rest| rest.split('"').next());
        id.unwrap_or_else(|| panic!("{self:?} has no id"))
    }
}

/// One request on a connection of its own.
pub(crate) async fn ask(address: SocketAddr, method: &str, path: &str, headers: &str, body: &str) -> Answer {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("{answer:?} is no answer"));
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Answer { status, head: head.to_owned(), body: body.to_owned() }
}
