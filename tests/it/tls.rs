//! Every way from Flash to a server can be encrypted, and then nothing in between is taken for that server.

use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use flash_broker::connect;
use flash_client::{Call, CallError, Client, Unavailable};
use flash_servers::{Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, silent};
use tempfile::TempDir;
use tokio::runtime::Runtime;

use crate::support::certificates::Certificates;
use crate::support::http::Http;
use crate::support::program::Program;
use crate::support::redis::Server;
use crate::support::wait;
use crate::support::world::free_address;

const NAME: &str = "tls";

/// Redis, RabbitMQ and PostgreSQL, each with a port for TLS.
struct Servers {
    redis: (Server, u16),
    rabbitmq: (RabbitMq, u16),
    postgres: Postgres,
    certificates: Certificates,
    _dir: TempDir,
}

/// How a server is spoken to.
struct Way<'a> {
    host: &'a str,
    authority: &'a str,
}

impl Servers {
    fn start() -> Self {
        // PostgreSQL runs as another user, who must get there.
        let open = std::fs::Permissions::from_mode(0o755);
        let dir = tempfile::Builder::new().permissions(open).tempdir().expect("a directory");
        let certificates = Certificates::make(dir.path());
        let path = |path: std::path::PathBuf| path.display().to_string();
        let [ca, certificate, key] =
            [certificates.authority(), certificates.certificate(), certificates.key()].map(path);
        let [redis_port, rabbitmq_port] = [free_address(), free_address()].map(|address| address.port());
        let redis = Server::start_with(&[
            "--tls-port",
            &redis_port.to_string(),
            "--tls-cert-file",
            &certificate,
            "--tls-key-file",
            &key,
            "--tls-ca-cert-file",
            &ca,
            "--tls-auth-clients",
            "no",
            "--flash.fence-on-load",
            "yes",
        ]);
        let rabbitmq = RabbitMqOptions {
            config: vec![
                format!("listeners.ssl.1 = 127.0.0.1:{rabbitmq_port}"),
                format!("ssl_options.cacertfile = {ca}"),
                format!("ssl_options.certfile = {certificate}"),
                format!("ssl_options.keyfile = {key}"),
                "ssl_options.verify = verify_none".to_owned(),
            ],
            ..RabbitMqOptions::new(dir.path().join("rabbitmq"))
        };
        let rabbitmq = RabbitMq::start(&rabbitmq, silent).expect("RabbitMQ starts");
        let postgres = PostgresOptions {
            fsync: false,
            settings: vec![
                "ssl=on".to_owned(),
                format!("ssl_cert_file={certificate}"),
                format!("ssl_key_file={}", certificates.postgres_key().display()),
            ],
            ..PostgresOptions::new(dir.path().join("postgres"))
        };
        let postgres = Postgres::start(&postgres, silent).expect("PostgreSQL starts");
        rabbitmq.create_vhost(NAME).expect("a vhost");
        postgres.create_database(NAME).expect("a database");
        Self { redis: (redis, redis_port), rabbitmq: (rabbitmq, rabbitmq_port), postgres, certificates, _dir: dir }
    }

    fn redis_url(&self, way: &Way) -> String {
        format!("rediss://{}:{}?cacert={}", way.host, self.redis.1, way.authority)
    }

    fn amqp_url(&self, way: &Way) -> String {
        let (rabbitmq, port) = &self.rabbitmq;
        let plain = format!("127.0.0.1:{}", rabbitmq.server.port());
        let url = rabbitmq.url(NAME).replace("amqp://", "amqps://").replace(&plain, &format!("{}:{port}", way.host));
        format!("{url}?cacertfile={}", way.authority)
    }

    fn postgres_url(&self, way: &Way) -> String {
        let url = self.postgres.url(NAME).replace("127.0.0.1", way.host);
        format!("{url}?sslmode=verify-full&sslrootcert={}", way.authority)
    }

