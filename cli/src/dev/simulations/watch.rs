//! Looks at a run from time to time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use flash_sim::{Live, Seller};
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::record::Record;

/// Between two looks.
const LOOK_EVERY_MS: u64 = 200;
/// How long a server may take to say what is left: it has its hands full, or is away.
const LEFT_TIMEOUT_MS: u64 = 1_000;

/// Records its state until this is dropped.
pub(super) async fn watch(mut seller: Seller, live: Live, record: Arc<Record>) {
    let began = Instant::now();
    let mut ticks = interval(Duration::from_millis(LOOK_EVERY_MS));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let left = timeout(Duration::from_millis(LEFT_TIMEOUT_MS), seller.left()).await;
        let left = left.ok().and_then(Result::ok);
        record.look(began.elapsed(), &live.look(), left);
    }
}
