//! One deadline for everything that a request asks of others.

use std::time::Duration;

use tokio::time::Instant;

tokio::task_local! {
    static DEADLINE: Deadline;
}

/// The moment at which all parts of a request have ended: calls to Redis, waits for replicas, questions to PostgreSQL.
///
/// It goes with the task that works on the request, so that no part can forget it, and no part begins anew with a
/// limit of its own. A task that this work spawns serves others as well, and has limits of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline(Instant);

impl Deadline {
    /// So far from now.
    #[must_use]
    pub fn after(limit: Duration) -> Self {
        Self(Instant::now() + limit)
    }

    /// What is left of it.
    #[must_use]
    pub fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Works under this deadline.
    pub async fn over<F: Future>(self, work: F) -> F::Output {
        DEADLINE.scope(self, work).await
    }

    /// How long a part may take whose own limit is `own`: no longer than what is left of the deadline that it works
    /// under, if there is one. None: no time is left, and nothing is to be begun.
    #[must_use]
    pub fn within(own: Duration) -> Option<Duration> {
        let left = DEADLINE.try_with(|deadline| deadline.left()).unwrap_or(own);
        Some(own.min(left)).filter(|limit| !limit.is_zero())
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::sleep;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn parts_share_what_is_left_of_their_deadline_and_keep_their_own_limits() {
        assert_eq!(Deadline::within(5 * MS), Some(5 * MS), "work without a deadline");
        let parts = async {
            assert_eq!((Deadline::within(5 * MS), Deadline::within(20 * MS)), (Some(5 * MS), Some(10 * MS)));
            sleep(7 * MS).await;
            assert_eq!(Deadline::within(5 * MS), Some(3 * MS));
            sleep(7 * MS).await;
            assert_eq!(Deadline::within(5 * MS), None, "nothing begins after the deadline");
            assert_eq!(tokio::spawn(async { Deadline::within(5 * MS) }).await.ok(), Some(Some(5 * MS)));
        };
        Deadline::after(10 * MS).over(parts).await;
        assert_eq!(Deadline::within(5 * MS), Some(5 * MS), "the work is over");
    }
}
