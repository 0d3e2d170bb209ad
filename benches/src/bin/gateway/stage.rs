//! All that is measured, on the same servers.

use std::path::Path;

use crate::rivals::{self, HOLD, Rival};
use crate::subject::{Server, Subject};
use flash_benches::http;
use flash_benches::journal;
use flash_benches::meter::Meter;
use flash_benches::world::{Built, Part, World};

/// What a journal takes: more than a run makes.
const JOURNAL_EVENTS_MAX: u64 = 100_000_000;

pub(crate) struct Stage {
    // In the order in which they end.
    pub(crate) gateway: Part,
    syncer: Part,
    nginx: Rival,
    node: Rival,
    plain: Part,
    pub(crate) world: World,
}

impl Stage {
    pub(crate) fn start(built: &Built, service: &Path) -> anyhow::Result<Self> {
        let world = World::start(built)?;
        let (gateway, syncer) = (world.gateway(&["--threads", &rivals::WORKERS.to_string()])?, world.syncer()?);
        let (nginx, node) = (Rival::nginx(&world)?, Rival::node(&world, service)?);
        let plain = rivals::plain()?;
        // A gateway serves before it has reached every server.
        Meter::start(&[]).until(|| Ok(u64::from(!http::is_ok(&gateway.address, "/readyz")?)))?;
        Ok(Self { gateway, syncer, nginx, node, plain, world })
    }

    fn part(&self, server: Server) -> &Part {
        match server {
            Server::Flash => &self.gateway,
            Server::Nginx => &self.nginx.part,
            Server::Node => &self.node.part,
            Server::Plain => &self.plain,
        }
    }

    pub(crate) fn pid(&self, server: Server) -> u32 {
        self.part(server).pid()
    }

    pub(crate) fn address(&self, server: Server) -> &str {
        &self.part(server).address
    }

    pub(crate) fn meter(&self, server: Server) -> Meter {
        Meter::start(&[
            ("server", Some(self.pid(server))),
            ("Redis", self.world.redis.server.pid()),
            ("RabbitMQ", self.world.rabbitmq.server.pid()),
            ("syncer", Some(self.syncer.pid())),
            ("PostgreSQL", self.world.postgres.server.pid()),
        ])
    }

    /// Puts the sale of a subject on sale, in a Redis as it is to be; one that is to be sold out has sold its unit
    /// then.
    pub(crate) fn open_sale(&self, subject: Subject, round: u32) -> anyhow::Result<()> {
        redis::cmd("CONFIG").arg(&["SET", "appendfsync", subject.appendfsync()]).exec(&mut self.world.connect()?)?;
        let Some(units) = subject.units() else { return Ok(()) };
        let sale = subject.sale(round);
        if subject.server() == Server::Flash {
            let (limit, hold_ms) = (subject.limit(), HOLD.as_millis());
            let terms = format!("\"limit\":{limit},\"hold_ms\":{hold_ms},\"journal_events_max\":{JOURNAL_EVENTS_MAX}");
            let body = format!("{{\"sale\":\"{sale}\",\"total\":{units},{terms}}}");
            http::create(&self.gateway.address, "/v1/sales", &body)?;
        } else {
            rivals::warm(&mut self.world.connect()?, &sale, units)?;
        }
        if units == 1 {
            let address = self.address(subject.server());
            http::create(address, &format!("/v1/sales/{sale}/reservations"), "{\"buyer\":\"first\"}")?;
        }
        Ok(())
    }

    /// Waits until PostgreSQL has all orders of a subject. The others' orders wait for their writer.
    pub(crate) fn drain(&self, subject: Subject, round: u32) -> anyhow::Result<()> {
        if !matches!(subject, Subject::Reserve | Subject::ReserveEverySec) {
            return Ok(());
        }
        let mut redis = self.world.connect()?;
        Meter::start(&[]).until(|| journal::events(&mut redis, &subject.sale(round)))
    }
}
