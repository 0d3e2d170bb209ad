//! Numbers for the values in the keys of this server. A recovery tells by them whether a key still holds the value that
//! it fenced, so no two values have the same: not even one value before and after it was loaded again.

use std::sync::atomic::{AtomicU64, Ordering};

use flash_wire::INSTANCE_MAX;

static STATE: AtomicU64 = AtomicU64::new(0);

/// Takes a random beginning, so that no two processes give the same numbers.
pub(crate) fn begin(random: u64) {
    STATE.store(random, Ordering::Relaxed);
}

/// A number that no other value has, 1 to [`INSTANCE_MAX`]: the next one of SplitMix64 (Steele, Lea, Flood: "Fast
/// splittable pseudorandom number generators", 2014).
pub(crate) fn draw() -> u64 {
    const GAMMA: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut number = STATE.fetch_add(GAMMA, Ordering::Relaxed).wrapping_add(GAMMA);
    number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    ((number ^ (number >> 31)) & (INSTANCE_MAX - 1)) + 1
}