    /// What each server's client says: nothing is wrong, or what is.
    fn errors(&self, way: &Way) -> [Option<String>; 3] {
        let runtime = Runtime::new().expect("a runtime");
        runtime.block_on(async {
            let redis = redis_error(&self.redis_url(way)).await;
            let amqp = connect(&self.amqp_url(way), "test").await.err().map(|error| whole(&error));
            let postgres = flash_vault::connect(&self.postgres_url(way)).await.err().map(|error| whole(&error));
            [redis, amqp, postgres]
        })
    }
}

/// It connects in the background: what the first attempt came to.
async fn redis_error(url: &str) -> Option<String> {
    let client = Client::connect(url).expect("a URL");
    loop {
        match client.call(Call::sale_status("drop")).await {
            Err(CallError::Unavailable(Unavailable::NotConnectedYet)) => {
                let _ = tokio::time::timeout(Duration::from_millis(10), client.connected()).await;
            }
            Err(CallError::Unavailable(why)) => return Some(why.to_string()),
            answer => return answer.err().map(|error| error.to_string()),
        }
    }
}

/// An error with its causes.
fn whole(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[test]
fn a_server_whose_certificate_is_another_s_is_not_spoken_to() {
    let servers = Servers::start();
    let path = |path: std::path::PathBuf| path.display().to_string();
    let [right, wrong] = [servers.certificates.authority(), servers.certificates.other_authority()].map(path);
    let check = |host, authority: &str, want: Option<&str>| {
        for (at, error) in servers.errors(&Way { host, authority }).into_iter().enumerate() {
            let fits = match (&error, want) {
                (Some(error), Some(want)) => error.contains(want),
                (error, want) => error.is_none() && want.is_none(),
            };
            assert!(fits, "server {at} at {host} by {authority}: {error:?} instead of {want:?}");
        }
    };
    check("localhost", &right, None);
    check("localhost", &wrong, Some("UnknownIssuer"));
    // The same machine by a name that the certificate does not have.
    check("127.0.0.1", &right, Some("not valid for name"));
    check("localhost", "/nowhere.pem", Some("/nowhere.pem cannot be read"));
    everything_works_encrypted(&servers, &Way { host: "localhost", authority: &right });
}

fn everything_works_encrypted(servers: &Servers, way: &Way) {
    let environment = [
        ("FLASH_REDIS_URL", servers.redis_url(way)),
        ("FLASH_AMQP_URL", servers.amqp_url(way)),
        ("FLASH_POSTGRES_URL", servers.postgres_url(way)),
        ("FLASH_AUTH", "none".to_owned()),
        ("FLASH_ID_SECRET", "the same for all gateways of a Redis".to_owned()),
    ];
    assert!(Program::start(&["migrate"], &environment).wait().0.success(), "the schema can be made");
    let mut gateway = Program::start(&["gateway", "-o", "json", "--listen", "127.0.0.1:0"], &environment);
    let _syncer = Program::start(&["syncer"], &environment);
    let http = gateway.line()["http"].as_str().and_then(|url| url.strip_prefix("http://")?.parse().ok());
    let address: SocketAddr = http.expect("an address");
    let post = |path: &str, body: &str| {
        wait::until("an answer", || {
            let answer = Http::connect(address).ok()?.post(path, body).ok()?;
            [200, 201].contains(&answer.status).then_some(())
        });
    };
    post("/v1/sales", r#"{"sale":"drop","total":2}"#);
    post("/v1/sales/drop/reservations", r#"{"buyer":"ada"}"#);
    let runtime = Runtime::new().expect("a runtime");
    let vault = runtime.block_on(flash_vault::connect(&servers.postgres_url(way))).expect("PostgreSQL answers");
    let count = |sql: &str| -> i64 { runtime.block_on(vault.query_one(sql, &[])).expect("rows").get(0) };
    wait::until("the order", || (count("SELECT count(*) FROM orders WHERE buyer = 'ada'") == 1).then_some(()));
    let plain = "SELECT count(*) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'flash' AND NOT ssl";
    assert_eq!(count(plain), 0);
}
