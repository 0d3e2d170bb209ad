//! Events: the only way in which a sale changes.

use crate::details::Details;
use crate::items::Items;
use crate::life::Life;

/// One change of one sale. The same Event is applied to the state, replicated, journalled, published and written to
/// PostgreSQL. It borrows what is long (buyer, request, data) from wherever it came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event<'a> {
    /// Which life of the sale in Redis this belongs to.
    pub epoch: u64,
    /// Grows by one from event to event, without gaps, over all epochs.
    pub seq: u64,
    /// The sale's clock at the decision, Unix milliseconds. It never goes back.
    pub at_ms: u64,
    /// What happened.
    pub change: Change<'a>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change<'a> {
    /// The sale came to be, or began a later life.
    Warmed(Life),
    /// A buyer got a reservation; its id is the event's seq.
    Reserved(Reserved<'a>),
    /// The hold `id` was paid for.
    Confirmed {
        /// The reservation.
        id: u64,
    },
    /// The hold `id` was given back.
    Released {
        /// The reservation.
        id: u64,
    },
    /// The pay window of these holds ran out.
    Expired {
        /// The reservations, ascending, at most
        /// [`EXPIRED_PER_EVENT_MAX`](crate::limits::EXPIRED_PER_EVENT_MAX).
        ids: Vec<u64>,
    },
    /// The operator changed how many units of a SKU are on sale.
    Restocked {
        /// The SKU's place in the sale's terms, from 0.
        sku: u16,
        /// Units on sale from now on: available, held and confirmed.
        total: u64,
    },
    /// The operator let the closed sale go on.
    Opened,
    /// The operator stopped the sale.
    Closed,
}

/// A reservation as it was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved<'a> {
    /// Who reserved.
    pub buyer: &'a str,
    /// The lowest number that none of the buyer's other active reservations has: PostgreSQL's unique key
    /// (sale, buyer, slot) guards the limit by it.
    pub slot: u8,
    /// What was reserved.
    pub items: Items,
    /// When the hold ends, Unix milliseconds; none: the sale has no pay window, and this is confirmed already.
    pub expires_at_ms: Option<u64>,
    /// What came with it.
    pub details: Details<'a>,
}

impl Reserved<'_> {
    /// The reservation's first state.
    #[must_use]
    pub const fn state(&self) -> State {
        if self.expires_at_ms.is_some() { State::Held } else { State::Confirmed }
    }
}

/// The state of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Waits for its payment.
    Held,
    /// Sold.
    Confirmed,
    /// Given back.
    Released,
    /// Given back, because its pay window ran out.
    Expired,
}

impl State {
    /// Every state, in the order of their codes.
    pub const ALL: [Self; 4] = [Self::Held, Self::Confirmed, Self::Released, Self::Expired];

    /// The state's name in replies, JSON and SQL.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Confirmed => "confirmed",
            Self::Released => "released",
            Self::Expired => "expired",
        }
    }

    /// Reads [`State::name`] back.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// An active reservation has its units; an ended one has given them back.
    #[must_use]
    pub const fn is_active(self) -> bool {
        matches!(self, Self::Held | Self::Confirmed)
    }
}
