//! What requests came to.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Result;
use hdrhistogram::Histogram;

use crate::open_loop::Ended;

/// The longest latency that is distinct from longer ones.
const LATENCY_US_MAX: u64 = 120_000_000;

/// How one request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// The buyer has a unit.
    Sold,
    /// The buyer had one already.
    Again,
    /// There are none left.
    SoldOut,
    /// All tries were in vain; the buyer has nothing.
    GaveUp,
    /// The same request was answered in two ways, and only one of them can be true.
    Contradicted,
}

/// What all requests together came to.
#[derive(Debug, Clone)]
pub struct Tally {
    /// Answered, in whichever way.
    pub requests: u64,
    /// Buyers whose answer contained a unit.
    pub sold: u64,
    /// Repeats whose answer contained the unit.
    pub again: u64,
    /// Told that there are none left.
    pub sold_out: u64,
    /// Tries that were given up, and requests with an unknown outcome.
    pub errors: u64,
    /// Told two things that cannot both be true.
    pub contradicted: u64,
    /// What the first of the errors was.
    pub first_error: Option<String>,
    /// Tries beyond each request's first.
    pub retries: u64,
    /// Requests that were sent at their time.
    pub timely: u64,
    /// From the moment at which each was to be sent, in microseconds.
    pub latency_us: Histogram<u64>,
}

/// A tally that one side counts in while another looks at it.
#[derive(Debug, Clone)]
pub struct Live(Arc<Mutex<Tally>>);

impl Tally {
    fn new() -> Result<Self> {
        Ok(Self {
            requests: 0,
            sold: 0,
            again: 0,
            sold_out: 0,
            errors: 0,
            contradicted: 0,
            first_error: None,
            retries: 0,
            timely: 0,
            latency_us: Histogram::new_with_max(LATENCY_US_MAX, 3)?,
        })
    }

    fn count(&mut self, ended: Ended<(Answer, u64)>) {
        self.requests += 1;
        self.timely += u64::from(ended.is_timely());
        self.latency_us.saturating_record(u64::try_from(ended.latency.as_micros()).unwrap_or(u64::MAX));
        let (answer, retries) = match ended.answer {
            Ok(answered) => answered,
            Err(error) => return self.fail(|| format!("{error:#}")),
        };
        self.retries += retries;
        match answer {
            Answer::Sold => self.sold += 1,
            Answer::Again => self.again += 1,
            Answer::SoldOut => self.sold_out += 1,
            Answer::Contradicted => self.contradicted += 1,
            Answer::GaveUp => self.fail(|| format!("gave up after {retries} retries")),
        }
    }

    fn fail(&mut self, why: impl FnOnce() -> String) {
        self.errors += 1;
        self.first_error.get_or_insert_with(why);
    }
}

impl Live {
    /// Of no request yet.
    ///
    /// # Errors
    /// Never: the histogram's bounds are fixed.
    pub fn new() -> Result<Self> {
        Ok(Self(Arc::new(Mutex::new(Tally::new()?))))
    }

    /// As it is now.
    #[must_use]
    pub fn look(&self) -> Tally {
        self.tally().clone()
    }

    /// Somebody tried so many times more, of which the answer does not tell.
    pub fn retried(&self, retries: u64) {
        self.tally().retries += retries;
    }

    pub(crate) fn count(&self, ended: Ended<(Answer, u64)>) {
        self.tally().count(ended);
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anyhow::anyhow;

    use super::*;

    #[test]
    fn each_request_is_counted_once_and_from_its_own_time() {
        let live = Live::new().unwrap();
        let count = |answer, late_ms, latency_ms| {
            let [late, latency] = [late_ms, latency_ms].map(Duration::from_millis);
            live.count(Ended { answer, late, latency });
        };
        count(Ok((Answer::Sold, 2)), 0, 3);
        count(Ok((Answer::SoldOut, 0)), 1, 1);
        count(Ok((Answer::Again, 0)), 1, 2);
        count(Ok((Answer::GaveUp, 3)), 40, 50);
        count(Err(anyhow!("the connection is closed")), 1, 2);
        count(Ok((Answer::Contradicted, 0)), 1, 2);
        let tally = live.look();
        let Tally { sold, again, sold_out, errors, contradicted, .. } = tally;
        assert_eq!((sold, again, sold_out, errors, contradicted), (1, 1, 1, 2, 1));
        let Tally { requests, retries, timely, first_error, latency_us, .. } = tally;
        assert_eq!((requests, retries, timely), (6, 5, 5));
        assert_eq!(first_error.as_deref(), Some("gave up after 3 retries"));
        assert_eq!(latency_us.len(), 6);
        assert!(latency_us.equivalent(latency_us.max(), 50_000));
    }
}
