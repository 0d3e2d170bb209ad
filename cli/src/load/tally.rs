//! What all requests together came to.

use std::collections::BTreeMap;

use anyhow::Result;
use flash_sim::Ended;
use hdrhistogram::Histogram;

use super::outcome::Outcome;
use super::patience::Repeats;
use super::patient::Visit;

/// The longest latency that is distinct from longer ones.
const LATENCY_US_MAX: u64 = 120_000_000;

/// From when a latency counts.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Since {
    /// From the moment at which a request was to be sent.
    Due,
    /// From the moment at which it was sent: for those who all come at once, and wait for each other.
    Sent,
}

/// Buyers' wishes by their outcome in the end, with their latencies until then.
#[derive(Debug, Clone)]
pub(crate) struct Tally {
    since: Since,
    pub(crate) requests: u64,
    /// Those that were sent at their time.
    pub(crate) timely: u64,
    /// How often they were repeated.
    pub(crate) repeats: Repeats,
    /// Of those that came to a unit, those of which a repeat after 504 told.
    pub(crate) learnt: u64,
    /// What the first of the errors was.
    pub(crate) first_error: Option<String>,
    latency_us: BTreeMap<Outcome, Histogram<u64>>,
}

impl Tally {
    pub(super) fn new(since: Since) -> Result<Self> {
        let empty = Histogram::new_with_max(LATENCY_US_MAX, 3)?;
        let latency_us = Outcome::ALL.into_iter().map(|outcome| (outcome, empty.clone())).collect();
        Ok(Self {
            since,
            requests: 0,
            timely: 0,
            repeats: Repeats::default(),
            learnt: 0,
            first_error: None,
            latency_us,
        })
    }

    pub(super) fn count(&mut self, ended: Ended<Visit>) {
        self.requests += 1;
        self.timely += u64::from(ended.is_timely());
        let latency = match self.since {
            Since::Due => ended.latency,
            Since::Sent => ended.latency.saturating_sub(ended.late),
        };
        let outcome = match ended.answer {
            Ok(visit) => {
                self.repeats += visit.repeats;
                self.learnt += u64::from(visit.is_learnt);
                visit.outcome
            }
            Err(error) => {
                self.first_error.get_or_insert_with(|| format!("{error:#}"));
                Outcome::Error
            }
        };
        if let Some(latency_us) = self.latency_us.get_mut(&outcome) {
            latency_us.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// How many came to this.
    pub(crate) fn of(&self, outcome: Outcome) -> u64 {
        self.latency_us.get(&outcome).map_or(0, Histogram::len)
    }

    /// The outcomes that there were, with their latencies in microseconds.
    pub(crate) fn latencies(&self) -> impl Iterator<Item = (Outcome, &Histogram<u64>)> {
        self.latency_us.iter().filter(|(_, latency_us)| !latency_us.is_empty()).map(|(outcome, of)| (*outcome, of))
    }

    /// The latencies of all requests.
    pub(crate) fn latency_us(&self) -> Result<Histogram<u64>> {
        let mut all = Histogram::new_with_max(LATENCY_US_MAX, 3)?;
        for latency_us in self.latency_us.values() {
            all.add(latency_us)?;
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;

    use super::*;

    #[test]
    fn each_request_is_counted_once_under_its_outcome() {
        let ms = Duration::from_millis;
        for (since, slowest_us) in [(Since::Due, 50_000), (Since::Sent, 10_000)] {
            let mut tally = Tally::new(since).unwrap();
            let repeats = Repeats { unknown: 2, ..Repeats::default() };
            let mut count = |answer: Result<Outcome>, late, latency| {
                tally.count(Ended {
                    answer: answer.map(|outcome| Visit { outcome, repeats, is_learnt: false }),
                    late,
                    latency,
                });
            };
            count(Ok(Outcome::Reserved), ms(0), ms(3));
            count(Ok(Outcome::SoldOut), ms(40), ms(50));
            count(Ok(Outcome::SoldOut), ms(1), ms(2));
            count(Err(anyhow!("the connection is closed")), ms(0), ms(1));
            assert_eq!((tally.requests, tally.timely, tally.latency_us().unwrap().len()), (4, 3, 4));
            assert_eq!(tally.repeats, Repeats { unknown: 6, ..Repeats::default() });
            assert_eq!(tally.first_error.as_deref(), Some("the connection is closed"));
            let counts: Vec<_> = tally.latencies().map(|(outcome, latency_us)| (outcome, latency_us.len())).collect();
            assert_eq!(counts, [(Outcome::Reserved, 1), (Outcome::SoldOut, 2), (Outcome::Error, 1)]);
            let slowest = &tally.latency_us[&Outcome::SoldOut];
            assert!(slowest.equivalent(slowest.max(), slowest_us), "{since:?}: {}", slowest.max());
        }
    }
}
