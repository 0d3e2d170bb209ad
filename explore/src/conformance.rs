//! The model of PostgreSQL beside the real vault: random histories, and the rows that they leave in the model.

use crate::message::{Item, Sealed};
use crate::model::{BUYERS, Change, Event, Ids};
use crate::postgres::{Postgres, Why};
use crate::random::Random;
use crate::rules::Rules;

/// Units on sale at first.
pub const TOTAL: u64 = 3;

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
    Reserved { buyer: &'static str, slot: u8, is_hold: bool },
    Confirmed { id: u64 },
    Released { id: u64 },
    Expired { ids: Vec<u64> },
    Restocked { total: u64 },
    Opened,
    Closed,
}

/// One operation of the vault.
#[derive(Debug, Clone)]
pub enum Operation {
    /// Messages, each of consecutive events of one epoch.
    Write(Vec<Vec<Written>>),
    /// A new attempt.
    Take,
    /// A seal by the newest attempt, or by the one before it.
    Seal {
        /// Whether the attempt is the newest.
        is_newest: bool,
        /// Which epoch.
        epoch: u64,
        /// How far it must be written; none: as far as it is.
        exactly: Option<u64>,
        /// The newest number that Redis has.
        seen: u64,
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
        self.model.write(&[warmed], &Rules::ALL);
    }

    /// The next operation.
    pub fn advance(&mut self) -> Operation {
        match self.random.below(10) {
            0 => {
                self.terms = [self.terms[1], self.terms[1] + 1];
                self.model.term = self.terms[1];
                Operation::Take
            }
            1 if self.terms[1] > 0 => self.seal(),
            _ => self.write(),
        }
    }

    fn seal(&mut self) -> Operation {
        let is_newest = self.random.below(8) > 0;
        let epoch = self.model.newest - u64::from(self.model.newest > 1 && self.random.below(6) == 0);
        let head = self.model.epoch(epoch).map_or(0, |row| row.head);
        let exactly = (self.random.below(2) == 0).then_some(head);
        let seen = exactly.unwrap_or(head + self.random.below(4));
        let term = if is_newest { self.terms[1] } else { self.terms[0] };
        let sealed = self.model.seal(term, epoch, exactly, seen, &Rules::ALL);
        if let Sealed::Next { next, .. } = sealed {
            self.made.push(vec![Event { epoch: next.epoch, seq: next.after + 1, change: Change::Warmed }]);
        }
        Operation::Seal { is_newest, epoch, exactly, seen }
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
            let first = self.random.below(made.len() as u64);
            let last = first + 1 + self.random.below(made.len() as u64 - first);
            let part: Vec<Event> = made.iter().skip(first as usize).take((last - first) as usize).copied().collect();
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
                Change::Reserved { buyer, slot: u8::from(random.below(4) == 0), expires_at_ms, is_bad: false }
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
        let aside = model.quarantine.iter().flat_map(|row| &row.events);
        rows.extend(aside.map(|event| format!("aside {} {}", event.epoch, event.seq)));
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
        Change::Reserved { buyer, slot, expires_at_ms, .. } => {
            What::Reserved { buyer: BUYERS[usize::from(buyer)], slot, is_hold: expires_at_ms.is_some() }
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
