//! Damage, as chance or malice would do it to good bytes.

use std::ops::Range;

use flash_sale::limits::{SEQ_MAX, TIME_MS_MAX};
use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};

/// Sets how many inputs are tried. The default is what a change must pass; a release is tried with a million.
const INPUTS: &str = "FLASH_FUZZ_INPUTS";
const INPUTS_DEFAULT: usize = 50_000;
/// Repeats a run that failed.
const SEED: &str = "FLASH_FUZZ_SEED";
/// Wounds of one input.
const WOUNDS_MAX: usize = 4;
/// Bytes that one wound deletes, doubles or takes from elsewhere.
const RUN_BYTES_MAX: usize = 40;
/// Numbers at which bounds break: around the powers of two, and the limits of a sale.
const EXTREMES: [u64; 20] = [
    0,
    1,
    2,
    63,
    64,
    127,
    128,
    255,
    256,
    65_535,
    65_536,
    1_000_000_000,
    u32::MAX as u64,
    SEQ_MAX - 1,
    SEQ_MAX,
    SEQ_MAX + 1,
    TIME_MS_MAX,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// How many inputs to try.
pub(crate) fn inputs() -> usize {
    std::env::var(INPUTS).map_or(INPUTS_DEFAULT, |inputs| inputs.parse().expect("a number"))
}

/// Makes bad bytes of good ones.
pub(crate) struct Fuzz {
    pub(crate) random: StdRng,
    good: Vec<Vec<u8>>,
}

impl Fuzz {
    /// Prints its seed.
    pub(crate) fn of(good: Vec<Vec<u8>>) -> Self {
        assert!(!good.is_empty() && good.iter().all(|bytes| !bytes.is_empty()), "something to damage");
        let seed = std::env::var(SEED).map_or_else(|_| rand::rng().next_u64(), |seed| seed.parse().expect("a number"));
        eprintln!("{SEED}={seed}");
        Self { random: StdRng::seed_from_u64(seed), good }
    }

    /// The next input.
    pub(crate) fn next(&mut self) -> Vec<u8> {
        let at = self.random.random_range(0..self.good.len());
        let mut bytes = self.good[at].clone();
        // Mostly few: what is damaged in many places is soon refused.
        let wounds = self.random.random_range(1..=WOUNDS_MAX).min(self.random.random_range(1..=WOUNDS_MAX));
        for _ in 0..wounds {
            self.wound(&mut bytes);
        }
        bytes
    }

    /// Damages `bytes` in one place.
    pub(crate) fn wound(&mut self, bytes: &mut Vec<u8>) {
        let at = self.random.random_range(0..=bytes.len());
        let run = at..(at + self.random.random_range(1..RUN_BYTES_MAX)).min(bytes.len());
        match self.random.random_range(0..8) {
            0 => self.change(bytes, at, |random, byte| byte ^ 1 << random.random_range(0..8)),
            1 => self.change(bytes, at, |random, byte| byte.wrapping_add(if random.random() { 1 } else { 255 })),
            2 => self.change(bytes, at, |random, _| random.random()),
            3 => drop(bytes.drain(run)),
            4 => drop(bytes.splice(at..at, bytes[run].to_vec())),
            5 => {
                let number = EXTREMES[self.random.random_range(0..EXTREMES.len())];
                bytes.splice(number_at(bytes, at), leb128(number));
            }
            6 => {
                let other = &self.good[self.random.random_range(0..self.good.len())];
                let from = self.random.random_range(0..other.len());
                let to = (from + RUN_BYTES_MAX).min(other.len());
                bytes.splice(run, other[from..to].to_vec());
            }
            _ => bytes.truncate(at),
        }
    }

    fn change(&mut self, bytes: &mut [u8], at: usize, to: impl FnOnce(&mut StdRng, u8) -> u8) {
        if let Some(byte) = bytes.get_mut(at) {
            *byte = to(&mut self.random, *byte);
        }
    }
}

/// Where the number lies that the byte at `at` is a part of, if it is a part of one.
fn number_at(bytes: &[u8], at: usize) -> Range<usize> {
    let goes_on = |byte: &u8| byte & 0x80 != 0;
    let before = bytes[..at].iter().rev().take_while(|byte| goes_on(byte)).count();
    let behind = bytes[at..].iter().take_while(|byte| goes_on(byte)).count();
    at - before..(at + behind + 1).min(bytes.len())
}

/// A number as a sale's bytes have it.
fn leb128(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
    bytes
}
