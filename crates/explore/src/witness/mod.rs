//! What the world has been answered, and what therefore must be. It sees everything and touches nothing.

mod end;

use flash_sale::State;

use crate::model::{Buyer, Change, Event, Expected};
use crate::postgres::{Order, Postgres, Rejection, Why};
use crate::redis::Redis;
use crate::remains::Remains;

/// A promise that was broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Broken {
    /// More units are sold in PostgreSQL than ever were on sale, or it counts other units than its orders have.
    Oversold,
    /// The sale has a total that no operator gave it.
    Total,
    /// One id was given to two buyers.
    IdShared,
    /// A buyer has more orders than the limit allows.
    LimitExceeded,
    /// A reservation that was answered, and of which nothing was lost, was rejected.
    Rejected,
    /// A reservation is an order and a rejection.
    OrderAndRejection,
    /// A sale opened with something else than PostgreSQL has.
    OpenedUnequal,
    /// A sale opened, or is open, in an epoch that is over, and no term says so.
    OpenInOldEpoch,
    /// What was acknowledged to the broker is not in PostgreSQL.
    AcknowledgedWithoutCommit,
    /// After all faults are over: the sale does not sell, or its journal does not drain.
    NotHealed,
    /// After all faults are over: Redis and PostgreSQL differ.
    Drift,
    /// After all faults are over: an answered reservation is neither an order nor a rejection.
    Lost,
    /// After all faults are over: what an operator's answer said is not so.
    OperatorUndone,
    /// After all faults are over: an event waits in an epoch that is sealed.
    EarlyInSealedEpoch,
}

/// A reservation that a buyer's answer contained, or an end of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Fact {
    /// The event that made it, and the one that ended it, if one did: by epoch and seq.
    made: (u64, u64),
    event: (u64, u64),
    id: u64,
    buyer: Buyer,
    /// How the buyer last heard that it ended; none: the buyer still has it, by the last answer.
    end: Option<State>,
    /// A server lost it, within what the durability of the answer states.
    is_excused: bool,
}

/// A reservation that Redis made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Made {
    id: u64,
    epoch: u64,
    buyer: Buyer,
    /// In a life that someone made by hand.
    by_hand: bool,
    /// After how many losses.
    losses: u32,
    /// The buyer got the answer: the promises about this reservation hold from now on.
    is_told: bool,
    /// A server lost it before, and no other had it yet: whatever a process still had in hand.
    is_lost: bool,
    /// PostgreSQL went back to before its epoch began, and Redis lost it as well: nothing is left that could say that
    /// its id is taken.
    is_forgotten: bool,
}

/// The end of a reservation that Redis made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Ended {
    event: (u64, u64),
    id: u64,
    state: State,
    /// As for what was made.
    is_told: bool,
    is_lost: bool,
}

/// Everything that was made and told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Witness {
    made: Vec<Made>,
    /// Ends that Redis made.
    ends: Vec<Ended>,
    /// Changes of the total that Redis made.
    restocks: Vec<(u64, u64)>,
    /// How often a server has lost something.
    losses: u32,
    /// The number of the loss after which someone warmed the sale by hand.
    by_hand_at: u32,
    facts: Vec<Fact>,
    totals: Vec<u64>,
    /// The operator's newest total, and the event that set it.
    total_word: Option<((u64, u64), u64)>,
    /// Whether the operator has closed the sale, and the event that did.
    closed_word: Option<((u64, u64), bool)>,
    /// Rejections that were looked at.
    rejections: usize,
    pub(crate) is_by_hand: bool,
    /// PostgreSQL went back once.
    pub(crate) went_back: bool,
    /// What each seal gave: the term, the epoch that it began, and the state to open that with.
    seals: Vec<(u64, u64, Expected)>,
    /// Epochs that were sealed before PostgreSQL went back, and are not any more.
    pub(crate) forgotten_seals: Vec<u64>,
    /// Epochs that were begun before PostgreSQL went back, and are not any more.
    pub(crate) forgotten_begins: Vec<u64>,
}

