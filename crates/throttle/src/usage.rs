//! What is in use, whichever the strategy.

use crate::bucket::Bucket;
use crate::burst::Burst;
use crate::days::Days;
use crate::sliding::Log;
use crate::strategy::Strategy;
use crate::terms::Terms;
use crate::window::{Counter, Window};

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
