//! The model of PostgreSQL beside the real vault: random histories, and the rows that they leave in the model.

use flash_sale::State;

use crate::message::{Item, RedisState, Sealed, Seen, Wanted};
use crate::model::{Active, BUYERS, Change, EPOCHS_APART_SEQS, Event, Ids};
use crate::postgres::{Claim, Order, Postgres, Why};
use crate::random::Random;
use crate::rules::Rules;

/// Units on sale at first.
pub const TOTAL: u64 = 3;
/// The only barrier that PostgreSQL has.
const BARRIER: u64 = 1;

/// One event, for a vault to write.
#[derive(Debug, Clone)]
pub struct Written {
    /// Its epoch.
    pub epoch: u64,
    /// Its number.
    pub seq: u64,
    /// What happened.
    pub what: What,
}

/// What happened, in the words of the broker's messages.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are those of the messages")]
pub enum What {
    Warmed,
    Reserved { buyer: &'static str, slot: u8, is_hold: bool, is_bad: bool },
    Confirmed { id: u64 },
    Released { id: u64 },
    Expired { ids: Vec<u64> },
    Restocked { total: u64 },
    Opened,
    Closed,
}

/// How far an epoch must be written to be sealed.
#[derive(Debug, Clone, Copy)]
pub enum Until {
    /// To this number and no further.
    Exactly(u64),
    /// As far as it is.
    Anywhere {
        /// Redis' epoch.
        epoch: u64,
        /// The newest number that Redis has.
        seq: u64,
        /// How far PostgreSQL's epoch was written.
        head: u64,
    },
}

/// An active reservation in Redis.
#[derive(Debug, Clone)]
#[allow(missing_docs, reason = "the names are those of the messages")]
pub struct Kept {
    pub id: u64,
    pub buyer: &'static str,
    pub slot: u8,
    pub is_confirmed: bool,
    pub is_hold: bool,
}

/// One operation of the vault.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Messages, each of consecutive events of one epoch.
    Write(Vec<Vec<Written>>),
    /// A new attempt. Its term is drawn: [`History::taken`] must get it.
    Take,
    /// A seal by the newest attempt, or by the one before it.
    Seal {
        /// Whether the attempt is the newest.
        is_newest: bool,
        /// Whether PostgreSQL has the barrier.
        has_barrier: bool,
        /// Which epoch.
        epoch: u64,
        /// How far it must be written.
        until: Until,
    },
    /// The orders become what Redis has.
    Restore {
        /// Whether the attempt is the newest.
        is_newest: bool,
        /// Whether PostgreSQL has the barrier.
        has_barrier: bool,
        /// Redis' epoch.
        epoch: u64,
        /// Redis' newest number.
        seq: u64,
        /// What PostgreSQL has said that it has.
        acked: u64,
        /// Units on sale.
        total: u64,
        /// Whether an operator has stopped the sale.
        is_closed: bool,
        /// Active reservations, by id.
        active: Vec<Kept>,
    },
    /// A row of the quarantine is written after all: it can be written by now.
    Replay {
        /// The event, readable by now.
        event: Written,
        /// The reservation's state in Redis; none: Redis does not know it.
        known: Option<&'static str>,
    },
}

/// A random history. The model carries each operation out as it is made.
#[derive(Debug)]
pub struct History {
    random: Random,
    model: Postgres,
    /// Events of each epoch that exist, in order.
    made: Vec<Vec<Event>>,
    terms: [u64; 2],
}

