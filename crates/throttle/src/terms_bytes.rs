//! Terms as compact bytes: the strategy, and its numbers in the order of their declaration.

use std::num::NonZeroU64;

use flash_sale::Malformed;
use flash_sale::bytes::{Reader, put_int};

use crate::limits::{OFFSET_MINUTES_MAX, OFFSET_MINUTES_MIN};
use crate::terms::{BucketTerms, BurstTerms, DailyTerms, OffsetChange, Terms, WindowTerms};

const BUCKET: u8 = 1;
const BURST: u8 = 2;
const STRICT: u8 = 3;
const SLIDING: u8 = 4;
const DAILY: u8 = 5;
const DAILY_WITH_CHANGE: u8 = 6;

/// Appends valid terms.
pub(crate) fn put_terms(out: &mut Vec<u8>, terms: &Terms) {
    let mut put = |strategy, numbers: &[u64]| {
        out.push(strategy);
        numbers.iter().for_each(|number| put_int(out, *number));
    };
    match *terms {
        Terms::Bucket(BucketTerms { rate, period_ms, burst }) => put(BUCKET, &[rate, period_ms, burst]),
        Terms::Burst(BurstTerms { limit, window_ms, extra, period_ms }) => {
            put(BURST, &[limit, window_ms, extra, period_ms]);
        }
        Terms::Strict(WindowTerms { limit, window_ms }) => put(STRICT, &[limit, window_ms]),
        Terms::Sliding(WindowTerms { limit, window_ms }) => put(SLIDING, &[limit, window_ms]),
        Terms::Daily(DailyTerms { limit, offset_minutes, change }) => {
            let offset = |minutes: i32| u64::from(minutes.abs_diff(OFFSET_MINUTES_MIN));
            match change {
                None => put(DAILY, &[limit, offset(offset_minutes)]),
                Some(OffsetChange { at_ms, offset_minutes: later }) => {
                    put(DAILY_WITH_CHANGE, &[limit, offset(offset_minutes), at_ms.get(), offset(later)]);
                }
            }
        }
    }
}

/// Reads what [`put_terms`] wrote; what comes out is valid.
pub(crate) fn read_terms(reader: &mut Reader) -> Result<Terms, Malformed> {
    let strategy = reader.byte("strategy")?;
    let mut int = |what| reader.int(what);
    let terms = match strategy {
        BUCKET => Terms::Bucket(BucketTerms { rate: int("rate")?, period_ms: int("period")?, burst: int("burst")? }),
        BURST => Terms::Burst(BurstTerms {
            limit: int("limit")?,
            window_ms: int("window")?,
            extra: int("extra")?,
            period_ms: int("period")?,
        }),
        STRICT => Terms::Strict(WindowTerms { limit: int("limit")?, window_ms: int("window")? }),
        SLIDING => Terms::Sliding(WindowTerms { limit: int("limit")?, window_ms: int("window")? }),
        DAILY => Terms::Daily(DailyTerms { limit: int("limit")?, offset_minutes: read_offset(reader)?, change: None }),
        DAILY_WITH_CHANGE => Terms::Daily(DailyTerms {
            limit: int("limit")?,
            offset_minutes: read_offset(reader)?,
            change: Some(read_change(reader)?),
        }),
        _ => return Err(Malformed::new("strategy")),
    };
    terms.check().map_err(|invalid| Malformed::new(invalid.field))
}

fn read_change(reader: &mut Reader) -> Result<OffsetChange, Malformed> {
    let at_ms = NonZeroU64::new(reader.int("change")?).ok_or(Malformed::new("change"))?;
    Ok(OffsetChange { at_ms, offset_minutes: read_offset(reader)? })
}

fn read_offset(reader: &mut Reader) -> Result<i32, Malformed> {
    let malformed = |_| Malformed::new("offset");
    let minutes = i32::try_from(reader.int("offset")?).map_err(malformed)?;
    let max = OFFSET_MINUTES_MAX - OFFSET_MINUTES_MIN;
    if minutes > max { Err(Malformed::new("offset")) } else { Ok(OFFSET_MINUTES_MIN + minutes) }
}
