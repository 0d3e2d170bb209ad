//! A time zone: how far its clock is ahead of UTC, and when that changes.

use std::num::NonZeroU64;
use std::sync::Arc;

use flash_wire::{DailyTerms, Invalid, OffsetChange};
use jiff::Timestamp;
use jiff::tz::TimeZone;

/// Changes from 2000 on are known, Unix seconds.
const FIRST_S: i64 = 946_684_800;
/// And those until 2100.
const LAST_S: i64 = 4_102_444_800;
/// A change counts for the days that begin or end less than this before or after it. Two days are enough, whichever
/// offsets.
const NEAR_MS: u64 = 3 * 24 * 60 * 60 * 1000;
const MINUTE_S: i32 = 60;

/// A time zone, as it was when it was read. New rules of its government count for gateways that start later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone {
    name: String,
    /// Minutes ahead of UTC before the first change.
    first_minutes: i32,
    /// In order.
    changes: Arc<[OffsetChange]>,
}

impl Zone {
    /// The zone of an IANA name, from the system's files, or else from those within this program.
    ///
    /// # Errors
    /// When there is no such zone, or its clock is not whole minutes ahead of UTC.
    pub fn named(name: &str) -> Result<Self, Invalid> {
        let unknown = |_| Invalid::new("zone", "must be the IANA name of a time zone, as Europe/Berlin");
        let (zone, first) = (TimeZone::get(name).map_err(unknown)?, Timestamp::from_second(FIRST_S).map_err(unknown)?);
        let minutes = |seconds: i32| match seconds % MINUTE_S {
            0 => Ok(seconds / MINUTE_S),
            _ => Err(Invalid::new("zone", "must be whole minutes ahead of UTC")),
        };
        let first_minutes = minutes(zone.to_offset(first).seconds())?;
        let (mut changes, mut before) = (Vec::new(), first_minutes);
        let known = zone.following(first).take_while(|change| change.timestamp().as_second() < LAST_S);
        for change in known {
            let at_ms = u64::try_from(change.timestamp().as_millisecond()).ok().and_then(NonZeroU64::new);
            let offset_minutes = minutes(change.offset().seconds())?;
            // Some changes are of the name alone.
            if let (Some(at_ms), true) = (at_ms, offset_minutes != before) {
                changes.push(OffsetChange { at_ms, offset_minutes });
                before = offset_minutes;
            }
        }
        Ok(Self { name: name.to_owned(), first_minutes, changes: changes.into() })
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A quota for each day of the zone, as Redis must know it around `now_ms`.
    pub(crate) fn daily(&self, limit: u64, now_ms: u64) -> DailyTerms {
        let next = self.changes.partition_point(|change| change.at_ms.get() <= now_ms);
        let is_near = |change: &&OffsetChange| change.at_ms.get().abs_diff(now_ms) < NEAR_MS;
        let last = next.checked_sub(1).filter(|last| self.changes.get(*last).is_some_and(|change| is_near(&change)));
        let at = last.unwrap_or(next);
        let before = at.checked_sub(1).and_then(|before| self.changes.get(before));
        let offset_minutes = before.map_or(self.first_minutes, |before| before.offset_minutes);
        DailyTerms { limit, offset_minutes, change: self.changes.get(at).filter(is_near).copied() }
    }
}

#[cfg(test)]
mod tests {
    use flash_throttle::{Taken, Throttle};
    use flash_wire::ThrottleTerms;
    use jiff::{ToSpan, civil::date};

    use super::*;

    #[test]
    fn a_zone_has_a_name_that_is_known() {
        for name in ["Europe/Berlin", "UTC", "America/Argentina/Buenos_Aires", "Etc/GMT-14"] {
            assert_eq!(Zone::named(name).map(|zone| zone.name().to_owned()), Ok(name.to_owned()));
        }
        for name in ["", "Berlin", "Europe/Atlantis", "../../etc/passwd", "/etc/localtime", "UTC+1", "a\0b"] {
            let error = Zone::named(name).map_err(|invalid| invalid.to_string());
            assert_eq!(error, Err("zone must be the IANA name of a time zone, as Europe/Berlin".to_owned()), "{name}");
        }
    }

    /// Each day of twenty years, in zones that change their clocks at midnight, over midnight, by a day, or not at all.
    #[test]
    fn a_quota_is_whole_again_when_a_day_of_its_zone_begins() {
        const HOUR_MS: u64 = 60 * 60 * 1000;
        let names = "Europe/Berlin America/New_York America/Sao_Paulo America/St_Johns Asia/Beirut Africa/Cairo Africa/Casablanca \
                     Pacific/Apia Australia/Lord_Howe Asia/Kathmandu America/Havana Asia/Pyongyang UTC";
        for name in names.split_whitespace() {
            let (zone, jiff) = (Zone::named(name).unwrap(), TimeZone::get(name).unwrap());
            let mut day = date(2008, 1, 1);
            while day < date(2028, 1, 1) {
                let begin = |day: jiff::civil::Date| {
                    let begin = day.to_zoned_datetime(jiff.clone()).unwrap().timestamp().as_millisecond();
                    u64::try_from(begin).unwrap()
                };
                let next = day.checked_add(1.day()).unwrap();
                let (begin_ms, end_ms) = (begin(day), begin(next));
                for now_ms in [begin_ms, begin_ms + HOUR_MS, (begin_ms + end_ms) / 2, end_ms.max(1) - 1] {
                    // A day that the zone has skipped has no time in it.
                    if !(begin_ms..end_ms).contains(&now_ms) {
                        continue;
                    }
                    let terms = ThrottleTerms::Daily(zone.daily(9, now_ms));
                    let mut throttle = Throttle::new(&terms);
                    throttle.apply(&Taken { terms, at_ms: now_ms, units: 1 });
                    let reset_ms = throttle.standing(&terms, now_ms).reset_ms;
                    assert_eq!(now_ms + reset_ms, end_ms, "{name} {day} {terms:?}");
                }
                day = next;
            }
        }
    }
}
