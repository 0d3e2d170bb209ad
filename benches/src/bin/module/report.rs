//! The result, as a table for people and as JSON.

use std::fmt;

use serde::Serialize;

use crate::subject::{Figures, Subject};

#[derive(Debug, Serialize)]
pub(crate) struct Report {
    pub(crate) server: String,
    pub(crate) calls: u64,
    pub(crate) buyer_bytes: u8,
    pub(crate) connections: u16,
    pub(crate) pipeline: u16,
    pub(crate) runs: usize,
    pub(crate) ping_us: f64,
    pub(crate) incr_us: f64,
    pub(crate) subjects: Vec<Figures>,
}

type Figure = fn(&Figures) -> f64;

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { server, calls, buyer_bytes, connections, pipeline, runs, .. } = self;
        writeln!(
            f,
            "Redis {server}, {calls} buyers with ids of {buyer_bytes} bytes, {connections} connection(s) with"
        )?;
        writeln!(f, "{pipeline} calls in flight each. CPU of the server per call, the least of {runs} runs.\n")?;
        writeln!(f, "{:<56}{:>8}{:>8}{:>8}", "", "us", "x PING", "x Lua")?;
        self.line(f, "PING", self.ping_us, None)?;
        self.line(f, "INCR", self.incr_us, None)?;
        let kinds: [(&str, Figure); 4] = [
            ("accepted", |figures| figures.accepted_us),
            ("replayed", |figures| figures.replayed_us),
            ("sold out", |figures| figures.sold_out_us),
            ("status of a buyer", |figures| figures.status_us),
        ];
        let lua = self.subjects.iter().find(|figures| figures.subject == Subject::Lua);
        for (kind, us) in kinds {
            for figures in &self.subjects {
                self.line(f, &format!("{}: {kind}", figures.subject.name()), us(figures), lua.map(us))?;
            }
        }
        writeln!(f, "\n{:<56}{:>8}{:>8}", "Memory, bytes per reservation", "", "acked")?;
        for figures in &self.subjects {
            writeln!(f, "{:<56}{:>8.1}{:>8.1}", figures.subject.name(), figures.bytes, figures.acked_bytes)?;
        }
        Ok(())
    }
}

impl Report {
    fn line(&self, f: &mut fmt::Formatter<'_>, name: &str, us: f64, lua_us: Option<f64>) -> fmt::Result {
        write!(f, "{name:<56}{us:>8.3}{:>8.2}", us / self.ping_us)?;
        match lua_us {
            Some(lua_us) => writeln!(f, "{:>8.2}", us / lua_us),
            None => writeln!(f),
        }
    }
}
