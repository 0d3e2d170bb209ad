//! A sale in its key: what every command does with it.

use std::ffi::CStr;

use flash_sale::limits::{EXPIRED_PER_COMMAND_MAX, EXPIRED_PER_EVENT_MAX};
use flash_sale::{Change, Command as Wish, Event, Refusal, Sale};
use flash_wire::{Answer, Attempt, Outcome, reply};

use crate::call::{Call, Key, KeyName};
use crate::fault::Fault;
use crate::ready;
use crate::stats;
use crate::stored::Stored;

/// Carries one event to replicas and the AOF.
pub(crate) const APPLY: &CStr = c"FLASH.APPLY";
/// Carries a step back of a sale's time to replicas and the AOF.
pub(crate) const CLOCK: &CStr = c"FLASH.CLOCK";
/// Carries a fence to replicas and the AOF.
pub(crate) const FENCE: &CStr = c"FLASH.FENCE";

/// Replies.
pub(crate) fn answer<T: Answer>(call: &Call, outcome: &Outcome<T>) -> Result<(), Fault> {
    if let Err(refusal) = outcome {
        stats::refused(*refusal);
    }
    reply::write(outcome, &mut call.reply());
    Ok(())
}

/// Runs `f` on the command's sale and replies with what it gives. A sale in which it panics takes no more writes: what
/// it holds may be half a change.
pub(crate) fn with_sale<T: Answer>(
    call: &Call,
    f: impl FnOnce(&mut OpenSale) -> Result<Outcome<T>, Fault>,
) -> Result<(), Fault> {
    let mut key = call.key::<Stored>()?;
    let outcome = match key.value() {
        Some((stored, _)) if stored.is_poisoned && call.writes() => return Err(Fault::Poisoned),
        Some((stored, name)) => {
            let was_poisoned = std::mem::replace(&mut stored.is_poisoned, true);
            let mut open = OpenSale { stored, name, db: call.db() };
            open.fence_if_in_doubt(call);
            let outcome = f(&mut open);
            stored.is_poisoned = was_poisoned;
            outcome?
        }
        None => Err(Refusal::NotWarmed),
    };
    answer(call, &outcome)
}

/// [`with_sale`] for what a fenced sale refuses whatever else is asked.
pub(crate) fn with_selling_sale<T: Answer>(
    call: &Call,
    f: impl FnOnce(&mut OpenSale) -> Result<Outcome<T>, Fault>,
) -> Result<(), Fault> {
    with_sale(call, |open| if open.sale().is_fenced() { Ok(Err(Refusal::Fenced)) } else { f(open) })
}

/// A sale in its key.
pub(crate) struct OpenSale<'k, 'a> {
    pub(crate) stored: &'k mut Stored,
    pub(crate) name: &'k KeyName<'a>,
    pub(crate) db: i32,
}

impl OpenSale<'_, '_> {
    pub(crate) const fn sale(&mut self) -> &mut Sale {
        &mut self.stored.sale
    }

    /// Fences a sale that may lack what was decided last, before a client's command changes it.
    pub(crate) fn fence_if_in_doubt(&mut self, call: &Call) {
        let is_in_doubt = self.stored.is_in_doubt() || self.is_away();
        if !is_in_doubt || self.sale().is_fenced() || !call.writes() || call.is_replicated() {
            return;
        }
        self.sale().fence();
        self.fenced_itself();
    }

    /// Whether the sale belongs under another name.
    pub(crate) fn is_away(&self) -> bool {
        self.stored.is_away(self.name.bytes())
    }

    /// Whether a client speaks for another recovery attempt than the one that has fenced this very value.
    pub(crate) fn is_fenced_for_another(&self, call: &Call, attempt: Option<Attempt>) -> bool {
        let is_this = |attempt: Attempt| attempt.instance == self.stored.instance || call.is_replicated();
        Attempt::term(attempt) != self.stored.sale.term() || !attempt.is_none_or(is_this)
    }

    /// The sale has fenced itself, and replicas and the AOF are to know.
    pub(crate) fn fenced_itself(&mut self) {
        self.name.replicate(FENCE, None);
        self.name.changed();
        self.list();
    }

