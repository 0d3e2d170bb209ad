//! What is measured: a call for comparison, or a way to keep the promise of a flash sale.
//!
//! A new subject is a line in each of the small tables below.

use clap::ValueEnum;
use redis::{Cmd, Connection, Value};
use serde::Serialize;

use crate::case::Case;
use crate::load::begins;

const HOLD_MS: u64 = 24 * 60 * 60 * 1000;
/// The most that a rate limit can give, so that every call is allowed.
const BUCKET_UNITS: u64 = 1_000_000_000;
const BUCKET_MS: u64 = 1_000;
/// A prime beyond the number of calls, so that each buyer comes once in an order that no cache can guess.
const STEP: u64 = 2_654_435_761;

/// In the order in which they are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// The least that a call costs.
    Ping,
    /// The least that a write costs.
    Incr,
    /// `FLASH.THROTTLE` with a token bucket that always has enough.
    Throttle,
    /// `lua/dedup.lua`.
    LuaDedup,
    /// `lua/stream.lua`.
    LuaStream,
    /// `lua/promise.lua`.
    LuaPromise,
    /// `FLASH.RESERVE` in a sale with a pay window and a journal.
    Flash,
    /// `FLASH.RESERVE` in a sale without either.
    FlashBare,
}

/// A way through a subject, which costs what it costs apart from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Path {
    /// The only one.
    Only,
    /// A buyer's first call, while there is stock.
    Accepted,
    /// A buyer who has a unit calls again.
    Repeated,
    /// Another buyer calls, when everything is sold.
    SoldOut,
    /// Asks what a buyer has.
    Status,
}

impl Subject {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ping => "PING",
            Self::Incr => "INCR",
            Self::Throttle => "FLASH.THROTTLE",
            Self::LuaDedup => "Lua: dedup",
            Self::LuaStream => "Lua: dedup, stream",
            Self::LuaPromise => "Lua: hold, journal",
            Self::Flash => "FLASH: hold, journal",
            Self::FlashBare => "FLASH: dedup",
        }
    }

    /// What a caller may rely on.
    pub(crate) const fn promise(self) -> &'static str {
        match self {
            Self::Ping => "nothing",
            Self::Incr => "a number is counted up",
            Self::Throttle => "so many calls a second and no more, with the time until the next one to the millisecond",
            Self::LuaDedup | Self::FlashBare => "one unit a buyer, never oversold",
            Self::LuaStream => "the same, and a message for whoever writes the order",
            Self::LuaPromise | Self::Flash => {
                "the same, held for a pay window, in a bounded journal that is emptied once the order is written"
            }
        }
    }

    pub(crate) const fn paths(self) -> &'static [Path] {
        match self {
            Self::Ping | Self::Incr | Self::Throttle => &[Path::Only],
            _ => &[Path::Accepted, Path::Repeated, Path::SoldOut, Path::Status],
        }
    }

    const fn script(self) -> Option<&'static str> {
        match self {
            Self::LuaDedup => Some(include_str!("lua/dedup.lua")),
            Self::LuaStream => Some(include_str!("lua/stream.lua")),
            Self::LuaPromise => Some(include_str!("lua/promise.lua")),
            Self::Ping | Self::Incr | Self::Throttle | Self::Flash | Self::FlashBare => None,
        }
    }

    /// How a reply begins that is as it should be.
    pub(crate) fn is_expected(self, path: Path, reply: &Value) -> bool {
        match (path, self) {
            (Path::Only, Self::Ping) => begins(reply, "PONG"),
            (Path::Only, Self::Throttle) => {
                matches!(reply, Value::Array(fields) if fields.first() == Some(&Value::Int(1)))
            }
            (Path::Only, _) => matches!(reply, Value::Int(_)),
            (Path::Accepted, _) => begins(reply, "RESERVED"),
            (Path::Repeated, _) => begins(reply, "REPLAYED"),
            (Path::SoldOut, _) => begins(reply, "SOLD_OUT"),
            (Path::Status, Self::Flash | Self::FlashBare) => begins(reply, "buyer"),
            (Path::Status, Self::LuaPromise) => matches!(reply, Value::BulkString(_)),
            (Path::Status, _) => *reply == Value::Int(1),
        }
    }
}

/// A subject in a server that was prepared for it.
pub(crate) struct Prepared {
    subject: Subject,
    case: Case,
    /// The script's hash.
    script: String,
}

impl Prepared {
    /// Puts one unit for each buyer on sale.
    pub(crate) fn new(subject: Subject, case: Case, connection: &mut Connection) -> anyhow::Result<Self> {
        let script = match subject.script() {
            Some(script) => redis::cmd("SCRIPT").arg("LOAD").arg(script).query(connection)?,
            None => String::new(),
        };
        let prepared = Self { subject, case, script };
        (0..case.sales()).try_for_each(|sale| prepared.put_on_sale(&key(sale), connection))?;
        Ok(prepared)
    }

