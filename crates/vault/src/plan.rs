//! The vault's events, as the plan of a batch takes them.

use flash_plan::batch::{Batch, Numbered};

use crate::step::Step;

pub(crate) use flash_plan::batch::plan;

/// What to do with the events at hand.
pub(crate) type Plan<'a> = Batch<Step<'a>>;

impl Numbered for Step<'_> {
    fn seq(&self) -> u64 {
        self.event.seq
    }
}
