//! What the servers and the actors of the model speak of: events, reservations, a sale's content. One sale, one SKU.

use std::sync::LazyLock;

use flash_sale::digest::{element, sku_hash};
use flash_sale::{Change as SaleChange, DEFAULT_SKU, Event as SaleEvent, State};

/// How long a hold lasts in worlds with a pay window, milliseconds.
pub(crate) const HOLD_MS: u64 = 5_000;
/// How far after the end of an epoch the next one begins, in the model as in the vault.
pub(crate) const EPOCHS_APART_SEQS: u64 = 1 << 20;
/// Holds that one event of the model may expire.
pub(crate) const EXPIRED_MAX: usize = 4;

/// A buyer by number; in the sale the name is `b` and this number.
pub(crate) type Buyer = u8;

/// The names of the model's buyers.
pub(crate) const BUYERS: [&str; 8] = ["b0", "b1", "b2", "b3", "b4", "b5", "b6", "b7"];

/// The number of a buyer's name.
pub(crate) fn buyer_of(name: &str) -> Buyer {
    name.as_bytes().get(1).map_or(0, |digit| digit - b'0')
}

/// Ids of reservations whose holds ran out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Ids {
    ids: [u64; EXPIRED_MAX],
    count: u8,
}

impl Ids {
    pub(crate) fn of(ids: &[u64]) -> Self {
        let mut all = Self::default();
        for (place, id) in all.ids.iter_mut().zip(ids) {
            *place = *id;
            all.count += 1;
        }
        all
    }

    pub(crate) fn as_slice(&self) -> &[u64] {
        &self.ids[..usize::from(self.count)]
    }
}

/// What happened to the sale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Change {
    Warmed,
    /// `is_bad`: PostgreSQL cannot write what came with it.
    Reserved {
        buyer: Buyer,
        slot: u8,
        expires_at_ms: Option<u64>,
        is_bad: bool,
    },
    Confirmed {
        id: u64,
    },
    Released {
        id: u64,
    },
    Expired {
        ids: Ids,
    },
    Restocked {
        total: u64,
    },
    Opened,
    Closed,
}

/// One event, as the journal, the broker and PostgreSQL carry it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Event {
    pub(crate) epoch: u64,
    pub(crate) seq: u64,
    pub(crate) change: Change,
}

/// What a buyer sends along that PostgreSQL cannot write.
pub(crate) const BAD_DATA: &str = "\u{0}";

impl Event {
    /// The model's form of an event of the real sale.
    pub(crate) fn of(event: &SaleEvent) -> Self {
        let change = match &event.change {
            SaleChange::Warmed(_) => Change::Warmed,
            SaleChange::Reserved(made) => Change::Reserved {
                buyer: buyer_of(made.buyer),
                slot: made.slot,
                expires_at_ms: made.expires_at_ms,
                is_bad: made.details.data == Some(BAD_DATA),
            },
            SaleChange::Confirmed { id } => Change::Confirmed { id: *id },
            SaleChange::Released { id } => Change::Released { id: *id },
            SaleChange::Expired { ids } => Change::Expired { ids: Ids::of(ids) },
            SaleChange::Restocked { total, .. } => Change::Restocked { total: *total },
            SaleChange::Opened => Change::Opened,
            SaleChange::Closed => Change::Closed,
        };
        Self { epoch: event.epoch, seq: event.seq, change }
    }
}

/// An active reservation, as a recovery carries it between Redis and PostgreSQL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Active {
    pub(crate) id: u64,
    pub(crate) buyer: Buyer,
    pub(crate) slot: u8,
    pub(crate) is_confirmed: bool,
    pub(crate) expires_at_ms: Option<u64>,
}

impl Active {
    pub(crate) const fn state(self) -> State {
        if self.is_confirmed { State::Confirmed } else { State::Held }
    }
}

/// What a sale must have when it opens: its active reservations by count and digest, its units, and whether it is
/// closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Expected {
    pub(crate) reservations: u64,
    pub(crate) digest: u64,
    pub(crate) total: u64,
    pub(crate) taken: u64,
    pub(crate) is_closed: bool,
}

impl Expected {
    /// Counts one active reservation.
    pub(crate) fn add(&mut self, id: u64, buyer: Buyer, state: State) {
        self.reservations += 1;
        self.taken += 1;
        let items = std::iter::once((*SKU_HASH, 1));
        self.digest ^= element(id, BUYERS[usize::from(buyer)], items, state);
    }
}

/// The only SKU's name in digests.
static SKU_HASH: LazyLock<u64> = LazyLock::new(|| sku_hash(DEFAULT_SKU));

/// The last steps of `SplitMix64` (Steele, Lea and Flood, 2014): every bit of the input reaches every bit of the
/// result.
pub(crate) const fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// The epoch in which a sale goes on, and the event after which that begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Next {
    pub(crate) epoch: u64,
    pub(crate) after: u64,
}
