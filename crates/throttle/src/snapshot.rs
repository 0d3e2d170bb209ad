//! A rate limit as bytes: RDB, DUMP, AOF rewrite, digest.

use flash_sale::Malformed;
use flash_sale::bytes::{Reader, put_int};

use crate::limits::{SLIDING_MOMENTS_MAX, TIME_MS_MAX};
use crate::sliding::Log;
use crate::strategy::Strategy;
use crate::terms_bytes::{put_terms, read_terms};
use crate::throttle::Throttle;
use crate::usage::Usage;

/// The version of the layout. Another one is refused by [`Throttle::load`].
pub const SNAPSHOT_VERSION: u8 = 1;

impl Throttle {
    /// The whole state; equal states give equal bytes.
    #[must_use]
    pub fn save(&self) -> Vec<u8> {
        let mut out = vec![SNAPSHOT_VERSION];
        put_terms(&mut out, &self.terms);
        put_int(&mut out, self.at_ms);
        put_int(&mut out, self.expires_at_ms);
        match &self.usage {
            Usage::Bucket(bucket) => put_int(&mut out, bucket.level()),
            Usage::Burst(burst) => burst.units().into_iter().for_each(|units| put_int(&mut out, units)),
            Usage::Window(counter) => put_int(&mut out, counter.units()),
            Usage::Days(counter) => put_int(&mut out, counter.units()),
            Usage::Sliding(log) => {
                put_int(&mut out, log.len() as u64);
                let mut before_ms = self.at_ms.saturating_sub(log.window_ms());
                for (at_ms, units) in log.iter() {
                    put_int(&mut out, at_ms - before_ms);
                    put_int(&mut out, units);
                    before_ms = at_ms;
                }
            }
        }
        out
    }

    /// Reads what [`Throttle::save`] wrote, and believes none of it unseen.
    ///
    /// # Errors
    /// Names what is malformed or breaks a rule of the rate limit.
    pub fn load(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.byte("snapshot version")? != SNAPSHOT_VERSION {
            return Err(Malformed::new("rate limit: its version is not 1, written by another release"));
        }
        let terms = read_terms(&mut reader)?;
        let at_ms = reader.int_within("clock", 1, TIME_MS_MAX)?;
        let expires_at_ms = reader.int_within("expiry", 0, TIME_MS_MAX)?;
        let mut usage = Usage::none(&terms);
        let limit = terms.limit();
        match &mut usage {
            Usage::Bucket(bucket) => {
                let level = reader.int_within("level", 0, limit * bucket.weight())?;
                bucket.fill(at_ms, level);
            }
            Usage::Burst(burst) => {
                let steady = reader.int_within("units", 0, burst.terms().limit)?;
                let extra = reader.int_within("extra units", 0, burst.terms().extra)?;
                burst.fill(at_ms, steady, extra);
            }
            Usage::Window(counter) => counter.take(at_ms, reader.int_within("units", 0, limit)?),
            Usage::Days(counter) => counter.take(at_ms, reader.int_within("units", 0, limit)?),
            Usage::Sliding(log) => read_log(&mut reader, log, at_ms, limit)?,
        }
        reader.end("end of rate limit")?;
        Ok(Self { terms, at_ms, expires_at_ms, usage })
    }
}

/// Reads what was taken when: in order, within the window that ends at `newest_ms`, no more than the limit in all.
fn read_log(reader: &mut Reader, log: &mut Log, newest_ms: u64, limit: u64) -> Result<(), Malformed> {
    let moments = reader.int_within("moments", 0, SLIDING_MOMENTS_MAX)?;
    let (mut before_ms, mut left) = (newest_ms.saturating_sub(log.window_ms()), limit);
    for _ in 0..moments {
        let at_ms = before_ms + reader.int_within("moment", 1, newest_ms - before_ms)?;
        let units = reader.int_within("units", 1, left)?;
        log.take(at_ms, units);
        (before_ms, left) = (at_ms, left - units);
    }
    Ok(())
}
