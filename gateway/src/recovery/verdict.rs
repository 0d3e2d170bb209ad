//! What is to become of a sale that is fenced, or gone from Redis. Pure: what is known stands in the arguments.

use flash_vault::{EPOCHS_APART_SEQS, Life, SkuSold};
use flash_wire::{NextEpoch, SaleStatus, SkuStatus};

use super::limits::CREATION_GRACE_S;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: it sells, or nobody knows it.
    Done,
    /// Look again soon: events are on their way to PostgreSQL.
    Wait,
    /// It keeps no journal, so nobody but Redis knows of it: it goes on as it is.
    Unfence,
    /// It is whole: seal its epoch, and let it go on in the next one.
    Seal,
    /// It is whole, and its epoch was sealed already: let it go on in this one.
    GoOn(NextEpoch),
    /// Redis is behind, or has forgotten it: rebuild it from PostgreSQL.
    Rebuild,
}

/// What is known of a sale, at a time when everything that was queued before it was fenced is in PostgreSQL.
#[derive(Debug)]
pub(crate) struct Known<'a> {
    /// In Redis.
    pub(crate) status: Option<&'a SaleStatus<'a>>,
    /// In PostgreSQL, with where the epoch was sealed that it has in Redis.
    pub(crate) life: Option<&'a Life>,
    /// In PostgreSQL.
    pub(crate) sold: &'a [SkuSold],
    /// PostgreSQL has refused what Redis counts as sold.
    pub(crate) has_rejections: bool,
}

impl Known<'_> {
    /// The order of these questions matters: what is still on its way comes before what differs.
    pub(crate) fn verdict(&self) -> Verdict {
        let Some(status) = self.status else { return self.forgotten() };
        if status.phase != "fenced" {
            return Verdict::Done;
        }
        if status.journal_events_max.is_none() {
            return Verdict::Unfence;
        }
        let Some(life) = self.life else { return Verdict::Wait };
        let head = life.head.unwrap_or(0);
        if status.epoch > life.epoch || status.epoch == life.epoch && head < status.seq {
            return Verdict::Wait;
        }
        if self.has_rejections {
            return Verdict::Rebuild;
        }
        if status.epoch == life.epoch {
            return if head == status.seq && self.units_agree(status) { Verdict::Seal } else { Verdict::Rebuild };
        }
        let next = NextEpoch { epoch: life.epoch, after: head };
        let was_sealed_here = life.sealed_at == Some(status.seq) && head == status.seq + EPOCHS_APART_SEQS;
        if was_sealed_here { Verdict::GoOn(next) } else { Verdict::Rebuild }
    }

    /// Redis does not have the sale.
    const fn forgotten(&self) -> Verdict {
        match self.life {
            None => Verdict::Done,
            Some(Life { head: None | Some(0), age_s, .. }) if *age_s < CREATION_GRACE_S => Verdict::Wait,
            Some(_) => Verdict::Rebuild,
        }
    }

    /// At the same event both count the same units. If not, a rebuilding was not finished, or someone has changed rows.
    fn units_agree(&self, status: &SaleStatus) -> bool {
        let agree = |(sku, sold): (&SkuStatus, &SkuSold)| {
            sku.name == sold.sku && sku.total == sold.total && sku.held + sku.confirmed == sold.sold
        };
        status.skus.len() == self.sold.len() && status.skus.iter().zip(self.sold).all(agree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(epoch: u64, seq: u64) -> SaleStatus<'static> {
        let sku = SkuStatus { name: "s".into(), total: 10, available: 6, held: 1, confirmed: 3 };
        SaleStatus {
            epoch,
            seq,
            acked: seq,
            phase: "fenced".into(),
            limit: 1,
            hold_ms: None,
            opens_at_ms: None,
            closes_at_ms: None,
            journal_events: 0,
            journal_events_max: Some(10),
            relay: None,
            lease_until_ms: None,
            is_closed: false,
            term: 0,
            instance: 1,
            reservations: 0,
            digest: 0,
            skus: vec![sku],
        }
    }

    const fn life(epoch: u64, head: Option<u64>) -> Life {
        Life { epoch, head, sealed_at: None, is_closed: false, age_s: 1_000 }
    }

    fn check(status: Option<SaleStatus>, life: Option<Life>, want: Verdict) {
        check_sold(status, life, 4, false, want);
    }

    fn check_sold(status: Option<SaleStatus>, life: Option<Life>, sold: u64, has_rejections: bool, want: Verdict) {
        let sold = [SkuSold { sku: "s".to_owned(), total: 10, sold }];
        let known = Known { status: status.as_ref(), life: life.as_ref(), sold: &sold, has_rejections };
        assert_eq!(known.verdict(), want, "{known:?}");
    }

    #[test]
    fn a_sale_that_sells_or_that_nobody_knows_is_left_alone() {
        check(Some(SaleStatus { phase: "open".into(), ..status(1, 5) }), Some(life(1, Some(5))), Verdict::Done);
        check(None, None, Verdict::Done);
        check(Some(SaleStatus { journal_events_max: None, ..status(1, 5) }), None, Verdict::Unfence);
    }

    #[test]
    fn events_on_their_way_are_waited_for() {
        check(Some(status(1, 5)), None, Verdict::Wait);
        check(Some(status(1, 5)), Some(life(1, None)), Verdict::Wait);
        check(Some(status(1, 5)), Some(life(1, Some(4))), Verdict::Wait);
        check(Some(status(2, 5)), Some(life(1, Some(9))), Verdict::Wait);
        check_sold(Some(status(1, 5)), Some(life(1, Some(4))), 9, true, Verdict::Wait);
    }

    #[test]
    fn a_whole_sale_goes_on_in_the_next_epoch() {
        check(Some(status(1, 5)), Some(life(1, Some(5))), Verdict::Seal);
        let after = 5 + EPOCHS_APART_SEQS;
        let sealed = Life { sealed_at: Some(5), ..life(2, Some(after)) };
        check(Some(status(1, 5)), Some(sealed), Verdict::GoOn(NextEpoch { epoch: 2, after }));
    }

    #[test]
    fn a_sale_that_is_not_whole_is_rebuilt() {
        check(Some(status(1, 5)), Some(life(1, Some(6))), Verdict::Rebuild);
        check_sold(Some(status(1, 5)), Some(life(1, Some(5))), 3, false, Verdict::Rebuild);
        check_sold(Some(status(1, 5)), Some(life(1, Some(5))), 4, true, Verdict::Rebuild);
        let elsewhere = Life { sealed_at: Some(4), ..life(2, Some(5 + EPOCHS_APART_SEQS)) };
        check(Some(status(1, 5)), Some(elsewhere), Verdict::Rebuild);
        let sold_since = Life { sealed_at: Some(5), ..life(2, Some(6 + EPOCHS_APART_SEQS)) };
        check(Some(status(1, 5)), Some(sold_since), Verdict::Rebuild);
    }

    #[test]
    fn a_forgotten_sale_is_rebuilt_unless_it_is_being_created() {
        check(None, Some(life(1, Some(5))), Verdict::Rebuild);
        check(None, Some(life(1, None)), Verdict::Rebuild);
        check(None, Some(Life { age_s: CREATION_GRACE_S - 1, ..life(1, None) }), Verdict::Wait);
        check(None, Some(Life { age_s: CREATION_GRACE_S - 1, ..life(1, Some(1)) }), Verdict::Rebuild);
    }
}