impl History {
    /// The history of a seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let warmed = Event { epoch: 1, seq: 1, change: Change::Warmed };
        Self {
            random: Random::new(seed),
            model: Postgres { folds: true, ..Postgres::new(TOTAL) },
            made: vec![vec![warmed]],
            terms: [0, 0],
        }
    }

    /// The sale's first event is written.
    pub fn begin(&mut self) {
        let warmed = Item::Events(self.made[0].clone());
        self.model.write(&[warmed, Item::Barrier(BARRIER)], &Rules::ALL);
    }

    /// The next operation.
    pub fn advance(&mut self) -> Operation {
        match self.random.below(12) {
            0 => Operation::Take,
            1 if self.terms[1] > 0 => self.seal(),
            2 if self.terms[1] > 0 && self.random.below(2) == 0 => self.restore(),
            3 => self.replay().unwrap_or_else(|| self.write()),
            _ => self.write(),
        }
    }

    /// The term of the attempt that has just begun.
    pub const fn taken(&mut self, term: u64) {
        self.terms = [self.terms[1], term];
        self.model.term = term;
    }

    /// Whether it is the newest, and PostgreSQL has its barrier.
    fn attempt(&mut self) -> (bool, bool, Claim) {
        let (is_newest, has_barrier) = (self.random.below(8) > 0, self.random.below(8) > 0);
        let term = if is_newest { self.terms[1] } else { self.terms[0] };
        (is_newest, has_barrier, Claim { term, barrier: if has_barrier { BARRIER } else { BARRIER + 1 } })
    }

    fn seal(&mut self) -> Operation {
        let (is_newest, has_barrier, claim) = self.attempt();
        let older = self.model.epochs.iter().rev().find(|row| row.epoch < self.model.newest);
        let epoch = older.filter(|_| self.random.below(6) == 0).map_or(self.model.newest, |row| row.epoch);
        let head = self.model.epoch(epoch).map_or(0, |row| row.head);
        let until = if self.random.below(2) == 0 {
            Until::Exactly(head)
        } else {
            let known = (epoch + self.random.below(6) / 5).saturating_sub(self.random.below(6) / 5);
            let was = (head + self.random.below(8) / 7).saturating_sub(self.random.below(3));
            Until::Anywhere { epoch: known, seq: head + self.random.below(4), head: was }
        };
        let wanted = match until {
            Until::Exactly(seq) => Wanted::Exactly(seq),
            Until::Anywhere { epoch, seq, head } => Wanted::Anywhere(Seen { epoch, seq, head }),
        };
        let sealed = self.model.seal(claim, epoch, wanted, &Rules::ALL);
        self.begun(&sealed);
        Operation::Seal { is_newest, has_barrier, epoch, until }
    }

    fn begun(&mut self, sealed: &Sealed) {
        if let Sealed::Next { next, .. } = sealed {
            // Both servers may have forgotten a life that began after the same one, with a number of its own.
            match self.random.below(6) {
                0 => self.forgotten(next.epoch - 1),
                1 => self.forgotten(next.epoch + 1),
                _ => {}
            }
            self.made.push(vec![Event { epoch: next.epoch, seq: next.after + 1, change: Change::Warmed }]);
        }
    }

    /// Events of a life that PostgreSQL has forgotten as a whole are still to come.
    fn forgotten(&mut self, epoch: u64) {
        let seq = self.made.last().and_then(|made| made.last()).map_or(0, |last| last.seq) + EPOCHS_APART_SEQS + 1;
        let buyer = self.random.small(4);
        let reserved = Change::Reserved { buyer, slot: 0, expires_at_ms: Some(61_000), is_bad: false };
        let events = [Change::Warmed, reserved].into_iter().zip(seq..);
        self.made.push(events.map(|(change, seq)| Event { epoch, seq, change }).collect());
    }

    /// Redis has what PostgreSQL has, but for some of it, and some of what it made besides.
    fn restore(&mut self) -> Operation {
        let (is_newest, has_barrier, claim) = self.attempt();
        let epoch = self.model.newest + [0, 0, 0, 0, 1, 2][usize::from(self.random.small(6))];
        let head = self.model.epoch(epoch).map_or(0, |row| row.head);
        let seq = head.max(self.made.last().and_then(|made| made.last()).map_or(0, |last| last.seq));
        let acked = (head + self.random.below(3)).min(seq + 1);
        let mut active: Vec<Active> = Vec::new();
        let made = self.made.iter().flatten().filter_map(|event| match event.change {
            Change::Reserved { buyer, slot, expires_at_ms, .. } => {
                Some(Active { id: event.seq, buyer, slot, is_confirmed: false, expires_at_ms })
            }
            _ => None,
        });
        let orders = self.model.orders.iter().filter(|order| order.state.is_active()).map(Order::active);
        for one in orders.chain(made) {
            let is_known = active.iter().any(|other| other.id == one.id);
            let is_twice = active.iter().any(|other| (other.buyer, other.slot) == (one.buyer, one.slot));
            if is_known || is_twice || self.random.below(3) == 0 {
                continue;
            }
            let buyer = if self.random.below(12) == 0 { 3 - one.buyer.min(3) } else { one.buyer };
            let is_confirmed = one.is_confirmed || one.expires_at_ms.is_none() || self.random.below(3) == 0;
            active.push(Active { buyer, is_confirmed, ..one });
        }
        active.sort_unstable_by_key(|active| active.id);
        let (total, is_closed) = (1 + self.random.below(5), self.random.below(3) == 0);
        let kept = |one: &Active| Kept {
            id: one.id,
            buyer: BUYERS[usize::from(one.buyer)],
            slot: one.slot,
            is_confirmed: one.is_confirmed,
            is_hold: one.expires_at_ms.is_some(),
        };
        let operation = Operation::Restore {
            is_newest,
            has_barrier,
            epoch,
            seq,
            acked,
            total,
            is_closed,
            active: active.iter().map(kept).collect(),
        };
        let from = RedisState { epoch, seq, acked, total, is_closed, active };
        let newest = self.model.newest;
        let sealed = self.model.restore(claim, &from, &Rules::ALL);
        if matches!(sealed, Sealed::Next { .. }) && epoch == newest + 2 {
            self.forgotten(newest + 1);
        }
        self.begun(&sealed);
        operation
    }

    /// None: nothing waits.
    fn replay(&mut self) -> Option<Operation> {
        let rows = &self.model.quarantine;
        let waiting: Vec<usize> = (0..rows.len()).filter(|row| rows[*row].is_readable && !rows[*row].is_done).collect();
        let place = *waiting.get(usize::try_from(self.random.below(waiting.len().max(1) as u64)).unwrap_or(0))?;
        let [mut event] = self.model.quarantine[place].events[..] else { return None };
        if let Change::Reserved { is_bad, .. } = &mut event.change {
            *is_bad = false;
        }
        let states = [State::Held, State::Confirmed, State::Released, State::Expired];
        let known = states.get(usize::try_from(self.random.below(5)).unwrap_or(0)).copied();
        self.model.replay(place, known, &Rules::ALL);
        Some(Operation::Replay { event: written(&event), known: known.map(State::name) })
    }

    /// New events, and messages of any of those that there are: in any order, some twice, some never.
    fn write(&mut self) -> Operation {
        for _ in 0..self.random.below(4) {
            self.make();
        }
        let mut messages = Vec::new();
        for _ in 0..1 + self.random.below(3) {
            let place = self.made.len() - 1 - usize::from(self.made.len() > 1 && self.random.below(4) == 0);
            let made = &self.made[place];
            let first = usize::from(self.random.small(made.len()));
            let count = 1 + usize::from(self.random.small(made.len() - first));
            let part = made.iter().skip(first).take(count).copied();
            // What cannot be written is no readable event once it has waited for its turn: it comes in its turn here.
            let head = self.model.epoch(made[0].epoch).map_or(0, |row| row.head).max(made[0].seq - 1);
            let is_early = made[first].seq > head + 1;
            let is_bad = |event: &Event| matches!(event.change, Change::Reserved { is_bad: true, .. });
            let part: Vec<Event> = part.take_while(|event| !(is_early && is_bad(event))).collect();
            if part.is_empty() {
                continue;
            }
            messages.push(Item::Events(part));
        }
        self.model.write(&messages, &Rules::ALL);
        Operation::Write(messages.iter().map(|message| message.events().iter().map(written).collect()).collect())
    }

    fn make(&mut self) {
        let Some(made) = self.made.last_mut() else { return };
        let Some(last) = made.last().copied() else { return };
        let random = &mut self.random;
        let id = last.seq - random.below(6).min(last.seq - 1);
        let buyer = u8::try_from(random.below(4)).unwrap_or(0);
        let change = match random.below(12) {
            0..=5 => {
                let expires_at_ms = (random.below(3) > 0).then_some(61_000);
                let is_bad = random.below(12) == 0;
                Change::Reserved { buyer, slot: u8::from(random.below(4) == 0), expires_at_ms, is_bad }
            }
            6 | 7 => Change::Confirmed { id },
            8 => Change::Released { id },
            9 => Change::Expired { ids: Ids::of(&[id]) },
            10 => Change::Restocked { total: 1 + random.below(5) },
            _ if random.below(2) == 0 => Change::Closed,
            _ => Change::Opened,
        };
        made.push(Event { epoch: last.epoch, seq: last.seq + 1, change });
    }

    /// The rows, table by table, each as one line.
    #[must_use]
    pub fn rows(&self) -> Vec<String> {
        let model = &self.model;
        let mut rows =
            vec![format!("sale {} {}", model.newest, model.is_closed), format!("sku {} {}", model.total, model.sold)];
        for row in &model.epochs {
            let sealed_at = row.sealed_at.map_or("-".to_owned(), |at| at.to_string());
            rows.push(format!("epoch {} {} {sealed_at}", row.epoch, row.head));
            rows.extend(row.gaps.iter().map(|(first, last)| format!("gap {} {first} {last}", row.epoch)));
        }
        let buyer = |buyer: u8| BUYERS[usize::from(buyer)];
        rows.extend(model.orders.iter().map(|order| {
            format!("order {} {} {} {} {}", order.id, order.epoch, buyer(order.buyer), order.slot, order.state.name())
        }));
        rows.extend(model.rejections.iter().map(|row| {
            format!("rejection {} {} {} {} {}", row.epoch, row.id, buyer(row.buyer), reason(row.why), row.is_settled)
        }));
        rows.extend(model.early.iter().map(|early| format!("early {} {}", early.epoch, early.seq)));
        let aside = model.quarantine.iter().flat_map(|row| row.events.iter().map(move |event| (event, row)));
        rows.extend(aside.map(|(event, row)| match row.is_readable {
            true => format!("aside {} {} {}", event.epoch, event.seq, row.is_done),
            // What has no place in the sale's numbers has none in its row.
            false => format!("aside {}", row.is_done),
        }));
        rows.push(format!("content {} {}", model.content().reservations, model.content().digest));
        rows.sort_unstable();
        rows
    }
}

const fn reason(why: Why) -> &'static str {
    match why {
        Why::Oversold => "oversold",
        Why::SecondOrder => "second_order",
        Why::IdTaken => "id_taken",
        Why::Late => "late",
        Why::NotRestored => "not_restored",
    }
}

fn written(event: &Event) -> Written {
    let what = match event.change {
        Change::Warmed => What::Warmed,
        Change::Reserved { buyer, slot, expires_at_ms, is_bad } => {
            What::Reserved { buyer: BUYERS[usize::from(buyer)], slot, is_hold: expires_at_ms.is_some(), is_bad }
        }
        Change::Confirmed { id } => What::Confirmed { id },
        Change::Released { id } => What::Released { id },
        Change::Expired { ids } => What::Expired { ids: ids.as_slice().to_vec() },
        Change::Restocked { total } => What::Restocked { total },
        Change::Opened => What::Opened,
        Change::Closed => What::Closed,
    };
    Written { epoch: event.epoch, seq: event.seq, what }
}
