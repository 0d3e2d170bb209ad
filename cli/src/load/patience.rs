//! Asking again, as the API advises: the same request, after 503 when the answer says, after 504 soon.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use anyhow::{Error, Result};
use serde::{Deserialize, Serialize};
use tokio::time::sleep;

use super::buyer::{Answered, Buyer};
use super::outcome::Outcome;

/// Before the second request, where the answer names no time; each further wait is twice as long, with a jitter …
const WAIT_MS_MIN: u64 = 20;
/// … up to this. It is also the most that is added to the time that an answer names, so that those who were turned away
/// together do not come back together.
const WAIT_MS_MAX: u64 = 1_000;
/// How long a buyer continues, and how often a buyer repeats a request meanwhile.
pub(super) const PATIENCE_MS: u64 = 25_000;
pub(super) const REPEATS_MAX: u64 = 100;

/// How often requests were repeated, by what came before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Repeats {
    /// 503: nothing was done.
    #[serde(rename = "after_503")]
    pub(crate) unavailable: u64,
    /// 504: the outcome was unknown.
    #[serde(rename = "after_504")]
    pub(crate) unknown: u64,
    /// No answer, or another one that decides nothing.
    #[serde(rename = "after_others")]
    pub(crate) others: u64,
}

/// What a buyer heard last.
#[derive(Debug)]
pub(super) enum Heard {
    Answer(Answered),
    /// No answer came.
    Nothing(Error),
}

impl Repeats {
    pub(crate) const fn sum(self) -> u64 {
        self.unavailable + self.unknown + self.others
    }

    fn count(&mut self, heard: &Heard) {
        match heard.outcome() {
            Some(Outcome::Unavailable) => self.unavailable += 1,
            Some(Outcome::Unknown) => self.unknown += 1,
            _ => self.others += 1,
        }
    }
}

impl AddAssign for Repeats {
    fn add_assign(&mut self, other: Self) {
        self.unavailable += other.unavailable;
        self.unknown += other.unknown;
        self.others += other.others;
    }
}

impl Heard {
    pub(super) const fn outcome(&self) -> Option<Outcome> {
        match self {
            Self::Answer(answered) => Some(answered.outcome),
            Self::Nothing(_) => None,
        }
    }

    /// What the answer says of the time of the next request.
    fn retry_after(&self) -> Duration {
        match self {
            Self::Answer(answered) => Duration::from_secs(answered.retry_after_s.unwrap_or(0)),
            Self::Nothing(_) => Duration::ZERO,
        }
    }
}

/// Asks for the buyer of this number, and repeats the request as `is_repeated` says, while the patience lasts.
///
/// # Errors
/// When no buyer should get such an answer.
pub(super) async fn until_answered(
    buyer: &mut Buyer,
    number: u64,
    is_repeated: fn(&Heard) -> bool,
) -> Result<(Heard, Repeats)> {
    let end = Instant::now() + Duration::from_millis(PATIENCE_MS);
    let (key, mut repeats) = (buyer.new_key(), Repeats::default());
    loop {
        let heard = match buyer.ask(number, key.as_deref()).await {
            Ok(answer) => Heard::Answer(Answered::read(&answer)?),
            Err(error) => Heard::Nothing(error),
        };
        let wait = heard.retry_after() + Duration::from_millis(wait_ms(repeats.sum()));
        if !is_repeated(&heard) || repeats.sum() == REPEATS_MAX || Instant::now() + wait >= end {
            return Ok((heard, repeats));
        }
        sleep(wait).await;
        repeats.count(&heard);
    }
}

fn wait_ms(repeats: u64) -> u64 {
    let doublings = u32::try_from(repeats).unwrap_or(u32::MAX);
    let longest = WAIT_MS_MIN.saturating_mul(2_u64.saturating_pow(doublings)).min(WAIT_MS_MAX);
    rand::random_range(longest / 2..=longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_waits_longer_each_time_and_never_long() {
        for (repeats, longest) in [(0, 20), (1, 40), (5, 640), (6, 1_000), (u64::MAX, 1_000)] {
            let waits = wait_ms(repeats);
            assert!((longest / 2..=longest).contains(&waits), "{repeats}: {waits} ms");
        }
    }
}
