//! Under which circumstances it is measured.

use std::fmt;

use clap::ValueEnum;
use serde::Serialize;

/// Calls in flight where calls are pipelined.
const PIPELINED_CALLS: u16 = 256;
/// The sale that the other axes are shown at.
const AXES_BUYERS: u64 = 100_000;
/// Small sales are measured many at a time, one after the other, until there are so many buyers.
const BUYERS_MIN: u64 = 100_000;
/// Calls that look at what is there: enough for a mean, however many buyers there are.
const LOOKS_MAX: u64 = 200_000;
/// Up to here a case is measured twice, and the least counts.
const REPEATED_BUYERS_MAX: u64 = 1_000_000;
const RUNS: usize = 2;

/// What a buyer id looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Ids {
    /// 17 digits.
    Short,
    /// A UUID as text, 36 bytes.
    Uuid,
}

/// What the server writes to its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Aof {
    /// Nothing.
    Off,
    /// An append-only file, synced every second.
    Everysec,
    /// An append-only file, synced before each answer.
    Always,
}

impl Aof {
    /// The server's settings.
    pub(crate) const fn settings(self) -> [&'static str; 4] {
        let [appends, syncs] = match self {
            Self::Off => ["no", "no"],
            Self::Everysec => ["yes", "everysec"],
            Self::Always => ["yes", "always"],
        };
        ["--appendonly", appends, "--appendfsync", syncs]
    }
}

/// One row of circumstances.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub(crate) struct Case {
    /// Buyers of a sale, and its units.
    pub(crate) buyers: u64,
    pub(crate) ids: Ids,
    /// Calls in flight on the one connection.
    pub(crate) in_flight: u16,
    pub(crate) aof: Aof,
}

impl Case {
    /// Each size with each kind of ids; beside them, at one size, without a pipeline and with an append-only file.
    pub(crate) fn all(sizes: &[u64], ids: &[Ids], axes: bool) -> Vec<Self> {
        let plain = |buyers, ids| Self { buyers, ids, in_flight: PIPELINED_CALLS, aof: Aof::Off };
        let mut cases: Vec<Self> =
            ids.iter().flat_map(|&ids| sizes.iter().map(move |&buyers| plain(buyers, ids))).collect();
        if axes {
            let at = plain(AXES_BUYERS, Ids::Short);
            cases.extend([
                Self { in_flight: 1, ..at },
                Self { aof: Aof::Everysec, ..at },
                Self { aof: Aof::Always, ..at },
            ]);
        }
        cases
    }

    /// Sales that are measured one after the other.
    pub(crate) const fn sales(&self) -> u64 {
        BUYERS_MIN.div_ceil(self.buyers)
    }

    /// Buyers over all sales.
    pub(crate) const fn buyers_of_all(&self) -> u64 {
        self.buyers * self.sales()
    }

    /// Calls that look at what is there.
    pub(crate) fn looks(&self) -> u64 {
        self.buyers_of_all().min(LOOKS_MAX)
    }

    pub(crate) const fn runs(&self) -> usize {
        if self.buyers <= REPEATED_BUYERS_MAX { RUNS } else { 1 }
    }

    /// The buyer with this number: all different.
    pub(crate) fn buyer(&self, number: u64) -> String {
        match self.ids {
            Ids::Short => format!("{number:017}"),
            Ids::Uuid => {
                let (high, low) = (mixed(number), mixed(!number));
                let (middle, version, node) = (high >> 16 & 0xffff, high & 0xfff, low & 0xffff_ffff_ffff);
                format!("{:08x}-{middle:04x}-4{version:03x}-{:04x}-{node:012x}", high >> 32, 0x8000 | low >> 50)
            }
        }
    }
}

/// A step of SplitMix64: different numbers stay different, and look random.
const fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} buyers", grouped(self.buyers))?;
        f.write_str(match self.ids {
            Ids::Short => ", 17-byte ids",
            Ids::Uuid => ", UUIDs",
        })?;
        match self.in_flight {
            1 => f.write_str(", one call in flight")?,
            calls => write!(f, ", {calls} calls in flight")?,
        }
        f.write_str(match self.aof {
            Aof::Off => "",
            Aof::Everysec => ", AOF synced every second",
            Aof::Always => ", AOF synced before each answer",
        })
    }
}

/// A number as people read it.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups: Vec<&str> = digits.as_bytes().rchunks(3).rev().filter_map(|group| str::from_utf8(group).ok()).collect();
    groups.join(",")
}
