//! A gateway whose ways to Redis and PostgreSQL a test can hold up, message by message.

use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::Duration;

use flash_tests::background::Background;
use flash_tests::proxy::{Hold, Proxy};

use crate::support::http::Http;
use crate::support::program::Program;
use crate::support::wait;
use crate::support::world::{World, free_address};

/// A `flash gateway` that reaches its servers through proxies.
pub(super) struct Gateway {
    pub(super) address: SocketAddr,
    pub(super) redis: Proxy,
    pub(super) postgres: Proxy,
    program: Program,
}

/// Where a gateway is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    Redis,
    Postgres,
}

impl Gateway {
    /// Starts one beside those of a world. It is ready unless `hold` holds up what makes it so.
    pub(super) fn start(world: &World, hold: Option<(Way, Hold)>) -> Self {
        let address = free_address();
        let (redis, postgres) = (proxy(&world.redis.redis.url()), proxy(&world.postgres));
        let mut environment = world.environment();
        for (name, url) in &mut environment {
            match *name {
                "FLASH_REDIS_URL" => *url = through(url, &redis),
                "FLASH_POSTGRES_URL" => *url = through(url, &postgres),
                _ => {}
            }
        }
        if let Some((way, hold)) = hold {
            let proxy = if way == Way::Redis { &redis } else { &postgres };
            proxy.hold(hold);
        }
        let mut program = Program::start(&["gateway", "-o", "json", "--listen", &address.to_string()], &environment);
        program.line();
        Self { address, redis, postgres, program }
    }

    /// Waits until it has reached both servers.
    pub(super) fn wait_until_ready(&self) {
        wait::until("a gateway that is ready", || (self.http().get("/readyz").ok()?.status == 200).then_some(()));
    }

    /// The proxy on one of its ways.
    pub(super) const fn way(&self, way: Way) -> &Proxy {
        match way {
            Way::Redis => &self.redis,
            Way::Postgres => &self.postgres,
        }
    }

    /// Waits until it is stopped at the message that its proxy was to hold.
    pub(super) fn wait_until_held(&self, way: Way) {
        wait::until(&format!("a gateway that is held up on its way to {way:?}"), || {
            self.way(way).is_held().then_some(())
        });
    }

    /// Lets it go on, and waits until what it does next is done: it has gone round several times since.
    pub(super) fn go_on(&self) {
        let before = [&self.redis, &self.postgres].map(Proxy::pieces);
        self.redis.let_go();
        self.postgres.let_go();
        wait::until("a gateway that goes on", || {
            let now = [&self.redis, &self.postgres].map(Proxy::pieces);
            (now[0] > before[0] + ROUNDS && now[1] > before[1] + ROUNDS).then_some(())
        });
    }

    pub(super) fn http(&self) -> Http {
        Http::connect(self.address).expect("the gateway takes connections")
    }

    /// Longer than a doubt rests at first: a failed rebuilding is tried again within it.
    pub(super) const REST: Duration = Duration::from_secs(5);

    /// The process is stopped.
    pub(super) fn pause(&self) {
        self.program.pause();
    }

    pub(super) fn resume(&self) {
        self.program.resume();
    }

    /// Kills it; what it had sent and a proxy holds is dropped.
    pub(super) fn kill(self) {
        self.program.kill();
        self.redis.drop_held();
        self.postgres.drop_held();
    }
}

/// Pieces on each way after which a gateway has looked at everything anew.
const ROUNDS: u64 = 12;

/// A proxy to the server of a URL.
pub(super) fn proxy(url: &str) -> Proxy {
    static BACKGROUND: OnceLock<Background> = OnceLock::new();
    let background = BACKGROUND.get_or_init(|| Background::start().expect("a thread"));
    Proxy::start(&background.handle, server(url)).expect("a free port")
}

/// The same URL, but through a proxy.
pub(super) fn through(url: &str, proxy: &Proxy) -> String {
    url.replace(&format!(":{}", server(url).port()), &format!(":{}", proxy.address().port()))
}

fn server(url: &str) -> SocketAddr {
    let host = url.rsplit_once('@').map_or_else(|| url.split_once("//").expect("a scheme").1, |(_, host)| host);
    let port = host.rsplit_once(':').expect("a port").1;
    let port = port.split('/').next().and_then(|port| port.parse().ok()).expect("a number");
    SocketAddr::from(([127, 0, 0, 1], port))
}
