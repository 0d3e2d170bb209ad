//! Days of a time zone. Where its clock changes, a day is shorter or longer than 24 hours.

use crate::limits::DAY_MS;
use crate::terms::{DailyTerms, OffsetChange};
use crate::window::Windows;

const MINUTE_MS: i64 = 60 * 1000;

/// The days around one change of a zone's clock, or of a zone whose clock does not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Days {
    offset_minutes: i32,
    change: Option<OffsetChange>,
}

impl Days {
    pub(crate) const fn of(terms: &DailyTerms) -> Self {
        Self { offset_minutes: terms.offset_minutes, change: terms.change }
    }
}

/// Which day it is where the clock is so far ahead of UTC. Counted from the day before 1970, so that it is never
/// negative.
const fn day(at_ms: u64, offset_minutes: i32) -> u64 {
    (at_ms + DAY_MS).saturating_add_signed(offset_minutes as i64 * MINUTE_MS) / DAY_MS
}

/// When that day begins there.
const fn begin_ms(day: u64, offset_minutes: i32) -> u64 {
    (day * DAY_MS).saturating_add_signed(-(offset_minutes as i64) * MINUTE_MS).saturating_sub(DAY_MS)
}

impl Windows for Days {
    /// A day that has begun stays begun: where the clock goes back over midnight, it does not begin again.
    fn number(&self, at_ms: u64) -> u64 {
        match self.change {
            Some(OffsetChange { at_ms: change_ms, offset_minutes }) if at_ms >= change_ms.get() => {
                day(at_ms, offset_minutes).max(day(change_ms.get() - 1, self.offset_minutes))
            }
            _ => day(at_ms, self.offset_minutes),
        }
    }

    fn end_ms(&self, at_ms: u64) -> u64 {
        let next = self.number(at_ms) + 1;
        let end_ms = begin_ms(next, self.offset_minutes);
        match self.change {
            // Where the clock goes forward over midnight, its change begins the next day.
            Some(OffsetChange { at_ms: change_ms, offset_minutes }) if at_ms.max(end_ms) >= change_ms.get() => {
                begin_ms(next, offset_minutes).max(change_ms.get())
            }
            _ => end_ms,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    const HOUR_MS: u64 = 60 * 60 * 1000;
    /// A midnight in UTC.
    const MIDNIGHT_MS: u64 = 20_000 * DAY_MS;

    /// Days of a zone that is `offset` hours ahead of UTC, and from `change` hours after the midnight on, `later`
    /// hours.
    fn days(offset: i32, change: u64, later: i32) -> Days {
        let at_ms = NonZeroU64::new(MIDNIGHT_MS + change * HOUR_MS).unwrap();
        Days { offset_minutes: offset * 60, change: Some(OffsetChange { at_ms, offset_minutes: later * 60 }) }
    }

    /// The hours after that midnight at which days begin, from some days before it to some days after.
    fn check(days: Days, want: &[i64]) {
        let hours = |at_ms: u64| (at_ms.cast_signed() - MIDNIGHT_MS.cast_signed()) / HOUR_MS.cast_signed();
        let mut at_ms = MIDNIGHT_MS - 36 * HOUR_MS;
        let mut begins = Vec::new();
        while hours(at_ms) < 72 {
            let end_ms = days.end_ms(at_ms);
            for inside_ms in [at_ms, at_ms + 1, (at_ms + end_ms) / 2, end_ms - 1] {
                assert_eq!((days.number(inside_ms), days.end_ms(inside_ms)), (days.number(at_ms), end_ms), "{days:?}");
            }
            assert!(days.number(end_ms) > days.number(at_ms), "{days:?}: another day begins");
            at_ms = end_ms;
            begins.push(hours(at_ms));
        }
        assert_eq!(begins, want, "{days:?}");
    }

    #[test]
    fn a_day_ends_at_midnight_whatever_the_clock_does_meanwhile() {
        check(Days { offset_minutes: 60, change: None }, &[-25, -1, 23, 47, 71, 95]);
        // Berlin in spring (01:00 UTC, a day of 23 hours) and in autumn (a day of 25 hours).
        check(days(1, 1, 2), &[-25, -1, 22, 46, 70, 94]);
        check(days(2, 1, 1), &[-26, -2, 23, 47, 71, 95]);
        // Cairo and Beirut: midnight itself is skipped, so the day begins with the change.
        check(days(2, 22, 3), &[-26, -2, 22, 45, 69, 93]);
        // Back over midnight, as in Azerbaijan and Brazil: 24:00 is 23:00 once more, and the day goes on.
        check(days(-2, 2, -3), &[-22, 3, 27, 51, 75]);
        // Back to before a midnight that was: the day that has begun goes on, and does not begin twice.
        check(days(0, 1, -2), &[-24, 0, 26, 50, 74]);
        // Samoa, 2011: a whole day is skipped.
        check(days(-10, 10, 14), &[-14, 10, 34, 58, 82]);
        // And one that comes twice is one long day.
        check(days(12, 12, -12), &[-12, 36, 60, 84]);
    }
}