impl Witness {
    pub(crate) fn new(total: u64) -> Self {
        Self { totals: vec![total], ..Self::default() }
    }

    /// Redis made an event.
    pub(crate) fn made(&mut self, event: &Event) -> Result<(), Broken> {
        let by_hand = self.is_by_hand;
        match event.change {
            Change::Reserved { buyer, .. } => {
                let id = event.seq;
                let is_other =
                    |made: &Made| made.id == id && made.buyer != buyer && !made.by_hand && !made.is_forgotten;
                let is_shared = !by_hand && self.made.iter().any(is_other);
                let (epoch, losses) = (event.epoch, self.losses);
                let (is_told, is_lost, is_forgotten) = (false, false, false);
                self.made.push(Made { id, epoch, buyer, by_hand, losses, is_told, is_lost, is_forgotten });
                if is_shared {
                    return Err(Broken::IdShared);
                }
            }
            Change::Confirmed { id } => self.ended(event, id, State::Confirmed),
            Change::Released { id } => self.ended(event, id, State::Released),
            Change::Expired { ids } => ids.as_slice().iter().for_each(|id| self.ended(event, *id, State::Expired)),
            Change::Restocked { .. } => self.restocks.push((event.epoch, event.seq)),
            Change::Warmed | Change::Opened | Change::Closed => {}
        }
        Ok(())
    }

    fn ended(&mut self, event: &Event, id: u64, state: State) {
        let event = (event.epoch, event.seq);
        self.ends.push(Ended { event, id, state, is_told: false, is_lost: false });
    }

    /// An operator's change was made.
    pub(crate) fn changed(&mut self, event: &Event, redis: &Redis) {
        let Some(key) = &redis.key else { return };
        let content = key.content();
        if !self.totals.contains(&content.total) {
            self.totals.push(content.total);
        }
        let event_at = (event.epoch, event.seq);
        if self.is_by_hand {
            (self.total_word, self.closed_word) = (None, None);
        } else if matches!(event.change, Change::Restocked { .. }) {
            self.total_word = Some((event_at, content.total));
        } else {
            self.closed_word = Some((event_at, content.is_closed));
        }
    }

    /// A buyer got a reservation.
    pub(crate) fn told_reserved(&mut self, id: u64, buyer: Buyer, state: Option<State>) {
        let by_hand_at = self.by_hand_at;
        let made = self.made.iter_mut().rev().find(|made| (made.id, made.buyer) == (id, buyer));
        let (epoch, is_excused) = made.map_or((0, true), |made| {
            made.is_told = true;
            (made.epoch, made.by_hand || made.losses < by_hand_at || made.is_lost)
        });
        let end = state.filter(|state| !state.is_active());
        match self.facts.iter_mut().find(|fact| (fact.id, fact.buyer) == (id, buyer)) {
            Some(fact) => fact.end = end.or(fact.end),
            None => {
                let event = (epoch, id);
                self.facts.push(Fact { made: event, event, id, buyer, end, is_excused });
            }
        }
        if let Some(end) = end {
            self.told_ended(id, end);
        }
    }

    /// A buyer learnt of its end. It is known by the event that made it.
    pub(crate) fn told_ended(&mut self, id: u64, state: State) {
        let Some(end) = self.ends.iter_mut().rev().find(|end| (end.id, end.state) == (id, state)) else { return };
        end.is_told = true;
        if let Some(fact) = self.facts.iter_mut().find(|fact| fact.id == id) {
            (fact.end, fact.event) = (Some(state), end.event);
            fact.is_excused |= end.is_lost;
        }
    }

