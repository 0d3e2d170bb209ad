//! What a relay sends next, and what it sends again. The caller says what time it is, in milliseconds since any fixed
//! point.

use std::collections::HashMap;

/// What was sent and shows no progress towards PostgreSQL for so long is sent again: the transport may have lost it.
pub const RESEND_MS: u64 = 30_000;
/// Each time in vain doubles that wait, up to this: while PostgreSQL is away, the transport is not filled with repeats.
pub const RESEND_MS_MAX: u64 = 15 * 60_000;
/// What was sent of a sale that has not been ready for so long is forgotten.
pub const FORGET_MS: u64 = 10_000;
/// Sales of which the relay remembers what it sent. One that it forgot is sent again from what is acknowledged.
pub const SALES_MAX: usize = 16_384;

const _: () = assert!(RESEND_MS < RESEND_MS_MAX);

/// How far a sale's journal is, as READY says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Journal<'a> {
    /// The sale.
    pub sale: &'a str,
    /// Which life of it.
    pub epoch: u64,
    /// PostgreSQL has everything up to here.
    pub acked: u64,
    /// The newest event's seq.
    pub head: u64,
}

/// What was sent, by sale. To forget is harmless: the sale is sent again from what is acknowledged.
#[derive(Debug, Default)]
pub struct Plan {
    sales: HashMap<String, Progress>,
}

#[derive(Debug)]
struct Progress {
    epoch: u64,
    acked: u64,
    /// Everything up to here was published.
    sent: u64,
    /// When `acked` last moved, or something was sent after all was acknowledged.
    moved_ms: u64,
    /// How long nothing may move before it is sent again.
    patience_ms: u64,
    /// Not to be touched before: another relay's, or unreadable.
    rests_until_ms: u64,
    /// When it was last ready.
    seen_ms: u64,
}

impl Plan {
    /// The seq after which to pull, if there is anything to send.
    pub fn next(&mut self, journal: Journal, now_ms: u64) -> Option<u64> {
        let progress = self.progress(journal, now_ms);
        progress.seen_ms = now_ms;
        if progress.acked != journal.acked {
            progress.acked = journal.acked;
            progress.sent = progress.sent.max(journal.acked);
            progress.moved_ms = now_ms;
            progress.patience_ms = RESEND_MS;
        }
        if progress.rests_until_ms > now_ms {
            return None;
        }
        if progress.sent > progress.acked && now_ms.saturating_sub(progress.moved_ms) >= progress.patience_ms {
            progress.sent = progress.acked;
            progress.moved_ms = now_ms;
            progress.patience_ms = (progress.patience_ms * 2).min(RESEND_MS_MAX);
        }
        (progress.sent < journal.head).then_some(progress.sent)
    }

    /// Everything of the sale up to `seq` was published.
    pub fn sent(&mut self, sale: &str, epoch: u64, seq: u64, now_ms: u64) {
        let Some(progress) = self.sales.get_mut(sale).filter(|progress| progress.epoch == epoch) else { return };
        if progress.sent <= progress.acked {
            progress.moved_ms = now_ms;
        }
        progress.sent = progress.sent.max(seq);
    }

    /// Something that was published of the sale may not have arrived.
    pub fn forget(&mut self, sale: &str) {
        self.sales.remove(sale);
    }

    /// Anything that was published may be lost.
    pub fn forget_all(&mut self) {
        self.sales.clear();
    }

    /// Leaves the sale alone until then.
    pub fn rest(&mut self, sale: &str, until_ms: u64) {
        if let Some(progress) = self.sales.get_mut(sale) {
            progress.rests_until_ms = until_ms;
        }
    }

    /// Forgets the sales that have not been ready for long: everything of them is acknowledged. (One look at READY
    /// shows some of the ready sales, not all.)
    pub fn forget_done(&mut self, now_ms: u64) {
        self.sales.retain(|_, progress| now_ms.saturating_sub(progress.seen_ms) < FORGET_MS);
    }

    fn progress(&mut self, journal: Journal, now_ms: u64) -> &mut Progress {
        // Another epoch, or a Redis that lost its last events: what was sent says nothing about this journal.
        let outdated = |progress: &Progress| progress.epoch != journal.epoch || progress.sent > journal.head;
        if self.sales.get(journal.sale).is_some_and(outdated) {
            self.sales.remove(journal.sale);
        }
        self.make_room(journal.sale);
        self.sales.entry(journal.sale.to_owned()).or_insert_with(|| Progress::new(journal, now_ms))
    }

    /// Any sale may go: it costs repeats, which the vault skips.
    fn make_room(&mut self, sale: &str) {
        if self.sales.len() < SALES_MAX || self.sales.contains_key(sale) {
            return;
        }
        if let Some(any) = self.sales.keys().next().cloned() {
            self.sales.remove(&any);
        }
    }
}

