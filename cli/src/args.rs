//! The command line of the program.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};
use flash_client::{Durability, REDIS_TIMEOUT_MS, REDIS_TIMEOUT_MS_MAX, REDIS_TIMEOUT_MS_MIN};
use flash_gateway::limits::{
    CONNECTIONS_PER_ADDRESS, KEEP_ALIVE_MS, KEEP_ALIVE_MS_MAX, KEEP_ALIVE_MS_MIN, REQUESTS_MAX, STREAMS_PER_ADDRESS,
};
use flash_gateway::{Host, Network, Origin};

use crate::logging;
use crate::secret::url_source;
use crate::transport;

mod bench;
mod export;
mod help;
mod identity;
mod migrate;
mod operator;
mod payments;
mod sim;
mod tls;
mod urls;
mod webhooks;

pub(crate) use bench::{BUYERS_MAX, Bench};
pub(crate) use export::{Export, ExportCommand, ExportFormat, ExportOrders};
pub(crate) use help::{Completions, Man, Shell};
pub(crate) use identity::{Auth, Identity, Keys, KeysCommand, Role};
pub(crate) use migrate::Migrate;
pub(crate) use operator::{
    Audit, AuditCommand, AuditLog, Config, ConfigCommand, ConfigShow, Quarantine, QuarantineCommand, QuarantineFilter,
    Relay, RelayCommand, Repair,
};
pub(crate) use payments::{Payments, PaymentsCommand};
pub(crate) use tls::Tls;
pub(crate) use urls::Urls;
pub(crate) use webhooks::{Webhooks, WebhooksCommand};

pub(crate) use sim::{REPEAT_PERCENT, Sim};

/// Flash sales without overselling, duplicate reservations or lost orders.
#[derive(Debug, Parser)]
#[command(name = "flash", version = env!("FLASH_VERSION"), propagate_version = true)]
pub(crate) struct Args {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// How results are printed on stdout.
    #[arg(short, long, value_enum, default_value_t = Output::Table, global = true)]
    pub(crate) output: Output,
    /// A configuration file in TOML, whose keys are the names of settings. Flags and variables override it.
    #[arg(long, value_name = "FILE", env = "FLASH_CONFIG", global = true)]
    pub(crate) config: Option<PathBuf>,
    /// What to log on stderr: warn, flash_relay=debug,info, … A target is the name of a package: flash_gateway,
    /// flash_relay, flash_recovery, flash_webhooks, flash_payments, flash_syncer.
    #[arg(long, value_name = "FILTER", default_value = logging::DEFAULT, env = "FLASH_LOG", global = true)]
    pub(crate) log: String,
    /// The format of the log.
    #[arg(long, value_enum, default_value_t = logging::Format::Text, env = "FLASH_LOG_FORMAT", global = true)]
    pub(crate) log_format: logging::Format,
    /// Log one request in N, and each request with a 5xx answer; 0 logs none.
    #[arg(long, value_name = "N", default_value_t = 0, env = "FLASH_LOG_SAMPLE", global = true)]
    pub(crate) log_sample: u64,
    /// A collector that takes spans by OTLP over HTTP: http://localhost:4318
    #[cfg(feature = "otlp")]
    #[arg(long, value_name = "URL", env = "OTEL_EXPORTER_OTLP_ENDPOINT", global = true)]
    pub(crate) otlp_endpoint: Option<String>,
}

/// How results are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// One line of JSON for each result.
    Json,
}

/// The header in which proxies name the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ForwardedHeader {
    /// X-Forwarded-For
    XForwardedFor,
    /// Forwarded (RFC 7239)
    Forwarded,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run everything on this machine: Redis with the module, PostgreSQL, RabbitMQ, gateway and syncer.
    Dev(Dev),
    /// Compare eight ways to sell, the usual ones and this one, over the same buyers.
    Sim(Sim),
    /// Send buyers to a sale of any gateway at a fixed rate, and report answers and latency.
    Bench(Bench),
    /// Serve the HTTP API, relay events from Redis, and recover sales that Redis has lost.
    Gateway(Gateway),
    /// Write events from RabbitMQ to PostgreSQL; or pause, resume or drain the syncers that run.
    Syncer(Syncer),
    /// Update PostgreSQL's schema, and print what was applied.
    Migrate(Migrate),
    /// Examine everything that a gateway would use. Print what is wrong and what to do. Change nothing.
    Doctor(Doctor),
    /// Check that Redis and PostgreSQL agree, while the sales sell.
    Audit(Audit),
    /// Show, replay or discard messages that could not be read or written.
    Quarantine(Quarantine),
    /// Show the progress of the relays.
    Relay(Relay),
    /// Create, list and revoke the API keys of operators and buyers.
    Keys(Keys),
    /// Replace the secrets that receivers of webhooks check deliveries by.
    Webhooks(Webhooks),
    /// List payments, and those that are due to be refunded.
    Payments(Payments),
    /// Write orders as CSV or JSON for other programs.
    Export(Export),
    /// Repair what an audit found, without ever selling more.
    Repair(Repair),
    /// Show the settings.
    Config(Config),
    /// Print a completion script for a shell.
    Completions(Completions),
    /// Write the manual pages of the program and its commands.
    Man(Man),
}

