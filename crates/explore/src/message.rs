//! What actors ask of servers, and what they hear. Each request is carried out in one step of its server, at any time,
//! or never.

use flash_sale::{Refusal, State};

use crate::model::{Active, Buyer, Event, Expected, Next};

/// A question to a server, or a command.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Request {
    Redis(Command),
    Postgres(Transaction),
    Broker(Frame),
}

/// The FLASH.* commands.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Command {
    Status,
    Fence { term: Option<u64> },
    Warm { term: u64, instance: u64, next: Next, total: u64, is_closed: bool },
    Rebuild { term: u64, instance: u64, epoch: u64, page: Vec<Active> },
    Unfence { term: u64, instance: u64, epoch: u64, seq: u64, next: Option<Next>, expected: Expected },
    Ack { epoch: u64, seq: u64 },
    Pull { after: u64, count: usize },
    Active,
    Reserve { buyer: Buyer, request: u32, is_bad: bool },
    Confirm { id: u64 },
    Release { id: u64 },
    Reservation { id: u64 },
    Restock { delta: i64 },
    Open,
    Close,
}

/// The transactions of the vault.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Transaction {
    Standing {
        epoch: u64,
    },
    /// `seen`: PostgreSQL's term when the doubt was found. `draw`: bits that no other attempt has, as random ones would
    /// be.
    Take {
        gateway: u32,
        seen: u64,
        at_least: u64,
        draw: u16,
    },
    Renew {
        gateway: u32,
        term: u64,
    },
    End {
        gateway: u32,
        term: u64,
    },
    HasBarrier {
        id: u64,
    },
    /// `barrier`: the one that has passed for the term. `epoch`: PostgreSQL's newest when that was decided.
    Seal {
        term: u64,
        barrier: u64,
        epoch: u64,
        wanted: Wanted,
    },
    Restore {
        term: u64,
        barrier: u64,
        from: RedisState,
    },
    ActivePage {
        after: u64,
        count: usize,
    },
    Settle {
        epoch: u64,
    },
    Write {
        items: Vec<Item>,
    },
    Waiting,
    Replay {
        place: usize,
        known: Option<State>,
    },
}

/// How far an epoch must be written to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Wanted {
    /// To this seq and no further.
    Exactly(u64),
    /// As far as it is.
    Anywhere(Seen),
}

/// What a decision to rebuild was made of: Redis' epoch and newest number, and how far PostgreSQL's epoch was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Seen {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) head: u64,
}

/// What Redis has, for PostgreSQL that has lost it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct RedisState {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) acked: u64,
    pub(crate) total: u64,
    pub(crate) is_closed: bool,
    pub(crate) active: Vec<Active>,
}

/// What processes say to the broker.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Frame {
    Publish(Item),
    Consume { syncer: u32, count: usize },
    Settle { syncer: u32, count: usize },
    Disconnect { syncer: u32 },
}

/// What lies in the queue.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Item {
    /// Consecutive events of one epoch.
    Events(Vec<Event>),
    /// A body that no one can read.
    Unreadable(Vec<Event>),
    Barrier(u64),
}

impl Item {
    /// The events in it, if they can be read.
    pub(crate) fn events(&self) -> &[Event] {
        match self {
            Self::Events(events) => events,
            Self::Unreadable(_) | Self::Barrier(_) => &[],
        }
    }
}

/// What a server answers.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Answer {
    Done,
    Refused(Refusal),
    Status(Status),
    Fenced {
        epoch: u64,
        seq: u64,
        instance: u64,
    },
    Pulled {
        epoch: u64,
        acked: u64,
        events: Vec<Event>,
    },
    Active(Vec<Active>),
    Reserved {
        id: u64,
        epoch: u64,
    },
    /// An event was made: the end of a hold, or an operator's change. `total`, `is_closed`: as they are after it.
    Made {
        epoch: u64,
        seq: u64,
        total: u64,
        is_closed: bool,
    },
    Standing(Standing),
    /// The term, or none: another has the lease.
    Taken(Option<u64>),
    Is(bool),
    Sealed(Sealed),
    Written {
        heads: Vec<(u64, u64)>,
    },
    Items(Vec<Item>),
    Waiting {
        place: usize,
        id: Option<u64>,
    },
}

/// FLASH.STATUS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Status {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) acked: u64,
    pub(crate) term: u64,
    pub(crate) instance: u64,
    pub(crate) is_fenced: bool,
    /// It has been open in this epoch.
    pub(crate) was_open: bool,
    pub(crate) content: Expected,
}

/// Where the sale is in PostgreSQL, in one snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Standing {
    pub(crate) epoch: u64,
    pub(crate) head: u64,
    pub(crate) term: u64,
    /// A gateway's lease runs.
    pub(crate) leased: bool,
    /// Where the epoch that was asked for was sealed, and how far that is written.
    pub(crate) sealed_at: Option<u64>,
    pub(crate) early: u64,
    /// The newest epoch has rejections that are not settled.
    pub(crate) unsettled: bool,
    /// An earlier one has.
    pub(crate) has_old: bool,
    /// A reservation of the epoch waits in the quarantine.
    pub(crate) quarantined: bool,
    pub(crate) content: Expected,
}

/// What came of a seal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Sealed {
    Next { next: Next, expected: Expected },
    Superseded,
    BarrierGone,
    NotYet,
}