    /// A server has lost something: what is nowhere any more was lost with it.
    pub(crate) fn lost(&mut self, remains: &Remains, is_redis: bool) {
        self.losses += 1;
        if remains.is_by_hand {
            // Its events have the numbers of events that were lost with the key: no one can tell the two apart.
            self.facts.iter_mut().for_each(|fact| fact.is_excused = true);
            (self.total_word, self.closed_word) = (None, None);
            self.by_hand_at = self.losses;
        }
        for fact in self.facts.iter_mut().filter(|fact| !fact.is_excused) {
            fact.is_excused = !remains.has(fact.made) && !remains.has_reservation(fact.id, fact.end)
                || !remains.has_either(fact.event, fact.id, fact.end);
        }
        // Whether it was lost shows now, not when the buyer hears of it: a relay may publish it until then.
        for made in self.made.iter_mut().filter(|made| !made.is_told && !made.is_lost) {
            made.is_lost = !remains.has_either((made.epoch, made.id), made.id, None);
        }
        for end in self.ends.iter_mut().filter(|end| !end.is_told && !end.is_lost) {
            end.is_lost = !remains.has_either(end.event, end.id, Some(end.state));
        }
        for made in self.made.iter_mut().filter(|made| self.forgotten_begins.contains(&made.epoch)) {
            made.is_forgotten |= !remains.has_either((made.epoch, made.id), made.id, None);
        }
        let is_left = |event: (u64, u64), is_so: &dyn Fn(&Expected) -> bool| {
            remains.has(event) || !is_redis && remains.is_so(event.0, is_so)
        };
        self.total_word = self.total_word.filter(|(event, total)| is_left(*event, &|now| now.total == *total));
        self.closed_word = self.closed_word.filter(|(event, closed)| is_left(*event, &|now| now.is_closed == *closed));
    }

    /// PostgreSQL sealed an epoch and began the next one.
    pub(crate) fn sealed(&mut self, term: u64, epoch: u64, expected: Expected) {
        self.seals.push((term, epoch, expected));
    }

    /// PostgreSQL goes back.
    pub(crate) fn forgotten(&mut self, now: &Postgres, then: &Postgres) {
        self.went_back = true;
        for row in &now.epochs {
            if row.sealed_at.is_some() && !then.is_sealed(row.epoch) {
                self.forgotten_seals.push(row.epoch);
            }
            if then.newest < row.epoch {
                self.forgotten_begins.push(row.epoch);
            }
        }
    }

    /// A later life took the place of one in Redis. If PostgreSQL went back to before the seal that it comes from, no
    /// server has any more what the earlier life had alone: the life that PostgreSQL was restored from is gone.
    pub(crate) fn warmed(&mut self, epoch: u64, remains: &Remains) {
        if self.forgotten_begins.contains(&epoch) && remains.postgres.epoch(epoch).is_none() {
            self.lost(remains, true);
        }
    }

    /// What must hold at any time in Redis.
    pub(crate) fn check_redis(
        &self,
        redis: &Redis,
        postgres: &Postgres,
        opened: bool,
        terms: bool,
    ) -> Result<(), Broken> {
        let Some(key) = &redis.key else { return Ok(()) };
        if key.sale().units().first().is_some_and(|units| !self.totals.contains(&units.total)) {
            return Err(Broken::Total);
        }
        if key.is_fenced() {
            return Ok(());
        }
        let is_in_doubt = terms && key.term() < postgres.term;
        if key.epoch() < postgres.newest && !is_in_doubt {
            return Err(Broken::OpenInOldEpoch);
        }
        let is_this = |(term, epoch, expected): &(u64, u64, Expected)| {
            (!terms || *term == key.term()) && *epoch == key.epoch() && *expected == key.content()
        };
        if opened && !self.seals.iter().any(is_this) {
            return Err(Broken::OpenedUnequal);
        }
        // A seal that PostgreSQL has forgotten says nothing about what it has now.
        let is_known = !self.forgotten_begins.contains(&key.epoch());
        if opened && !is_in_doubt && is_known && key.epoch() == postgres.newest && key.content() != postgres.content() {
            return Err(Broken::OpenedUnequal);
        }
        Ok(())
    }