/// `flash dev`
#[derive(Debug, ClapArgs)]
#[command(after_help = "Example: flash dev --demo --buyers 10000 --units 100")]
pub(crate) struct Dev {
    /// The servers.
    #[command(flatten)]
    pub(crate) stack: Stack,
    /// The address that serves HTTP; port 0 takes a free port.
    #[arg(long, default_value = "127.0.0.1:0")]
    pub(crate) listen: SocketAddr,
    /// Allow an address that other machines can reach. Any client that reaches it may act as any buyer or operator.
    #[arg(long)]
    pub(crate) auth_none_anywhere: bool,
    /// The hosts that are served besides this machine's own, as the header Host names them: shop.example.
    #[arg(long, value_name = "HOSTS", value_delimiter = ',')]
    pub(crate) hosts: Vec<Host>,
    /// The origins whose pages may use the API (CORS): https://shop.example,http://localhost:3000; default: none.
    #[arg(long, value_name = "ORIGINS", value_delimiter = ',')]
    pub(crate) cors_origins: Vec<Origin>,
    /// Threads that serve HTTP.
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
    /// The durability of every answer to a buyer: memory, fsync, replicas=n, or a list of these. Requests may ask for
    /// more.
    #[arg(long, default_value_t = Durability::MEMORY, env = "FLASH_DURABILITY")]
    pub(crate) durability: Durability,
    /// Send many buyers to a sale at once, report the result, and stop.
    #[arg(long)]
    pub(crate) demo: bool,
    /// The stampede.
    #[command(flatten)]
    pub(crate) stampede: Stampede,
}

/// The servers of this machine: private ones, unless one is named that runs already.
#[derive(Debug, ClapArgs)]
pub(crate) struct Stack {
    /// The directory for all data. The next start with the same directory has the same data.
    #[arg(long, default_value = ".flash")]
    pub(crate) dir: PathBuf,
    /// Use this running Redis (with the module), and start none.
    #[arg(long, value_name = "URL")]
    pub(crate) redis: Option<String>,
    /// Use this running RabbitMQ, and start none.
    #[arg(long, value_name = "URL")]
    pub(crate) amqp: Option<String>,
    /// Use this running PostgreSQL, and start none.
    #[arg(long, value_name = "URL")]
    pub(crate) postgres: Option<String>,
    /// The Redis module; default: libflash.so in the directory of this program.
    #[arg(long, value_name = "FILE")]
    pub(crate) module: Option<PathBuf>,
    /// What carries the events from Redis to PostgreSQL. With `direct`, there is no RabbitMQ.
    #[arg(long, value_enum, default_value_t = transport::Kind::Amqp, env = "FLASH_TRANSPORT")]
    pub(crate) transport: transport::Kind,
}

/// The stampede of `flash dev --demo`.
#[derive(Debug, Clone, ClapArgs)]
pub(crate) struct Stampede {
    /// Buyers who want one unit each.
    #[arg(
        long,
        default_value_t = 10_000,
        requires = "demo",
        value_parser = clap::value_parser!(u64).range(1..=10_000_000)
    )]
    pub(crate) buyers: u64,
    /// Units on sale; at most as many as buyers.
    #[arg(
        long,
        default_value_t = 100,
        requires = "demo",
        value_parser = clap::value_parser!(u64).range(1..=10_000_000)
    )]
    pub(crate) units: u64,
    /// Concurrent HTTP connections.
    #[arg(long, default_value_t = 256, requires = "demo", value_parser = clap::value_parser!(u64).range(1..=10_000))]
    pub(crate) concurrency: u64,
    /// Buyers in a hundred that send their request twice.
    #[arg(long, default_value_t = 20, requires = "demo", value_parser = clap::value_parser!(u64).range(0..=100))]
    pub(crate) repeat_percent: u64,
    /// Fixes the order of the buyers; default: a new seed each time, which is printed.
    #[arg(long, requires = "demo")]
    pub(crate) seed: Option<u64>,
}

