//! What it is to reach, and whether it does.

use std::fmt;

use serde::Serialize;

use crate::case::{Aof, Case, Ids};
use crate::figures::{Bytes, Figures};
use crate::load::Cost;
use crate::server::SLOW_US;
use crate::subject::{Path, Subject};

/// The size at which the module is held against Lua, if it was measured.
const COMPARED_BUYERS: u64 = 1_000_000;
/// A look at a large sale waits for memory a few times, which a small one has in its caches: that is all that the size
/// may cost.
const GROWTH_MAX: f64 = 2.0;
const SLOWEST_US_MAX: f64 = 1_000.0;

/// A figure, and what it may be at most.
#[derive(Debug, Serialize)]
pub(crate) struct Mark {
    what: String,
    measured: f64,
    at_most: f64,
    pub(crate) is_met: bool,
}

impl Mark {
    fn new(what: impl Into<String>, measured: f64, at_most: f64) -> Self {
        Self { what: what.into(), measured, at_most, is_met: measured <= at_most }
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, measured, at_most, is_met } = self;
        let is_met = if *is_met { "met" } else { "missed" };
        write!(f, "| {what} | {measured:.2} | {at_most:.2} | {is_met}, {:.2} of it |", measured / at_most)
    }
}

/// Holds the figures against the marks. What was not measured has none.
pub(crate) fn check(figures: &[Figures]) -> Vec<Mark> {
    let sizes = figures.iter().filter(|figures| is_plain(&figures.case)).map(|figures| figures.case.buyers);
    let compared = sizes.clone().find(|&buyers| buyers == COMPARED_BUYERS).or_else(|| sizes.clone().max());
    let mut marks = compared.map(|buyers| beside_the_others(figures, buyers)).unwrap_or_default();
    if let (Some(smallest), Some(largest)) = (sizes.clone().min(), sizes.max()) {
        marks.extend(over_sizes(figures, smallest, largest));
    }
    marks
}

fn is_plain(case: &Case) -> bool {
    case.ids == Ids::Short && case.in_flight > 1 && case.aof == Aof::Off
}

fn find(figures: &[Figures], subject: Subject, buyers: u64) -> Option<&Figures> {
    let is_it =
        |figures: &&Figures| figures.subject == subject && figures.case.buyers == buyers && is_plain(&figures.case);
    figures.iter().find(is_it)
}

fn beside_the_others(figures: &[Figures], buyers: u64) -> Vec<Mark> {
    let cost = |subject, path| find(figures, subject, buyers)?.cost(path).map(|cost: Cost| cost.us);
    let bytes = |subject| find(figures, subject, buyers)?.bytes.map(|bytes: Bytes| bytes.acked);
    let (lua, flash) = (Subject::LuaPromise, Subject::Flash);
    let of_lua = |path| Some(cost(flash, path)? / cost(lua, path)?);
    let counted = cost(Subject::Incr, Path::Only).map(|us| 1.5 * us);
    let command = cost(Subject::Ping, Path::Only).map(|us| 1.5 * us + 0.3);
    let marks = [
        ("accepted, of Lua's with the same promise", of_lua(Path::Accepted), Some(1.0 / 10.0)),
        ("sold out, of Lua's", of_lua(Path::SoldOut), Some(1.0 / 7.0)),
        (
            "bytes per acknowledged reservation, of Lua's",
            bytes(flash).zip(bytes(lua)).map(|(us, lua)| us / lua),
            Some(0.25),
        ),
        ("bytes per acknowledged reservation", bytes(flash), Some(60.0)),
        ("sold out, µs, beside 1.5 × PING + 0.3", cost(flash, Path::SoldOut), command),
        ("status of a buyer, µs, beside the same", cost(flash, Path::Status), command),
        ("FLASH.THROTTLE, µs, beside 1.5 × INCR", cost(Subject::Throttle, Path::Only), counted),
    ];
    let marks = marks.into_iter().filter_map(|(what, measured, at_most)| Some(Mark::new(what, measured?, at_most?)));
    marks.collect()
}

fn over_sizes(figures: &[Figures], smallest: u64, largest: u64) -> Vec<Mark> {
    let accepted = |buyers| find(figures, Subject::Flash, buyers)?.cost(Path::Accepted).map(|cost| cost.us);
    let growth = accepted(largest).zip(accepted(smallest)).map(|(largest, smallest)| largest / smallest);
    let growth =
        growth.map(|growth| Mark::new("accepted at the largest size, of that at the smallest", growth, GROWTH_MAX));
    let slowest = find(figures, Subject::Flash, largest).map(|figures| {
        let slowest_us = figures.costs.iter().filter_map(|(_, cost)| cost.slowest_us).max().unwrap_or(SLOW_US);
        Mark::new("the slowest FLASH.* call at the largest size, µs", slowest_us as f64, SLOWEST_US_MAX)
    });
    growth.into_iter().chain(slowest).collect()
}
