//! What requests came to.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

/// The longest latency that is told apart from longer ones.
const LATENCY_US_MAX: u64 = 120_000_000;
/// Who is sent later than this behind his time was kept waiting by us and not by the server.
const TIMELY: Duration = Duration::from_millis(5);

/// How one request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The buyer has a unit.
    Sold,
    /// The buyer had one already.
    Again,
    /// There are none left.
    SoldOut,
    /// Nobody can tell, or all tries were in vain.
    Failed,
}

/// What all requests together came to.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Answered, in whichever way.
    pub requests: u64,
    /// Buyers who were told that they have a unit.
    pub sold: u64,
    /// Repeats that were told that the buyer has one.
    pub again: u64,
    /// Told that there are none left.
    pub sold_out: u64,
    /// Errors, and tries that were given up.
    pub failed: u64,
    /// Tries beyond each request's first.
    pub retries: u64,
    /// Requests that were sent at their time.
    pub timely: u64,
    /// From the moment at which each was to be sent, in microseconds.
    pub latency_us: Histogram<u64>,
}

impl Tally {
    pub(crate) fn new() -> Result<Self> {
        let latency_us = Histogram::new_with_max(LATENCY_US_MAX, 3)?;
        Ok(Self { requests: 0, sold: 0, again: 0, sold_out: 0, failed: 0, retries: 0, timely: 0, latency_us })
    }

    /// Counts a request that was sent `late` behind its time and ended `latency` behind it.
    pub(crate) fn count(&mut self, answer: Answer, retries: u64, late: Duration, latency: Duration) {
        self.requests += 1;
        self.retries += retries;
        self.timely += u64::from(late < TIMELY);
        self.latency_us.saturating_record(u64::try_from(latency.as_micros()).unwrap_or(u64::MAX));
        *match answer {
            Answer::Sold => &mut self.sold,
            Answer::Again => &mut self.again,
            Answer::SoldOut => &mut self.sold_out,
            Answer::Failed => &mut self.failed,
        } += 1;
    }

    pub(crate) fn add(&mut self, other: &Self) -> Result<()> {
        self.requests += other.requests;
        self.sold += other.sold;
        self.again += other.again;
        self.sold_out += other.sold_out;
        self.failed += other.failed;
        self.retries += other.retries;
        self.timely += other.timely;
        Ok(self.latency_us.add(&other.latency_us)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_request_is_counted_once_and_from_its_own_time() {
        let (mut one, mut sum) = (Tally::new().unwrap(), Tally::new().unwrap());
        let ms = Duration::from_millis;
        one.count(Answer::Sold, 2, ms(0), ms(3));
        one.count(Answer::Failed, 3, ms(40), ms(50));
        sum.count(Answer::SoldOut, 0, ms(1), ms(1));
        sum.add(&one).unwrap();
        let Tally { requests, sold, again, sold_out, failed, retries, timely, .. } = sum;
        assert_eq!((requests, sold, again, sold_out, failed, retries, timely), (3, 1, 0, 1, 1, 5, 2));
        assert_eq!(sum.latency_us.len(), 3);
        assert!(sum.latency_us.equivalent(sum.latency_us.max(), 50_000));
    }
}