    fn put_on_sale(&self, key: &str, connection: &mut Connection) -> anyhow::Result<()> {
        let units = self.case.buyers;
        let mut warm = redis::cmd("FLASH.WARM");
        warm.arg(key).arg(units);
        match self.subject {
            Subject::Ping | Subject::Incr | Subject::Throttle => {}
            Subject::LuaDedup | Subject::LuaStream => Cmd::set(key, units).exec(connection)?,
            Subject::LuaPromise => {
                let counters = [("available", units), ("seq", 1), ("acked", 0)];
                let terms = [("hold_ms", HOLD_MS), ("journal_max", units * 2)];
                Cmd::hset_multiple(key, &[&counters[..], &terms[..]].concat()).exec(connection)?;
            }
            Subject::Flash => warm.arg("HOLD").arg(HOLD_MS).arg("JOURNAL").arg(units * 2).exec(connection)?,
            Subject::FlashBare => warm.exec(connection)?,
        }
        Ok(())
    }

    /// Calls of this path.
    pub(crate) fn count(&self, path: Path) -> u64 {
        if path == Path::Accepted { self.case.buyers_of_all() } else { self.case.looks() }
    }

    /// The call `at` of a path.
    pub(crate) fn call(&self, path: Path, at: u64) -> Cmd {
        let (sale, number) = (at / self.case.buyers, at % self.case.buyers);
        let key = key(sale);
        match path {
            Path::Only => self.only(&key),
            Path::Accepted => self.reserve(&key, &self.case.buyer(number)),
            Path::Repeated => self.reserve(&key, &self.shuffled(number)),
            Path::SoldOut => self.reserve(&key, &self.case.buyer(self.case.buyers + number)),
            Path::Status => self.status(&key, &self.shuffled(number)),
        }
    }

    fn only(&self, key: &str) -> Cmd {
        match self.subject {
            Subject::Ping => redis::cmd("PING"),
            Subject::Throttle => {
                let mut call = redis::cmd("FLASH.THROTTLE");
                call.arg(key).arg("BUCKET").arg(BUCKET_UNITS).arg(BUCKET_MS).arg(BUCKET_UNITS);
                call
            }
            _ => Cmd::incr(key, 1),
        }
    }

    fn shuffled(&self, number: u64) -> String {
        self.case.buyer(number * STEP % self.case.buyers)
    }

    fn reserve(&self, key: &str, buyer: &str) -> Cmd {
        let parts: &[&str] = match self.subject {
            Subject::LuaDedup => &["", ":buyers"],
            Subject::LuaStream => &["", ":buyers", ":messages"],
            Subject::LuaPromise => &["", ":buyers", ":holds", ":journal"],
            _ => {
                let mut call = redis::cmd("FLASH.RESERVE");
                call.arg(key).arg(buyer);
                return call;
            }
        };
        let mut call = redis::cmd("EVALSHA");
        call.arg(&self.script).arg(parts.len());
        parts.iter().for_each(|part| {
            call.arg(format!("{key}{part}"));
        });
        call.arg(buyer).arg(1);
        call
    }

    fn status(&self, key: &str, buyer: &str) -> Cmd {
        match self.subject {
            Subject::LuaPromise => Cmd::hget(format!("{key}:buyers"), buyer),
            Subject::LuaDedup | Subject::LuaStream => Cmd::sismember(format!("{key}:buyers"), buyer),
            _ => {
                let mut call = redis::cmd("FLASH.STATUS");
                call.arg(key).arg("BUYER").arg(buyer);
                call
            }
        }
    }

    /// Empties the journals, as a syncer does that has written the orders.
    pub(crate) fn ack(&self, connection: &mut Connection) -> anyhow::Result<()> {
        /// Events that are acknowledged at once.
        const ACKED_EVENTS: usize = 10_000;
        // The first event made the sale, and each buyer one more.
        let newest = self.case.buyers + 1;
        for sale in 0..self.case.sales() {
            let key = key(sale);
            match self.subject {
                Subject::LuaStream => {
                    redis::cmd("XTRIM").arg(format!("{key}:messages")).arg("MAXLEN").arg(0).exec(connection)?;
                }
                Subject::LuaPromise => {
                    redis::cmd("XTRIM").arg(format!("{key}:journal")).arg("MAXLEN").arg(0).exec(connection)?;
                    Cmd::hset(&key, "acked", newest).exec(connection)?;
                }
                Subject::Flash => {
                    for seq in (1..newest).step_by(ACKED_EVENTS).chain([newest]) {
                        redis::cmd("FLASH.ACK").arg(&key).arg(1).arg(seq).exec(connection)?;
                    }
                }
                Subject::Ping | Subject::Incr | Subject::Throttle | Subject::LuaDedup | Subject::FlashBare => {}
            }
        }
        Ok(())
    }
}

/// The key of a sale; the braces keep it and what Lua keeps beside it in one slot of a cluster.
fn key(sale: u64) -> String {
    format!("flash:{{{sale}}}")
}
