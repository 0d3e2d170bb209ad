//! Who comes when: fixed by a seed, and the same for every way to sell.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};

/// Those who want to buy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Crowd {
    /// How many people.
    pub buyers: u64,
    /// How many of a hundred press twice.
    pub repeat_percent: u64,
    /// How many requests a second come, on average. The gaps between them are as random as those between strangers.
    pub requests_per_s: u64,
    /// Fixes who comes when.
    pub seed: u64,
}

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arrival {
    /// When it is to be sent, from the beginning.
    pub at: Duration,
    /// Whose it is.
    pub buyer: u64,
}

impl Crowd {
    /// How many requests that makes.
    #[must_use]
    pub const fn requests(&self) -> u64 {
        self.buyers + self.repeats()
    }

    const fn repeats(&self) -> u64 {
        self.buyers * self.repeat_percent / 100
    }

    /// Every buyer once, some twice, in the order in which they come.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        let mut random = StdRng::seed_from_u64(self.seed);
        let mut buyers: Vec<u64> = (0..self.buyers).collect();
        buyers.shuffle(&mut random);
        let repeats = usize::try_from(self.repeats()).unwrap_or(usize::MAX);
        buyers.extend_from_within(..repeats.min(buyers.len()));
        buyers.shuffle(&mut random);
        let mut at = 0.0;
        let arrival = |buyer| {
            let arrival = Arrival { at: Duration::from_secs_f64(at), buyer };
            at += self.gap_s(&mut random);
            arrival
        };
        buyers.into_iter().map(arrival).collect()
    }

    /// The time between two arrivals of a Poisson process is distributed exponentially.
    #[expect(clippy::cast_precision_loss, reason = "rates are far below 2^52")]
    fn gap_s(&self, random: &mut StdRng) -> f64 {
        let uniform: f64 = random.random_range(f64::EPSILON..1.0);
        -uniform.ln() / self.requests_per_s.max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CROWD: Crowd = Crowd { buyers: 1_000, repeat_percent: 20, requests_per_s: 500, seed: 7 };

    #[test]
    fn every_buyer_comes_and_some_come_twice() {
        let mut buyers: Vec<u64> = CROWD.arrivals().iter().map(|arrival| arrival.buyer).collect();
        assert_eq!(buyers.len(), 1_200);
        buyers.sort_unstable();
        buyers.dedup();
        assert_eq!(buyers, (0..1_000).collect::<Vec<_>>());
    }

    #[test]
    fn the_seed_fixes_who_comes_when() {
        assert_eq!(CROWD.arrivals(), CROWD.arrivals());
        assert_ne!(CROWD.arrivals(), Crowd { seed: 8, ..CROWD }.arrivals());
    }

    #[test]
    fn they_come_in_order_and_about_as_fast_as_they_should() {
        let arrivals = CROWD.arrivals();
        assert!(arrivals.is_sorted_by_key(|arrival| arrival.at));
        let took = arrivals.last().unwrap().at.as_secs_f64();
        assert!((2.0..2.8).contains(&took), "1,200 at 500 a second took {took} s");
    }
}
