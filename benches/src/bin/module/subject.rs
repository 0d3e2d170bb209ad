//! What is measured: a way to keep the promise of a flash sale.

use std::path::Path;

use clap::ValueEnum;
use redis::{Cmd, Connection, Value};
use serde::Serialize;

use crate::RUNS;
use crate::load::{Load, begins};
use crate::server::Server;

const HOLD_MS: u64 = 24 * 60 * 60 * 1000;
const SALE: &str = "flash:{drop}";
const LUA_KEYS: [&str; 4] = ["flash:{drop}", "flash:{drop}:buyers", "flash:{drop}:holds", "flash:{drop}:journal"];

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// The script in `promise.lua`.
    Lua,
    /// `FLASH.RESERVE` with the same promise.
    Module,
    /// `FLASH.RESERVE` of a sale without a pay window and without a journal.
    ModuleBare,
}

/// What a subject costs: µs of the server's CPU per call, bytes of its memory per reservation.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figures {
    pub(crate) subject: Subject,
    /// The first call of a buyer, while there is stock.
    pub(crate) accepted_us: f64,
    /// Every buyer again, in another order.
    pub(crate) replayed_us: f64,
    /// What a buyer has, in that order too.
    pub(crate) status_us: f64,
    /// Other buyers, when everything is sold.
    pub(crate) sold_out_us: f64,
    pub(crate) bytes: f64,
    /// When the journal was emptied.
    pub(crate) acked_bytes: f64,
}

impl Figures {
    fn least(self, other: &Self) -> Self {
        Self {
            subject: self.subject,
            accepted_us: self.accepted_us.min(other.accepted_us),
            replayed_us: self.replayed_us.min(other.replayed_us),
            status_us: self.status_us.min(other.status_us),
            sold_out_us: self.sold_out_us.min(other.sold_out_us),
            bytes: self.bytes.min(other.bytes),
            acked_bytes: self.acked_bytes.min(other.acked_bytes),
        }
    }
}

pub(crate) fn ping(module: &Path, load: &Load) -> anyhow::Result<f64> {
    least(module, |server| load.run(server, |reply| begins(reply, "PONG"), |_| redis::cmd("PING")))
}

pub(crate) fn incr(module: &Path, load: &Load) -> anyhow::Result<f64> {
    least(module, |server| load.run(server, |reply| matches!(reply, Value::Int(_)), |_| Cmd::incr("counter", 1)))
}

fn least(module: &Path, run: impl Fn(&Server) -> anyhow::Result<f64>) -> anyhow::Result<f64> {
    (0..RUNS).try_fold(f64::INFINITY, |least, _| Ok(run(&Server::start(module)?)?.min(least)))
}

/// The call that reserves one unit for a buyer.
type Reserve = Box<dyn Fn(&str) -> Cmd + Sync>;

impl Subject {
    pub(crate) fn measure(self, module: &Path, load: &Load) -> anyhow::Result<Figures> {
        let mut least = self.run(&Server::start(module)?, load)?;
        for _ in 1..RUNS {
            least = self.run(&Server::start(module)?, load)?.least(&least);
        }
        Ok(least)
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Lua => "Lua",
            Self::Module => "FLASH.RESERVE",
            Self::ModuleBare => "FLASH.RESERVE, no hold, no journal",
        }
    }

    fn run(self, server: &Server, load: &Load) -> anyhow::Result<Figures> {
        let mut connection = server.connect()?;
        let empty = server.memory_bytes()?;
        let per_call = |bytes: u64| bytes.saturating_sub(empty) as f64 / load.calls as f64;
        let reserve = self.prepare(&mut connection, load)?;
        let accepted_us = load.run(server, |reply| begins(reply, "RESERVED"), |at| reserve(&load.buyer(at)))?;
        let bytes = per_call(server.memory_bytes()?);
        let replayed_us = load.run(server, |reply| begins(reply, "REPLAYED"), |at| reserve(&load.shuffled(at)))?;
        let status_us = self.status(server, load)?;
        let sold_out_us =
            load.run(server, |reply| begins(reply, "SOLD_OUT"), |at| reserve(&load.buyer(load.calls + at)))?;
        self.ack(&mut connection, load)?;
        let acked_bytes = per_call(server.memory_bytes()?);
        Ok(Figures { subject: self, accepted_us, replayed_us, status_us, sold_out_us, bytes, acked_bytes })
    }

    /// Puts one unit for each buyer on sale; gives the call that reserves.
    fn prepare(self, connection: &mut Connection, load: &Load) -> anyhow::Result<Reserve> {
        let mut warm = redis::cmd("FLASH.WARM");
        warm.arg(SALE).arg(load.calls);
        match self {
            Self::Lua => {
                let journal_max = load.calls * 2;
                let counters = [("available", load.calls), ("seq", 1), ("acked", 0)];
                let terms = [("hold_ms", HOLD_MS), ("journal_max", journal_max)];
                Cmd::hset_multiple(LUA_KEYS[0], &[&counters[..], &terms[..]].concat()).exec(connection)?;
                let script = include_str!("promise.lua");
                let hash: String = redis::cmd("SCRIPT").arg("LOAD").arg(script).query(connection)?;
                return Ok(Box::new(move |buyer| {
                    let mut call = redis::cmd("EVALSHA");
                    call.arg(&hash).arg(LUA_KEYS.len()).arg(&LUA_KEYS).arg(buyer).arg(1);
                    call
                }));
            }
            Self::Module => warm.arg("HOLD").arg(HOLD_MS).arg("JOURNAL").arg(load.calls * 2).exec(connection)?,
            Self::ModuleBare => warm.exec(connection)?,
        }
        Ok(Box::new(|buyer| {
            let mut call = redis::cmd("FLASH.RESERVE");
            call.arg(SALE).arg(buyer);
            call
        }))
    }

    fn status(self, server: &Server, load: &Load) -> anyhow::Result<f64> {
        match self {
            Self::Lua => load.run(
                server,
                |reply| matches!(reply, Value::BulkString(_)),
                |at| Cmd::hget(LUA_KEYS[1], load.shuffled(at)),
            ),
            Self::Module | Self::ModuleBare => load.run(
                server,
                |reply| begins(reply, "buyer"),
                |at| {
                    let mut call = redis::cmd("FLASH.STATUS");
                    call.arg(SALE).arg("BUYER").arg(load.shuffled(at));
                    call
                },
            ),
        }
    }

    /// Empties the journal.
    fn ack(self, connection: &mut Connection, load: &Load) -> anyhow::Result<()> {
        // The first event made the sale, and each buyer one more.
        let newest = load.calls + 1;
        match self {
            Self::Lua => {
                redis::cmd("XTRIM").arg(LUA_KEYS[3]).arg("MINID").arg(newest + 1).exec(connection)?;
                Cmd::hset(LUA_KEYS[0], "acked", newest).exec(connection)?;
            }
            Self::Module => redis::cmd("FLASH.ACK").arg(SALE).arg(1).arg(newest).exec(connection)?,
            Self::ModuleBare => {}
        }
        Ok(())
    }
}
