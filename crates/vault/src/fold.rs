//! Folds a run of events into the rows that it leaves behind. Pure: no database here.

use std::collections::{BTreeMap, HashMap, HashSet};

use flash_wire::State;
use flash_wire::message::{MessageChange, MessageReserved, MessageTerms};

use crate::step::Step;

/// What a run of events changes, each row once.
#[derive(Debug, Default)]
pub(crate) struct Changes<'a> {
    /// Sales that came to be, and in which epoch.
    pub(crate) opened: Vec<(&'a str, u64, &'a MessageTerms)>,
    /// Orders made in the run, as they stand at its end.
    pub(crate) made: Vec<MadeOrder<'a>>,
    /// Ends of orders that were there before.
    pub(crate) ended: Vec<Ended<'a>>,
    /// What becomes of SKUs, by sale and name. A SKU that the run names is here even if nothing changes it.
    pub(crate) skus: BTreeMap<(&'a str, &'a str), SkuChange>,
    /// Sales that an operator closed or opened, and which of the two it was last.
    pub(crate) closed: BTreeMap<&'a str, bool>,
}

/// What becomes of a SKU.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct SkuChange {
    /// Units that the orders made in the run still have at its end.
    pub(crate) units: i64,
    /// Units on sale from now on, if the run changes that.
    pub(crate) total: Option<u64>,
}

/// An order made in the run.
#[derive(Debug)]
pub(crate) struct MadeOrder<'a> {
    pub(crate) step: Step<'a>,
    pub(crate) reserved: &'a MessageReserved<'a>,
    pub(crate) state: State,
    pub(crate) ended_at_ms: Option<u64>,
}

/// The end of an order that was there before.
#[derive(Debug)]
pub(crate) struct Ended<'a> {
    pub(crate) step: Step<'a>,
    pub(crate) id: u64,
    pub(crate) state: State,
}

/// Folds events that follow each other, sale by sale. The first end of an order counts.
pub(crate) fn fold<'a>(steps: &[Step<'a>]) -> Changes<'a> {
    let mut fold = Fold::default();
    for step in steps {
        match &step.event.change {
            MessageChange::Warmed(terms) => fold.changes.opened.push((step.sale, step.epoch, terms)),
            MessageChange::Reserved(reserved) => fold.reserved(*step, reserved),
            MessageChange::Confirmed { id } => fold.ended(*step, *id, State::Confirmed),
            MessageChange::Released { id } => fold.ended(*step, *id, State::Released),
            MessageChange::Expired { ids } => ids.iter().for_each(|id| fold.ended(*step, *id, State::Expired)),
            MessageChange::Restocked(sku) => fold.sku(step.sale, &sku.sku).total = Some(sku.total),
            MessageChange::Opened => drop(fold.changes.closed.insert(step.sale, false)),
            MessageChange::Closed => drop(fold.changes.closed.insert(step.sale, true)),
        }
    }
    fold.changes
}

