//! A rate limit: decides, applies, and reports its state.

use flash_sale::Mover;

use crate::limits::{CLOCK_LEAD_MS_MAX, EXPIRY_SLACK_MS, TIME_MS_MAX};
use crate::taken::Taken;
use crate::terms::Terms;
use crate::usage::Usage;

/// The state of one rate limit.
///
/// Its clock is the time of the newest taking, and never goes back: where the caller's clock does, time stops here
/// until that has caught up, and nothing is granted meanwhile. Where the caller's clock steps back by more than
/// [`CLOCK_LEAD_MS_MAX`], this one steps back with it ([`Throttle::steps_back`]): what is in use counts as taken then.
///
/// Terms come with every call. Where they are not those of before, strategy included, what is in use at that moment
/// counts as taken at that moment under the new terms, up to their limit. So a changed limit never hands out what was
/// used up, and it makes no difference how often two callers with different terms take turns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Throttle {
    pub(crate) terms: Terms,
    pub(crate) at_ms: u64,
    pub(crate) expires_at_ms: u64,
    pub(crate) usage: Usage,
}

/// When a call that costs more than the limit is allowed.
pub const NEVER: u64 = u64::MAX;

/// What comes of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// It is allowed: the caller applies this, here and on every replica.
    Taken(Taken),
    /// It cost nothing, so it is allowed and nothing happens.
    Peeked,
    /// It is not allowed, and nothing happens.
    Refused {
        /// If nothing else is taken meanwhile, the same call is allowed so many milliseconds later, and no sooner.
        /// [`NEVER`], if it costs more than the limit.
        retry_after_ms: u64,
    },
}

/// The state of a rate limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Units that can be taken at once when nothing is in use.
    pub limit: u64,
    /// Units that can be taken now.
    pub remaining: u64,
    /// Milliseconds until nothing is in use, if nothing else is taken meanwhile.
    pub reset_ms: u64,
}

impl Throttle {
    /// A rate limit of which nothing is in use.
    #[must_use]
    pub fn new(terms: &Terms) -> Self {
        Self { terms: *terms, at_ms: 0, expires_at_ms: 0, usage: Usage::none(terms) }
    }

    /// What is to be applied before anything is decided at `now_ms`: a taking of nothing, by which the clock steps
    /// back. None: it need not.
    #[must_use]
    pub fn steps_back(&self, now_ms: u64) -> Option<Taken> {
        let at_ms = now_ms.clamp(1, TIME_MS_MAX);
        self.is_far_ahead_of(at_ms).then_some(Taken { terms: self.terms, at_ms, units: 0 })
    }

    const fn is_far_ahead_of(&self, at_ms: u64) -> bool {
        self.at_ms.saturating_sub(at_ms) > CLOCK_LEAD_MS_MAX
    }

    /// What comes of a call that costs `cost` units, under valid terms.
    #[must_use]
    pub fn decide(&self, terms: &Terms, cost: u64, now_ms: u64) -> Decision {
        if cost == 0 {
            return Decision::Peeked;
        }
        let Some(others) = terms.limit().checked_sub(cost) else {
            return Decision::Refused { retry_after_ms: NEVER };
        };
        let at_ms = self.clock(now_ms);
        if self.usage.strategy().used(at_ms) <= others {
            return Decision::Taken(Taken { terms: *terms, at_ms, units: cost });
        }
        Decision::Refused { retry_after_ms: self.usage.strategy().when_used_at_most(others).saturating_sub(now_ms) }
    }

    /// Lets it happen. What [`Throttle::decide`] said always fits; of what did not, as much is taken as fits.
    pub fn apply(&mut self, taken: &Taken) {
        if self.is_far_ahead_of(taken.at_ms) {
            self.begin_anew(&self.terms.clone(), self.at_ms, taken.at_ms);
        }
        let at_ms = self.clock(taken.at_ms);
        if self.terms != taken.terms {
            self.begin_anew(&taken.terms, at_ms, at_ms);
        }
        self.take(taken.units, at_ms);
        let needed_ms = self.usage.strategy().when_used_at_most(0).saturating_add(EXPIRY_SLACK_MS).min(TIME_MS_MAX);
        if self.expires_at_ms < needed_ms {
            self.expires_at_ms = (needed_ms + EXPIRY_SLACK_MS).min(TIME_MS_MAX);
        }
    }

    /// Its state at `now_ms` under `terms`.
    #[must_use]
    pub fn standing(&self, terms: &Terms, now_ms: u64) -> Standing {
        let limit = terms.limit();
        let usage = self.usage.strategy();
        Standing {
            limit,
            remaining: limit.saturating_sub(usage.used(self.clock(now_ms))),
            reset_ms: usage.when_used_at_most(0).saturating_sub(now_ms),
        }
    }

    /// When the state is to be thrown away, Unix milliseconds: nothing has been in use for [`EXPIRY_SLACK_MS`] then. It
    /// moves with [`Throttle::apply`], but seldom.
    #[must_use]
    pub const fn expires_at_ms(&self) -> u64 {
        self.expires_at_ms
    }

    /// What the state takes from the allocator, itself included; pieces are multiples of 16 bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        let log_bytes = if let Usage::Sliding(log) = &self.usage { log.memory_bytes() } else { 0 };
        size_of::<Self>().next_multiple_of(16) + log_bytes
    }

    /// Lets the state's pieces of memory be moved to better places.
    pub fn defrag(&mut self, mover: &mut impl Mover) {
        if let Usage::Sliding(log) = &mut self.usage {
            log.defrag(mover);
        }
    }

    /// The time that counts. Never 0, for that is when a new state says that it was changed last.
    fn clock(&self, now_ms: u64) -> u64 {
        now_ms.clamp(1, TIME_MS_MAX).max(self.at_ms)
    }

    /// What is in use at `until_ms` counts as taken at `from_ms`, under these terms.
    fn begin_anew(&mut self, terms: &Terms, until_ms: u64, from_ms: u64) {
        let used = self.usage.strategy().used(until_ms);
        *self = Self::new(terms);
        self.take(used, from_ms);
    }

    fn take(&mut self, units: u64, at_ms: u64) {
        let free = self.terms.limit().saturating_sub(self.usage.strategy().used(at_ms));
        let units = units.min(free);
        if units > 0 {
            self.usage.strategy_mut().take(at_ms, units);
            self.at_ms = at_ms;
        }
    }
}

/// Millions of them may be in one server; the allocator has pieces of 128 bytes, and next of 160.
const _: () = assert!(size_of::<Throttle>() <= 128);
