//! The ways between our processes and the servers: each process has its own proxy to each server.

use std::net::SocketAddr;

use anyhow::Result;

use crate::world::{Servers, Which};
use flash_tests::background::Background;
use flash_tests::proxy::Proxy;

/// The gateways come first.
pub(crate) const GATEWAYS: usize = 2;
/// Gateways and syncers.
pub(crate) const PROCESSES: usize = 4;

/// One way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Link {
    /// Its place in the world's processes.
    pub(crate) process: usize,
    pub(crate) server: Which,
}

/// All of them.
pub(crate) struct Links {
    proxies: Vec<(Link, Proxy)>,
}

impl Links {
    pub(crate) fn start(background: &Background, servers: &Servers) -> Result<Self> {
        let mut proxies = Vec::new();
        for process in 0..PROCESSES {
            for server in Which::ALL {
                let address = SocketAddr::from(([127, 0, 0, 1], servers.port(server)));
                proxies.push((Link { process, server }, Proxy::start(&background.handle, address)?));
            }
        }
        Ok(Self { proxies })
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = Link> {
        self.proxies.iter().map(|(link, _)| *link)
    }

    /// # Panics
    /// When there is no such process.
    pub(crate) fn proxy(&self, link: Link) -> &Proxy {
        let found = self.proxies.iter().find(|(other, _)| *other == link);
        &found.expect("every process has a link to every server").1
    }

    pub(crate) fn heal(&self) {
        self.proxies.iter().for_each(|(_, proxy)| proxy.heal());
    }

    /// From now on a server is somewhere else.
    pub(crate) fn lead_to(&self, server: Which, address: SocketAddr) {
        let ways = self.proxies.iter().filter(|(link, _)| link.server == server);
        ways.for_each(|(_, proxy)| proxy.lead_to(address));
    }

    /// Where a process finds the servers: behind its proxies.
    pub(crate) fn environment(&self, servers: &Servers, process: usize) -> Vec<(&'static str, String)> {
        let names = ["FLASH_REDIS_URL", "FLASH_AMQP_URL", "FLASH_POSTGRES_URL"];
        let behind = |(url, server): (String, Which)| {
            let port = self.proxy(Link { process, server }).address().port();
            url.replace(&format!(":{}", servers.port(server)), &format!(":{port}"))
        };
        names.into_iter().zip(servers.urls().into_iter().zip(Which::ALL).map(behind)).collect()
    }
}
