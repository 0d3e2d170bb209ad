//! Measures one subject in one case.

use std::path::Path as File;

use serde::Serialize;

use crate::case::Case;
use crate::load::{self, Cost};
use crate::server::Server;
use crate::subject::{Path, Prepared, Subject};

/// What a subject costs in a case.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Figures {
    pub(crate) subject: Subject,
    pub(crate) case: Case,
    pub(crate) costs: Vec<(Path, Cost)>,
    /// Bytes of the server's memory per reservation, with its entry in the journal; then, without.
    pub(crate) bytes: Option<Bytes>,
}

#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Bytes {
    pub(crate) reserved: f64,
    pub(crate) acked: f64,
}

impl Figures {
    /// Each run in a server of its own: bad luck with the places that the server's memory gets only ever adds, too.
    pub(crate) fn measure(subject: Subject, case: Case, module: &File) -> anyhow::Result<Self> {
        let first = Self::run(subject, case, module)?;
        (1..case.runs()).try_fold(first, |least, _| Ok(least.least(&Self::run(subject, case, module)?)))
    }

    pub(crate) fn cost(&self, path: Path) -> Option<Cost> {
        self.costs.iter().find(|(of, _)| *of == path).map(|(_, cost)| *cost)
    }

    fn run(subject: Subject, case: Case, module: &File) -> anyhow::Result<Self> {
        let server = Server::start(module, case.aof)?;
        let mut connection = server.connect()?;
        let empty = server.memory_bytes()?;
        let prepared = Prepared::new(subject, case, &mut connection)?;
        let per_reservation = |bytes: u64| bytes.saturating_sub(empty) as f64 / case.buyers_of_all() as f64;
        let (mut costs, mut bytes) = (Vec::new(), None);
        for &path in subject.paths() {
            let call = |at| prepared.call(path, at);
            let cost = load::run(&server, case.in_flight, prepared.count(path), call, |reply| {
                subject.is_expected(path, reply)
            })?;
            costs.push((path, cost));
            if path == Path::Accepted {
                bytes = Some(per_reservation(server.memory_bytes()?));
            }
        }
        prepared.ack(&mut connection)?;
        let acked = per_reservation(server.memory_bytes()?);
        Ok(Self { subject, case, costs, bytes: bytes.map(|reserved| Bytes { reserved, acked }) })
    }

    fn least(mut self, other: &Self) -> Self {
        for ((_, cost), (_, other)) in self.costs.iter_mut().zip(&other.costs) {
            *cost = cost.least(*other);
        }
        if let (Some(bytes), Some(other)) = (&mut self.bytes, other.bytes) {
            bytes.reserved = bytes.reserved.min(other.reserved);
            bytes.acked = bytes.acked.min(other.acked);
        }
        self
    }
}
