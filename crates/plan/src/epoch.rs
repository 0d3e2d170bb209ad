//! The number of a sale's next epoch.

use flash_wire::limits::EPOCH_MAX;

/// The low bits of an epoch's number are those of the term that begins it, which are drawn; the bits above them count.
pub const EPOCH_DRAWN_BITS: u32 = 20;

/// The number of the epoch that a term begins, above `newest`.
///
/// Redis and PostgreSQL may both forget an epoch. The next term is another one then, and so is the number: what a
/// process or the queue still has of the forgotten life is not taken for an event of the next one.
#[must_use]
pub const fn epoch_of(term: u64, newest: u64) -> u64 {
    let drawn = term & ((1 << EPOCH_DRAWN_BITS) - 1);
    let count = (newest >> EPOCH_DRAWN_BITS) + 1;
    let epoch = (count << EPOCH_DRAWN_BITS) | drawn;
    if epoch > EPOCH_MAX { EPOCH_MAX } else { epoch }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIFE: u64 = 1 << EPOCH_DRAWN_BITS;

    #[test]
    fn an_epoch_is_above_all_others_and_has_the_low_bits_of_its_term() {
        for (term, newest, want) in [
            (0, 0, LIFE),
            (7, 1, LIFE + 7),
            (LIFE - 1, 1, 2 * LIFE - 1),
            (9 * LIFE + 5, LIFE + 7, 2 * LIFE + 5),
            (5, 2 * LIFE - 1, 2 * LIFE + 5),
            (u64::MAX, EPOCH_MAX - LIFE, EPOCH_MAX),
            (3, EPOCH_MAX, EPOCH_MAX),
        ] {
            assert_eq!(epoch_of(term, newest), want, "{term} {newest}");
            assert!(want > newest || want == EPOCH_MAX, "{term} {newest}");
        }
    }

    #[test]
    fn two_terms_begin_two_epochs_after_the_same_one() {
        assert_ne!(epoch_of(4 * LIFE + 1, 1), epoch_of(4 * LIFE + 2, 1));
    }
}