    /// What must hold at any time in PostgreSQL.
    pub(crate) fn check_postgres(&mut self, postgres: &Postgres, limit: u32) -> Result<(), Broken> {
        let active = || postgres.orders.iter().filter(|order| order.state.is_active());
        let most = self.totals.iter().copied().max().unwrap_or(0);
        if postgres.sold != active().count() as u64 || postgres.sold > postgres.total || postgres.sold > most {
            return Err(Broken::Oversold);
        }
        if !self.totals.contains(&postgres.total) {
            return Err(Broken::Total);
        }
        let mut of_buyer = [0u32; 8];
        for order in active() {
            of_buyer[usize::from(order.buyer)] += 1;
            if of_buyer[usize::from(order.buyer)] > limit {
                return Err(Broken::LimitExceeded);
            }
        }
        let seen = self.rejections.min(postgres.rejections.len());
        self.rejections = postgres.rejections.len();
        for rejection in &postgres.rejections[seen..] {
            let order = postgres.order(rejection.id).filter(|order| order.buyer == rejection.buyer);
            if order.is_some_and(|order| order.state.is_active()) && rejection.why != Why::NotRestored {
                return Err(Broken::OrderAndRejection);
            }
            let mut facts = self.facts.iter().filter(|fact| fact.id == rejection.id && fact.buyer == rejection.buyer);
            let is_over = self.ends.iter().any(|end| end.id == rejection.id && !end.state.is_active());
            // What lay in the quarantine at the seal is refused when it is replayed, and the answer says so.
            let was_aside = rejection.why == Why::Late && postgres.is_aside((rejection.epoch, rejection.id), |_| true);
            let has_no_room =
                self.has_lost_room(rejection, postgres) || self.has_order_in_forgotten_seal(rejection, postgres);
            if !is_over
                && !was_aside
                && !has_no_room
                && facts.any(|fact| !fact.is_excused && fact.end.is_none_or(State::is_active))
            {
                return Err(Broken::Rejected);
            }
        }
        Ok(())
    }

    /// Whether a gap holds what made room for this one, the end of a reservation or a new total: it was lost, so the
    /// room is not there.
    fn has_lost_room(&self, rejection: &Rejection, postgres: &Postgres) -> bool {
        let Some(epoch) = postgres.epoch(rejection.epoch) else { return false };
        let is_lost = |&(of, seq): &(u64, u64)| of == rejection.epoch && seq < rejection.id && epoch.is_lost(seq);
        let mut ends = self.ends.iter().filter(|end| !end.state.is_active()).map(|end| end.event);
        match rejection.why {
            Why::Oversold => ends.chain(self.restocks.iter().copied()).any(|event| is_lost(&event)),
            Why::SecondOrder => ends.any(|event| is_lost(&event)),
            Why::IdTaken | Why::Late | Why::NotRestored => false,
        }
    }

    /// Whether an event that came late for a seal became an order, since PostgreSQL had forgotten the seal, and the
    /// next life had sold its unit, or to its buyer, by then.
    fn has_order_in_forgotten_seal(&self, rejection: &Rejection, postgres: &Postgres) -> bool {
        let is_late = |order: &&Order| {
            self.forgotten_seals.contains(&order.epoch) && order.epoch < rejection.epoch && order.state.is_active()
        };
        let mut late = postgres.orders.iter().filter(is_late);
        let is_sold_out = postgres.sold >= postgres.total;
        match rejection.why {
            Why::Oversold => late.next().is_some(),
            Why::SecondOrder => late.any(|order| order.buyer == rejection.buyer),
            Why::NotRestored => late.any(|order| is_sold_out || order.buyer == rejection.buyer),
            Why::IdTaken | Why::Late => false,
        }
    }
}
