//! The sale's clock, whatever the server's does.
//!
//! Time arrives as an argument, and never goes back within a sale: where the server's clock steps back a little, the
//! sale's time waits until that has caught up. Where it steps back by more than [`CLOCK_LEAD_MS_MAX`], the sale
//! steps back with it ([`Sale::step_back`]). That is no event, for nothing happens: it is absolute and may be repeated,
//! so that replicas and the AOF take it as it was said.
//!
//! A hold ends by the sale's *age*: its time, and all that it has stepped back. So what was left of each hold is left
//! of it after a step, however many there were, and no step looks at any hold. Outside, a hold's end is given by the
//! sale's time.

use std::borrow::Cow;

use crate::event::Reserved;
use crate::limits::{AGE_MS_MAX, CLOCK_LEAD_MS_MAX, TIME_MS_MAX};
use crate::reservations::Reservation;
use crate::sale::Sale;

impl Sale {
    /// The sale's clock, Unix milliseconds.
    #[must_use]
    pub const fn at_ms(&self) -> u64 {
        self.at_ms
    }

    /// The sale's age: it never goes back. (By when the first event happened, it is as old as that is late.)
    #[must_use]
    pub const fn age_ms(&self) -> u64 {
        self.age(self.at_ms)
    }

    /// By how much the sale's time leads the server's clock, milliseconds.
    #[must_use]
    pub const fn clock_lead_ms(&self, now_ms: u64) -> u64 {
        self.at_ms.saturating_sub(now_ms)
    }

    /// Whether a reservation is a hold that is over at `now_ms`, whether or not it has expired yet.
    #[must_use]
    pub fn is_over(&self, reservation: &Reservation, now_ms: u64) -> bool {
        reservation.is_due(self.now(now_ms))
    }

    /// The time to which the sale is to step back before it decides anything at `now_ms`; none: it need not.
    #[must_use]
    pub const fn steps_back_to(&self, now_ms: u64) -> Option<u64> {
        let lead_ms = self.clock_lead_ms(now_ms);
        let has_room = lead_ms <= AGE_MS_MAX - self.stepped_back_ms;
        if lead_ms > CLOCK_LEAD_MS_MAX && has_room { Some(now_ms) } else { None }
    }

    /// Steps back to `at_ms`, if [`Sale::steps_back_to`] says so: what was left of every hold is left of it.
    pub const fn step_back(&mut self, at_ms: u64) {
        if let Some(at_ms) = self.steps_back_to(at_ms) {
            self.stepped_back_ms += self.at_ms - at_ms;
            self.at_ms = at_ms;
        }
    }

    /// The sale's clock: `now_ms`, unless that lies before an event that has happened, or beyond the end of time.
    pub(crate) fn now(&self, now_ms: u64) -> u64 {
        now_ms.min(TIME_MS_MAX).max(self.at_ms)
    }

    /// The sale's clock as it will be once the sale has stepped back.
    pub(crate) fn now_after_step(&self, now_ms: u64) -> u64 {
        self.steps_back_to(now_ms).unwrap_or_else(|| self.now(now_ms))
    }

    /// The age at the sale's time `at_ms`.
    pub(crate) const fn age(&self, at_ms: u64) -> u64 {
        at_ms + self.stepped_back_ms
    }

    /// A reservation as it is stored: its hold ends by the sale's age.
    pub(crate) fn to_store<'b, 'a>(&self, reserved: &'b Reserved<'a>) -> Cow<'b, Reserved<'a>> {
        match reserved.expires_at_ms {
            Some(expires_at_ms) if self.stepped_back_ms > 0 => {
                Cow::Owned(Reserved { expires_at_ms: Some(self.age(expires_at_ms)), ..reserved.clone() })
            }
            _ => Cow::Borrowed(reserved),
        }
    }

    /// A reservation as callers see it: its hold ends by the sale's time.
    pub(crate) fn told<'a>(&self, stored: Reservation<'a>) -> Reservation<'a> {
        let expires_at_ms = stored.made.expires_at_ms.map(|age_ms| age_ms.saturating_sub(self.stepped_back_ms));
        Reservation { made: Reserved { expires_at_ms, ..stored.made }, ..stored }
    }
}
