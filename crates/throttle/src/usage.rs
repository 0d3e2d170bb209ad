//! What is in use, whichever the strategy.

use crate::bucket::Bucket;
use crate::burst::Burst;
use crate::days::Days;
use crate::sliding::Log;
use crate::terms::Terms;
use crate::window::{Counter, Window};

/// What every strategy can say of the units that were taken under it. From one taking to the next, units only come back:
/// the later, the fewer are in use.
pub(crate) trait Strategy {
    /// Units in use at `now_ms`, which is not before the newest taking.
    fn used(&self, now_ms: u64) -> u64;

    /// The first millisecond, from the newest taking on, in which at most `units` are in use.
    fn when_used_at_most(&self, units: u64) -> u64;

    /// Takes units at `now_ms`, which is not before the newest taking. They fit the limit.
    fn take(&mut self, now_ms: u64, units: u64);
}

/// The units in use, counted as the terms ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Usage {
    Bucket(Bucket),
    Burst(Burst),
    Window(Counter<Window>),
    Days(Counter<Days>),
    Sliding(Log),
}

impl Usage {
    /// Nothing is in use.
    pub(crate) fn none(terms: &Terms) -> Self {
        match terms {
            Terms::Bucket(terms) => Self::Bucket(Bucket::new(terms)),
            Terms::Burst(terms) => Self::Burst(Burst::new(terms)),
            Terms::Strict(terms) => Self::Window(Counter::new(Window::of_clock(terms.window_ms))),
            Terms::Sliding(terms) => Self::Sliding(Log::new(terms.window_ms)),
            Terms::Daily(terms) => Self::Days(Counter::new(Days::of(terms))),
        }
    }

    pub(crate) fn strategy(&self) -> &dyn Strategy {
        match self {
            Self::Bucket(bucket) => bucket,
            Self::Burst(burst) => burst,
            Self::Window(counter) => counter,
            Self::Days(counter) => counter,
            Self::Sliding(log) => log,
        }
    }

    pub(crate) fn strategy_mut(&mut self) -> &mut dyn Strategy {
        match self {
            Self::Bucket(bucket) => bucket,
            Self::Burst(burst) => burst,
            Self::Window(counter) => counter,
            Self::Days(counter) => counter,
            Self::Sliding(log) => log,
        }
    }
}