/// `flash gateway`
#[derive(Debug, ClapArgs)]
#[command(after_help = "URLs hold passwords, so they come from the environment: FLASH_REDIS_URL, FLASH_AMQP_URL and \
                        FLASH_POSTGRES_URL, or the names of files that hold them in FLASH_REDIS_URL_FILE, \
                        FLASH_AMQP_URL_FILE and FLASH_POSTGRES_URL_FILE. So do secrets: FLASH_ID_SECRET, which ids of \
                        reservations are made with (all gateways of a Redis have the same), and \
                        FLASH_JWT_SECRET.\n\nExample: FLASH_REDIS_URL=redis://127.0.0.1 … flash gateway --auth api-key \
                        --listen 127.0.0.1:8080")]
pub(crate) struct Gateway {
    /// The address that serves HTTP.
    #[arg(long, default_value = "127.0.0.1:8080", env = "FLASH_LISTEN")]
    pub(crate) listen: SocketAddr,
    /// Threads that serve HTTP.
    #[arg(long, default_value_t = 1, env = "FLASH_THREADS")]
    pub(crate) threads: usize,
    /// Milliseconds that Redis may take to answer a call: longer than the slowest fsync of its disk. A request's
    /// deadline adds one second for PostgreSQL, or two for an operator's change.
    #[arg(
        long,
        default_value_t = REDIS_TIMEOUT_MS,
        env = "FLASH_REDIS_TIMEOUT_MS",
        value_parser = clap::value_parser!(u64).range(REDIS_TIMEOUT_MS_MIN..=REDIS_TIMEOUT_MS_MAX)
    )]
    pub(crate) redis_timeout_ms: u64,
    /// Requests that a thread works on at once. Four times as many wait for their turn. The gateway refuses more with
    /// 503.
    #[arg(
        long,
        default_value_t = REQUESTS_MAX,
        env = "FLASH_REQUESTS_MAX",
        value_parser = clap::value_parser!(u32).range(1..=i64::from(REQUESTS_MAX))
    )]
    pub(crate) requests_max: u32,
    /// Milliseconds that a connection may be idle between two requests: longer than a load balancer keeps it.
    #[arg(
        long,
        default_value_t = KEEP_ALIVE_MS,
        env = "FLASH_KEEP_ALIVE_MS",
        value_parser = clap::value_parser!(u64).range(KEEP_ALIVE_MS_MIN..=KEEP_ALIVE_MS_MAX)
    )]
    pub(crate) keep_alive_ms: u64,
    /// Connections that one address may have at once, unless it is a trusted proxy; 0: no limit.
    #[arg(long, default_value_t = CONNECTIONS_PER_ADDRESS, env = "FLASH_CONNECTIONS_PER_ADDRESS")]
    pub(crate) connections_per_address: u32,
    /// Streams of live stock that one address may have at once; 0: no limit.
    #[arg(long, default_value_t = STREAMS_PER_ADDRESS, env = "FLASH_STREAMS_PER_ADDRESS")]
    pub(crate) streams_per_address: u32,
    /// Seconds for which browsers must use TLS (HSTS); default: no such header.
    #[arg(long, value_name = "SECONDS", env = "FLASH_HSTS_MAX_AGE_S")]
    pub(crate) hsts_max_age_s: Option<u32>,
    /// The origins whose pages may use the buyers' listener (CORS): https://shop.example,http://localhost:3000;
    /// default: none.
    #[arg(long, value_name = "ORIGINS", value_delimiter = ',')]
    pub(crate) cors_origins: Vec<Origin>,
    /// Networks of trusted proxies, which name the client's address: 10.0.0.0/8,2001:db8::/32.
    #[arg(long, value_name = "NETWORKS", value_delimiter = ',', env = "FLASH_TRUSTED_PROXIES")]
    pub(crate) trusted_proxies: Vec<Network>,
    /// The header in which they name it. Clients can forge the other one, so it is ignored.
    #[arg(long, value_enum, default_value_t = ForwardedHeader::XForwardedFor, env = "FLASH_FORWARDED_HEADER")]
    pub(crate) forwarded_header: ForwardedHeader,
    /// What carries the events from Redis to PostgreSQL. With `direct`, no syncer and no FLASH_AMQP_URL are needed.
    #[arg(long, value_enum, default_value_t = transport::Kind::Amqp, env = "FLASH_TRANSPORT")]
    pub(crate) transport: transport::Kind,
    /// The most consecutive events of a sale in one message; 1: one event in each message.
    #[arg(
        long,
        default_value_t = flash_relay::RUN_EVENTS_MAX,
        env = "FLASH_RUN_MAX",
        value_parser = clap::value_parser!(u64).range(1..=flash_relay::RUN_EVENTS_MAX)
    )]
    pub(crate) run_max: u64,
    /// Milliseconds without progress of a journal, after which the gateway writes its events to PostgreSQL itself.
    #[arg(
        long,
        default_value_t = flash_recovery::SWEEP_AFTER_MS,
        env = "FLASH_SWEEP_AFTER_MS",
        value_parser = clap::value_parser!(u64).range(1_000..=3_600_000)
    )]
    pub(crate) sweep_after_ms: u64,
    /// Deliver webhooks to private addresses, too.
    #[arg(long, env = "FLASH_WEBHOOKS_PRIVATE")]
    pub(crate) webhooks_private: bool,
    /// A PEM file with the certificate authorities for webhooks' receivers; default: the public ones.
    #[arg(long, value_name = "FILE", env = "FLASH_WEBHOOKS_CACERT")]
    pub(crate) webhooks_cacert: Option<PathBuf>,
    /// Milliseconds between "not ready" and the stop, in which load balancers notice it.
    #[arg(
        long,
        default_value_t = 0,
        env = "FLASH_DRAIN_NOTICE_MS",
        value_parser = clap::value_parser!(u64).range(0..=60_000)
    )]
    pub(crate) drain_notice_ms: u64,
    /// The durability of every answer to a buyer: memory, fsync, replicas=n, or a list of these. Requests may ask for
    /// more.
    #[arg(long, default_value_t = Durability::MEMORY, env = "FLASH_DURABILITY")]
    pub(crate) durability: Durability,
    /// The TLS certificates.
    #[command(flatten)]
    pub(crate) tls: Tls,
    /// Who may call.
    #[command(flatten)]
    pub(crate) identity: Identity,
    /// The servers.
    #[command(flatten)]
    pub(crate) urls: Urls,
}