impl Progress {
    const fn new(journal: Journal, now_ms: u64) -> Self {
        Self {
            epoch: journal.epoch,
            acked: journal.acked,
            sent: journal.acked,
            moved_ms: now_ms,
            patience_ms: RESEND_MS,
            rests_until_ms: 0,
            seen_ms: now_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn journal(acked: u64, head: u64) -> Journal<'static> {
        Journal { sale: "drop", epoch: 1, acked, head }
    }

    /// A plan that sent events 1 to 10 at time 0.
    fn sent_ten() -> Plan {
        let mut plan = Plan::default();
        assert_eq!(plan.next(journal(0, 10), 0), Some(0));
        plan.sent("drop", 1, 10, 0);
        plan
    }

    #[test]
    fn a_new_plan_begins_at_what_is_acknowledged() {
        assert_eq!(Plan::default().next(journal(4, 10), 0), Some(4));
    }

    #[test]
    fn what_was_sent_is_not_sent_twice() {
        let mut plan = sent_ten();
        assert_eq!(plan.next(journal(0, 10), 1), None);
        assert_eq!(plan.next(journal(7, 12), 2), Some(10));
    }

    #[test]
    fn what_may_be_lost_is_sent_again_from_what_is_acknowledged() {
        let mut plan = sent_ten();
        plan.forget("drop");
        assert_eq!(plan.next(journal(3, 10), 1), Some(3));
    }

    #[test]
    fn without_progress_all_is_sent_again_ever_more_rarely() {
        let mut plan = sent_ten();
        let (mut now_ms, mut wait_ms) = (0, RESEND_MS);
        for _ in 0..10 {
            assert_eq!(plan.next(journal(0, 10), now_ms + wait_ms - 1), None, "at {now_ms}");
            now_ms += wait_ms;
            assert_eq!(plan.next(journal(0, 10), now_ms), Some(0));
            plan.sent("drop", 1, 10, now_ms);
            wait_ms = (wait_ms * 2).min(RESEND_MS_MAX);
        }
        assert_eq!(wait_ms, RESEND_MS_MAX);
    }

    #[test]
    fn progress_is_patience() {
        let mut plan = sent_ten();
        assert_eq!(plan.next(journal(1, 10), RESEND_MS - 1), None);
        assert_eq!(plan.next(journal(1, 10), RESEND_MS), None);
        assert_eq!(plan.next(journal(1, 10), 2 * RESEND_MS - 1), Some(1));
    }

    #[test]
    fn the_wait_begins_when_something_is_sent_not_when_the_sale_was_seen() {
        let mut plan = Plan::default();
        assert_eq!(plan.next(journal(5, 5), 0), None);
        assert_eq!(plan.next(journal(5, 6), RESEND_MS), Some(5));
        plan.sent("drop", 1, 6, RESEND_MS);
        assert_eq!(plan.next(journal(5, 6), RESEND_MS + 1), None);
    }

    #[test]
    fn another_epoch_or_a_shorter_journal_begins_anew() {
        assert_eq!(sent_ten().next(Journal { epoch: 2, ..journal(2, 12) }, 1), Some(2));
        assert_eq!(sent_ten().next(journal(2, 9), 1), Some(2));
    }

    #[test]
    fn what_was_sent_of_another_epoch_does_not_count() {
        let mut plan = sent_ten();
        plan.sent("drop", 2, 99, 0);
        assert_eq!(plan.next(journal(0, 11), 0), Some(10));
    }

    #[test]
    fn a_resting_sale_is_left_alone_until_its_time() {
        let mut plan = sent_ten();
        plan.rest("drop", 100);
        assert_eq!(plan.next(journal(0, 11), 99), None);
        assert_eq!(plan.next(journal(0, 11), 100), Some(10));
    }

    #[test]
    fn a_sale_that_has_not_been_ready_for_long_is_forgotten() {
        let mut plan = sent_ten();
        plan.next(journal(0, 10), 5);
        plan.forget_done(FORGET_MS + 4);
        assert_eq!(plan.sales.len(), 1);
        plan.forget_done(FORGET_MS + 5);
        assert!(plan.sales.is_empty());
    }

    #[test]
    fn the_plan_is_bounded() {
        let mut plan = Plan::default();
        for sale in 0..=SALES_MAX {
            plan.next(Journal { sale: &sale.to_string(), ..journal(0, 1) }, 0);
        }
        assert_eq!(plan.sales.len(), SALES_MAX);
        assert!(plan.sales.contains_key(&SALES_MAX.to_string()));
    }
}
