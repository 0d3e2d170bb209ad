//! What a sale's active reservations are, in one number that two sides can compare: the XOR over one element for each
//! reservation, so that a change costs the same however many there are.
//!
//! An element is built from folded multiplications: the 128-bit product of two words, its halves XORed. The
//! construction is that of Vladimir Makarov's `mum-hash` and of Wang Yi's `wyhash`. It is the same on every machine and
//! for ever, for PostgreSQL keeps digests. It finds faults, not forgeries: both sides are ours.

use crate::event::State;

/// The highest digest: it fits PostgreSQL's bigint and a signed RESP integer.
pub const DIGEST_MAX: u64 = u64::MAX >> 1;

/// Odd constants without a pattern: the first 64-bit words of the fractional part of pi.
const BUYER: u64 = 0x243f_6a88_85a3_08d3;
const LENGTH: u64 = 0x1319_8a2e_0370_7345;
const SKU: u64 = 0xa409_3822_299f_31d1;
const QUANTITY: u64 = 0x082e_fa98_ec4e_6c89;
const ID: u64 = 0x4528_21e6_38d0_1377;
const STATE: u64 = 0xbe54_66cf_34e9_0c6d;

/// The active reservations of a sale: how many, and their digest.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Content {
    /// Held and confirmed ones.
    pub reservations: u64,
    /// The XOR of their elements, at most [`DIGEST_MAX`].
    pub digest: u64,
}

impl Content {
    /// A reservation is there from now on.
    pub const fn add(&mut self, element: u64) {
        self.reservations = self.reservations.saturating_add(1);
        self.digest ^= element;
    }

    /// A reservation that was there is gone.
    pub const fn remove(&mut self, element: u64) {
        self.reservations = self.reservations.saturating_sub(1);
        self.digest ^= element;
    }
}

/// The number of a SKU in [`element`]. It is worth keeping.
#[must_use]
pub fn sku_hash(name: &str) -> u64 {
    text(SKU, name.as_bytes())
}

/// The part that one active reservation has in the digest, at most [`DIGEST_MAX`]. `items` are pairs of a [`sku_hash`]
/// and a quantity; their order does not matter.
#[must_use]
pub fn element(id: u64, buyer: &str, items: impl Iterator<Item = (u64, u32)>, state: State) -> u64 {
    let item = |(sku, quantity): (u64, u32)| folded(sku ^ SKU, u64::from(quantity) ^ QUANTITY);
    let items = items.map(item).fold(0, u64::wrapping_add);
    let state = if matches!(state, State::Held) { STATE } else { STATE.rotate_left(32) };
    folded(text(BUYER, buyer.as_bytes()) ^ id ^ ID, items ^ state) & DIGEST_MAX
}

/// The last word may overlap the one before it: a long text is read in whole words.
fn text(seed: u64, bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let mix = |hash: u64, word: &[u8; 8]| folded(hash ^ u64::from_le_bytes(*word), LENGTH);
    let hash = words.iter().fold(seed ^ bytes.len() as u64, mix);
    let last = match bytes.last_chunk::<8>() {
        _ if rest.is_empty() => 0,
        Some(last) => u64::from_le_bytes(*last),
        None => rest.iter().rev().fold(0, |last, byte| last << 8 | u64::from(*byte)),
    };
    folded(hash ^ last, SKU)
}

/// The halves of the product of two words, XORed.
fn folded(a: u64, b: u64) -> u64 {
    let (low, high) = a.carrying_mul(b, 0);
    high ^ low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(id: u64, buyer: &str, items: &[(&str, u32)], state: State) -> u64 {
        element(id, buyer, items.iter().map(|&(sku, quantity)| (sku_hash(sku), quantity)), state)
    }

    /// PostgreSQL keeps them: another release must make the same ones.
    #[test]
    fn an_element_is_for_ever() {
        for (got, want) in [
            (one(1, "ada", &[("default", 1)], State::Held), 2_342_671_020_027_795_566),
            (one(1 << 39, "0123456789abcdefg", &[("a", 3), ("b", 4)], State::Confirmed), 7_182_442_257_209_114_358),
        ] {
            assert_eq!(got, want);
        }
    }

    #[test]
    fn whatever_a_reservation_is_changes_its_element() {
        let elements = [
            one(1, "ada", &[("a", 1), ("b", 2)], State::Held),
            one(2, "ada", &[("a", 1), ("b", 2)], State::Held),
            one(1, "adb", &[("a", 1), ("b", 2)], State::Held),
            one(1, "ada\0", &[("a", 1), ("b", 2)], State::Held),
            one(1, "ada", &[("a", 2), ("b", 1)], State::Held),
            one(1, "ada", &[("a", 1)], State::Held),
            one(1, "ada", &[("a", 1), ("b", 2)], State::Confirmed),
        ];
        for (at, element) in elements.iter().enumerate() {
            assert!(*element <= DIGEST_MAX && !elements[..at].contains(element), "{at}: {element}");
        }
    }

    #[test]
    fn the_order_of_items_does_not_matter() {
        let items = [("a", 1), ("b", 2), ("c", 3)];
        let turned = [("c", 3), ("a", 1), ("b", 2)];
        assert_eq!(one(7, "ada", &items, State::Held), one(7, "ada", &turned, State::Held));
    }

    #[test]
    fn what_is_added_and_removed_leaves_nothing() {
        let mut content = Content::default();
        content.add(5);
        content.add(9);
        content.remove(5);
        assert_eq!(content, Content { reservations: 1, digest: 9 });
    }
}