/// `flash doctor`
#[derive(Debug, ClapArgs)]
#[command(
    about = "Examine everything that a gateway would use. Print what is wrong and what to do. Change nothing.",
    long_about = None,
    // They are the gateway's, and its help lists them.
    mut_args(|setting| setting.hide_short_help(true).hide_long_help(true)),
    after_help = "The doctor reads the settings of `flash gateway`: the same flags, the same variables and the same \
                  table of the configuration file. `flash gateway --help` lists them. The exit code is 1 if a check \
                  fails.\n\nExample: FLASH_REDIS_URL=redis://127.0.0.1 … flash doctor -o json"
)]
pub(crate) struct Doctor {
    #[command(flatten)]
    pub(crate) gateway: Gateway,
}

/// `flash syncer`
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "URLs come from the environment, as for `flash gateway`.\n\nExample: FLASH_AMQP_URL=amqp://… flash \
                  syncer"
)]
pub(crate) struct Syncer {
    /// The address that serves metrics to Prometheus; default: none.
    #[arg(long, value_name = "ADDRESS", env = "FLASH_METRICS_LISTEN")]
    pub(crate) metrics_listen: Option<SocketAddr>,
    /// The servers.
    #[command(flatten)]
    pub(crate) urls: Urls,
    /// A command to running syncers; without one, this process is a syncer.
    #[command(subcommand)]
    pub(crate) action: Option<SyncerAction>,
}

/// Commands to the syncers of a database.
#[derive(Debug, Subcommand)]
pub(crate) enum SyncerAction {
    /// Stop taking messages; the queue and the journals keep them. Syncers that start later pause, too.
    Pause(SyncerWait),
    /// Take messages again.
    Resume(SyncerWait),
    /// Write until the journals and the queues are empty, report that, and pause.
    Drain(SyncerWait),
}

/// How long to wait.
#[derive(Debug, ClapArgs)]
pub(crate) struct SyncerWait {
    /// Seconds until this command gives up. The command to the syncers remains in force, but the drain then does not
    /// end with a pause.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout_s: u64,
    /// The operator's name for the audit log.
    #[arg(long, env = "USER", default_value = "unknown")]
    pub(crate) by: String,
}

url_source!(RedisUrl, redis_url, redis_url_file, "FLASH_REDIS_URL", "FLASH_REDIS_URL_FILE");
url_source!(PostgresUrl, postgres_url, postgres_url_file, "FLASH_POSTGRES_URL", "FLASH_POSTGRES_URL_FILE");