#[derive(Default)]
struct Fold<'a> {
    changes: Changes<'a>,
    /// The place among them of an order made in the run.
    place: HashMap<(&'a str, u64), usize>,
    ended: HashSet<(&'a str, u64)>,
}

impl<'a> Fold<'a> {
    fn reserved(&mut self, step: Step<'a>, reserved: &'a MessageReserved<'a>) {
        let state = if reserved.expires_at_ms.is_some() { State::Held } else { State::Confirmed };
        self.place.insert((step.sale, step.event.seq), self.changes.made.len());
        self.changes.made.push(MadeOrder { step, reserved, state, ended_at_ms: None });
        self.add_units(step.sale, reserved, 1);
    }

    fn ended(&mut self, step: Step<'a>, id: u64, state: State) {
        let Some(&place) = self.place.get(&(step.sale, id)) else {
            if self.ended.insert((step.sale, id)) {
                self.changes.ended.push(Ended { step, id, state });
            }
            return;
        };
        let made = &mut self.changes.made[place];
        if made.state != State::Held {
            return;
        }
        made.state = state;
        made.ended_at_ms = Some(step.event.at_ms);
        if !state.is_active() {
            let reserved = made.reserved;
            self.add_units(step.sale, reserved, -1);
        }
    }

    fn add_units(&mut self, sale: &'a str, reserved: &'a MessageReserved<'a>, sign: i64) {
        for item in &reserved.items {
            self.sku(sale, &item.sku).units += sign * i64::from(item.quantity);
        }
    }

    fn sku(&mut self, sale: &'a str, sku: &'a str) -> &mut SkuChange {
        self.changes.skus.entry((sale, sku)).or_default()
    }
}

#[cfg(test)]
mod tests {
    use flash_wire::message::{MessageEvent, MessageItem, MessageSku};

    use super::*;

    fn reserved(buyer: &'static str, quantity: u32, hold: bool) -> MessageChange<'static> {
        MessageChange::Reserved(MessageReserved {
            buyer: buyer.into(),
            items: vec![MessageItem { sku: "a".into(), quantity }, MessageItem { sku: "b".into(), quantity: 1 }],
            expires_at_ms: hold.then_some(99),
            ..MessageReserved::default()
        })
    }

    /// Folds `changes` as events 11, 12, … and compares orders made, ends of older ones, and units of SKU a.
    fn check(
        changes: Vec<MessageChange<'static>>,
        made: &[(u64, State, Option<u64>)],
        ended: &[(u64, State)],
        units: Option<i64>,
    ) {
        let events: Vec<_> =
            (11..).zip(changes).map(|(seq, change)| MessageEvent { seq, at_ms: seq * 100, change }).collect();
        let steps: Vec<_> =
            events.iter().map(|event| Step { sale: "drop", epoch: 1, published_at_ms: None, event }).collect();
        let got = fold(&steps);
        let got_made: Vec<_> =
            got.made.iter().map(|made| (made.step.event.seq, made.state, made.ended_at_ms)).collect();
        let got_ended: Vec<_> = got.ended.iter().map(|ended| (ended.id, ended.state)).collect();
        assert_eq!(got_made, made);
        assert_eq!(got_ended, ended);
        assert_eq!(got.skus.get(&("drop", "a")).map(|sku| sku.units), units);
    }

    #[test]
    fn an_order_made_in_the_run_is_written_as_it_ends_up() {
        use MessageChange::{Confirmed, Expired, Released};
        use State::{Confirmed as C, Expired as E, Held as H, Released as R};
        check(vec![reserved("ada", 2, true)], &[(11, H, None)], &[], Some(2));
        check(vec![reserved("ada", 2, false)], &[(11, C, None)], &[], Some(2));
        check(vec![reserved("ada", 2, true), Confirmed { id: 11 }], &[(11, C, Some(1200))], &[], Some(2));
        check(vec![reserved("ada", 2, true), Released { id: 11 }], &[(11, R, Some(1200))], &[], Some(0));
        check(vec![reserved("ada", 2, true), Expired { ids: vec![11] }], &[(11, E, Some(1200))], &[], Some(0));
    }

    #[test]
    fn the_first_end_counts() {
        use MessageChange::{Confirmed, Released};
        let ends = || vec![Confirmed { id: 11 }, Released { id: 11 }];
        check([vec![reserved("ada", 2, true)], ends()].concat(), &[(11, State::Confirmed, Some(1200))], &[], Some(2));
        check(vec![Released { id: 5 }, Confirmed { id: 5 }], &[], &[(5, State::Released)], None);
        check(vec![reserved("ada", 2, false), Released { id: 11 }], &[(11, State::Confirmed, None)], &[], Some(2));
    }

    #[test]
    fn ends_of_older_orders_are_apart() {
        use MessageChange::{Confirmed, Expired};
        let changes = vec![Confirmed { id: 3 }, reserved("ada", 1, true), Expired { ids: vec![4, 11] }];
        let made = [(11 + 1, State::Held, None)];
        check(changes, &made, &[(3, State::Confirmed), (4, State::Expired), (11, State::Expired)], Some(1));
    }

    #[test]
    fn an_operator_s_last_word_counts() {
        let total = |total| MessageChange::Restocked(MessageSku { sku: "a".to_owned(), total });
        let changes = [total(9), reserved("ada", 2, true), total(7), MessageChange::Closed, MessageChange::Opened];
        let events = changes.map(|change| MessageEvent { seq: 11, at_ms: 1, change });
        let steps: Vec<_> =
            events.iter().map(|event| Step { sale: "drop", epoch: 1, published_at_ms: None, event }).collect();
        let got = fold(&steps);
        assert_eq!(got.skus[&("drop", "a")], SkuChange { units: 2, total: Some(7) });
        assert_eq!(got.skus[&("drop", "b")], SkuChange { units: 1, total: None });
        assert_eq!(got.closed, BTreeMap::from([("drop", false)]));
    }

    #[test]
    fn sales_do_not_mix() {
        let (a, b) = (reserved("ada", 1, true), MessageChange::Released { id: 11 });
        let events = [a, b].map(|change| MessageEvent { seq: 11, at_ms: 1, change });
        let step = |(sale, event)| Step { sale, epoch: 1, published_at_ms: None, event };
        let steps = [("one", &events[0]), ("two", &events[1])].map(step);
        let got = fold(&steps);
        assert_eq!((got.made[0].state, got.ended.len()), (State::Held, 1));
    }
}