    /// Steps back where the server's clock did, before anything is decided by it.
    pub(crate) fn keep_time(&mut self, now_ms: u64) {
        let Some(at_ms) = self.sale().steps_back_to(now_ms).filter(|_| !self.stored.sale.is_fenced()) else { return };
        self.name.warn(&format!(
            "the clock is {} ms behind the time of a sale, which steps back: its holds keep their remaining time",
            self.stored.sale.clock_lead_ms(now_ms)
        ));
        stats::STEPPED_BACK.add(1);
        self.set_clock(at_ms);
        self.name.replicate(CLOCK, Some(at_ms.to_string().as_bytes()));
    }

    /// The sale's time is `at_ms` from now on, if it was further ahead than it may.
    pub(crate) fn set_clock(&mut self, at_ms: u64) {
        self.sale().step_back(at_ms);
        self.stored.gauges.show(&self.stored.sale);
        self.name.changed();
    }

    /// Expires due holds, at most `holds_max`, and says how many.
    pub(crate) fn expire(&mut self, now_ms: u64, holds_max: usize, buyer: Option<&str>) -> usize {
        self.keep_time(now_ms);
        let Some(event) = self.sale().expire(now_ms, holds_max, buyer) else { return 0 };
        self.happen(&event);
        match event.change {
            Change::Expired { ids } => ids.len(),
            _ => 0,
        }
    }

    /// What comes of a wish. Holds that are due end first, `buyer`'s own before all, and more of them as long as units
    /// that they hold are what is lacking. Beyond [`EXPIRED_PER_COMMAND_MAX`] the answer is the state by then, and a
    /// repeat goes on from there.
    pub(crate) fn decide<'e>(
        &mut self,
        wish: &Wish<'e>,
        now_ms: u64,
        buyer: Option<&str>,
    ) -> Result<Event<'e>, Refusal> {
        let (mut more, mut expired) = (self.expire(now_ms, EXPIRED_PER_EVENT_MAX, buyer), 0);
        loop {
            let decided = self.sale().decide(wish, now_ms);
            let lacks_units = matches!(
                (wish, &decided),
                (Wish::Reserve(_), Err(Refusal::SoldOut)) | (Wish::Restock { .. }, Err(Refusal::Conflict))
            );
            expired += more;
            if more == 0 || !lacks_units || expired >= EXPIRED_PER_COMMAND_MAX {
                return decided;
            }
            more = self.expire(now_ms, EXPIRED_PER_COMMAND_MAX - expired, None);
        }
    }

    /// The command has changed the sale without an event, and replicas and the AOF are to get it as it was said.
    pub(crate) fn changed_as_said(&mut self, call: &Call) {
        self.stored.gauges.show(&self.stored.sale);
        call.replicate_verbatim();
        self.name.changed();
        self.list();
    }

    /// Lets an event happen, here and on every replica.
    pub(crate) fn happen(&mut self, event: &Event) {
        self.apply(event);
        self.name.replicate(APPLY, Some(self.stored.sale.newest_event()));
    }

    pub(crate) fn apply(&mut self, event: &Event) {
        self.sale().apply(event);
        self.stored.gauges.show(&self.stored.sale);
        self.name.changed();
        self.name.notify(stats::happened(&event.change));
        if matches!(event.change, Change::Reserved(_)) && self.sale().available() == 0 {
            self.name.notify(c"flash.sold_out");
        }
        self.list();
    }

    fn list(&mut self) {
        if !self.stored.listed && self.stored.needs_attention() {
            self.stored.listed = true;
            ready::list(self.db, self.name.bytes());
        }
    }
}

/// Lets the event that makes a sale happen, in an empty key or in place of an earlier life of the sale.
pub(crate) fn warm(call: &Call, key: &mut Key<Stored>, event: &Event) -> Result<(), Fault> {
    let mut life = Stored::new(event)?;
    if let Some((before, _)) = key.value() {
        before.is_replaced = true;
        life.instance = before.instance;
    }
    put(call, key, life);
    let happened = stats::happened(&event.change);
    if let Some((_, name)) = key.value() {
        name.notify(happened);
    }
    Ok(())
}

/// Puts a sale into its key.
pub(crate) fn put(call: &Call, key: &mut Key<Stored>, stored: Stored) {
    key.set(stored);
    if let Some((stored, name)) = key.value() {
        stored.came_to(name.bytes());
        stored.listed = true;
        ready::list(call.db(), name.bytes());
        name.changed();
    }
}
