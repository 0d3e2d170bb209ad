//! One timer for many deadlines.

use std::future::pending;
use std::pin::Pin;

use tokio::time::{Instant, Sleep, sleep_until};

/// Rings at the earliest of its deadlines. A timer for each call, set and taken back, costs more than the reading of
/// the call's reply, and often an empty turn of the event loop; where deadlines lie equally far ahead, this one is
/// hardly ever set.
#[derive(Debug)]
pub(crate) struct Alarm {
    timer: Pin<Box<Sleep>>,
    at: Option<Instant>,
}

impl Alarm {
    /// One that does not ring.
    pub(crate) fn new() -> Self {
        Self { timer: Box::pin(sleep_until(Instant::now())), at: None }
    }

    /// It rings at `deadline`, unless it rings earlier.
    pub(crate) fn set(&mut self, deadline: Instant) {
        if self.at.is_none_or(|at| deadline < at) {
            self.at = Some(deadline);
            self.timer.as_mut().reset(deadline);
        }
    }

    /// Waits until it rings; then it is to be set again. It may be dropped and asked again.
    pub(crate) async fn rings(&mut self) {
        if self.at.is_none() {
            return pending().await;
        }
        self.timer.as_mut().await;
        self.at = None;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_alarm_rings_at_the_earliest_deadline_and_once() {
        let mut alarm = Alarm::new();
        assert!(alarm.rings().now_or_never().is_none(), "it is not set");
        let started = Instant::now();
        let deadline = |ms| started + Duration::from_millis(ms);
        for ms in [30, 10, 20] {
            alarm.set(deadline(ms));
        }
        alarm.rings().await;
        assert_eq!(Instant::now(), deadline(10));
        assert!(alarm.rings().now_or_never().is_none(), "it has rung");
        alarm.set(deadline(20));
        alarm.rings().await;
        assert_eq!(Instant::now(), deadline(20));
    }
}
