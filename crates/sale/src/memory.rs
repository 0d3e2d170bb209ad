//! What pieces of memory really take, and how they can be moved.

/// What the allocator gives where `bytes` are asked for: jemalloc's size classes, which are Redis's. They go by 16 up
/// to 128 bytes, then each doubling has four.
pub(crate) const fn allocated(bytes: usize) -> usize {
    match bytes {
        0 => 0,
        1..=8 => 8,
        9..=128 => bytes.next_multiple_of(16),
        _ => bytes.next_multiple_of(1 << ((bytes - 1).ilog2() - 2)),
    }
}

/// What a [`BTreeMap`](std::collections::BTreeMap) takes for its nodes, on average: a node has room for 11 entries
/// after 12 bytes of its own, and one that was filled in ascending order keeps 6 and gives one to its parent.
pub(crate) const fn tree_bytes<K, V>(entries: usize) -> usize {
    entries * allocated(12 + 11 * (size_of::<K>() + size_of::<V>())) / 6
}

/// Moves pieces of memory to where the allocator would rather have them: [`Sale::defrag`](crate::Sale::defrag) hands it
/// one piece after the other.
pub trait Mover {
    /// Gives the same values, of the same capacity, in the same place or a better one.
    fn moved<T>(&mut self, piece: Vec<T>) -> Vec<T>;
}

/// Pieces that are moved between two looks at the clock: some dozens of microseconds.
pub(crate) const PIECES_PER_STEP: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up_to_their_class() {
        // From jemalloc's manual, "size classes".
        let classes =
            [8, 16, 32, 48, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 640, 768, 896, 1_024];
        let larger = [1_280, 1_536, 1_792, 2_048, 14_336, 16_384, 20_480, 24_576, 28_672, 32_768, 1 << 20, 5 << 18];
        for class in classes.into_iter().chain(larger) {
            assert_eq!(allocated(class), class);
        }
        for pair in classes.windows(2) {
            assert_eq!((allocated(pair[0] + 1), allocated(pair[1] - 1)), (pair[1], pair[1]));
        }
        assert_eq!((allocated(0), allocated(1), allocated(14_337)), (0, 8, 16_384));
    }
}
