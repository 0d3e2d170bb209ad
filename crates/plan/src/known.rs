//! What is known of one sale, as plain data.

use flash_wire::digest::{element, sku_hash};
use flash_wire::{Attempt, Content, Expected, RebuiltReservation, State, Terms};

/// A sale in Redis, as STATUS shows it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InRedis {
    /// Which life of the sale; 0: nothing but a fence (a shell).
    pub epoch: u64,
    /// The newest event's seq.
    pub seq: u64,
    /// PostgreSQL has said that it has everything up to here.
    pub acked: u64,
    /// Its value, and the newest attempt that has fenced it; term 0: none has.
    pub attempt: Attempt,
    /// Whether it decides nothing.
    pub is_fenced: bool,
    /// Whether it was open in its epoch at some time: a life that was not may have a part of what was sold.
    pub was_open: bool,
    /// Whether it belongs under another key, and lies here by a RENAME, COPY or RESTORE.
    pub is_away: bool,
    /// What it promises, with the totals of now. A sale without a journal sends nothing to PostgreSQL.
    pub terms: Terms,
    /// What it has: reservations, units, and whether it is closed.
    pub state: Expected,
}

impl InRedis {
    /// Whether there is nothing but a fence.
    #[must_use]
    pub const fn is_shell(&self) -> bool {
        self.epoch == 0
    }

    /// Whether its events come to PostgreSQL.
    #[must_use]
    pub const fn has_journal(&self) -> bool {
        self.terms.journal_events_max.is_some()
    }
}

/// A sale in PostgreSQL, all of it as of one moment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InPostgres {
    /// The newest epoch.
    pub epoch: u64,
    /// How far that is written; none: nothing of it is.
    pub head: Option<u64>,
    /// The newest recovery attempt; 0: there was none.
    pub term: u64,
    /// Whether the newest epoch has rejections that Redis may still count as sold.
    pub has_rejections: bool,
    /// Whether events of the newest epoch wait in the quarantine: Redis has then what PostgreSQL lacks.
    pub has_quarantined: bool,
    /// Whether there are rejections that are not settled, of whatever epoch: events came from a life that is over.
    pub has_unsettled: bool,
    /// How long ago the sale was created, seconds.
    pub age_s: u64,
    /// What it has: active orders, units, and whether it is closed.
    pub state: Expected,
}

/// One look at both, Redis first: what it has acknowledged by then, PostgreSQL has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// None: Redis does not have the sale.
    pub redis: Option<InRedis>,
    /// None: PostgreSQL does not know the sale.
    pub postgres: Option<InPostgres>,
}

/// Whether both sides have the same, whatever the order of their SKUs.
pub(crate) fn agree(one: &Expected, other: &Expected) -> bool {
    let has = |sku| other.skus.contains(sku);
    (one.content, one.is_closed, one.skus.len()) == (other.content, other.is_closed, other.skus.len())
        && one.skus.iter().all(has)
}

/// What a sale has at an event, in one number: its active reservations, its totals, whatever their order, and whether
/// it is closed. Units that are taken follow from the reservations; a counter of them that is wrong is for an audit.
#[must_use]
pub fn state_digest(state: &Expected) -> u64 {
    let Expected { content: Content { reservations, digest }, is_closed, skus } = state;
    let of = |number, name: &str, state| element(number, name, std::iter::empty(), state);
    let closed = of(*reservations, "", if *is_closed { State::Confirmed } else { State::Held });
    skus.iter().fold(digest ^ closed, |sum, sku| sum ^ of(sku.total, &sku.name, State::Held))
}

/// The content that active reservations make.
pub(crate) fn content_of(reservations: &[RebuiltReservation<'_>]) -> Content {
    let mut content = Content::default();
    for reservation in reservations {
        let (made, state) = (&reservation.made, reservation.state().unwrap_or(State::Held));
        let items = made.items.iter().map(|item| (sku_hash(&item.sku), item.quantity));
        content.add(element(reservation.id, &made.buyer, items, state));
    }
    content
}
