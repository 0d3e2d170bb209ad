//! The live table: a line for each strategy, while they sell. Where stderr is not a terminal there is none.

use std::time::Duration;

use flash_sim::{Live, Strategy};
use indicatif::ProgressBar;
use tokio::time::{MissedTickBehavior, interval};

use crate::progress::Progress;

/// Between two looks at a tally.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A line for each strategy, in the order in which they sell.
pub(super) struct Lines(Vec<ProgressBar>);

impl Lines {
    /// Shows them all, with nothing in them yet.
    pub(super) fn new(strategies: &[Strategy], requests: u64, progress: &Progress) -> Self {
        let line = |strategy: &Strategy| progress.row(strategy.name(), requests);
        Self(strategies.iter().map(line).collect())
    }

    /// Shows how far the strategy at that place is, until what sells by it is done.
    pub(super) async fn while_selling<T>(
        &self,
        at: usize,
        units: u64,
        live: &Live,
        selling: impl Future<Output = T>,
    ) -> T {
        let line = &self.0[at];
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut selling = std::pin::pin!(selling);
        loop {
            let sold = tokio::select! {
                sold = &mut selling => Some(sold),
                _ = ticks.tick() => None,
            };
            show(line, units, live);
            if let Some(sold) = sold {
                return sold;
            }
        }
    }

    /// Takes them away: the final table says it all.
    pub(super) fn clear(self) {
        self.0.iter().for_each(ProgressBar::finish_and_clear);
    }
}

fn show(line: &ProgressBar, units: u64, live: &Live) {
    if line.is_hidden() {
        return;
    }
    let tally = live.look();
    let oversold = tally.sold.saturating_sub(units);
    let p99_ms = tally.latency_us.value_at_quantile(0.99) / 1_000;
    line.set_position(tally.requests);
    line.set_message(format!(
        "sold {:<6} oversold {oversold:<5} errors {:<5} retries {:<6} p99 {p99_ms} ms",
        tally.sold, tally.errors, tally.retries
    ));
}
