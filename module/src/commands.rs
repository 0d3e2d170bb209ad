//! The commands. Each has one shape: parse, open, expire what is due, decide, let it happen, reply.

use std::ffi::CStr;

use flash_sale::limits::EXPIRED_PER_EVENT_MAX;
use flash_sale::{Change, Command as Wish, Event, Items, Refusal, Sale};
use flash_wire::{
    Ack, AckAnswer, Answer, EndHold, EndHoldAnswer, Outcome, Pull, PullAnswer, Ready, ReadyAnswer, ReadySale, Reap,
    ReapAnswer, Reserve, ReserveAnswer, Wanted, Warm, WarmAnswer, reply,
};

use crate::api::{Ctx, register as add};
use crate::call::{Call, Command, Key, KeyName};
use crate::fault::Fault;
use crate::ready::{self, Verdict};
use crate::status::Status;
use crate::stored::Stored;
use crate::value::Value;

/// Carries one event to replicas and the AOF.
const APPLY: &CStr = c"FLASH.APPLY";

/// Adds every command to the server.
pub(crate) fn register(ctx: Ctx) -> Result<(), String> {
    add::<WarmCommand>(ctx)?;
    add::<ReserveCommand>(ctx)?;
    add::<ConfirmCommand>(ctx)?;
    add::<ReleaseCommand>(ctx)?;
    add::<Status>(ctx)?;
    add::<ReapCommand>(ctx)?;
    add::<ReadyCommand>(ctx)?;
    add::<PullCommand>(ctx)?;
    add::<AckCommand>(ctx)?;
    add::<ApplyCommand>(ctx)?;
    add::<LoadCommand>(ctx)?;
    #[cfg(debug_assertions)]
    add::<PanicCommand>(ctx)?;
    Ok(())
}

fn answer<T: Answer>(call: &Call, outcome: &Outcome<T>) -> Result<(), Fault> {
    reply::write(outcome, &mut call.reply());
    Ok(())
}

/// Runs `f` on the command's sale and replies with what it gives.
pub(crate) fn with_sale<T: Answer>(
    call: &Call,
    f: impl FnOnce(&mut OpenSale) -> Result<Outcome<T>, Fault>,
) -> Result<(), Fault> {
    let mut key = call.key::<Stored>()?;
    let outcome = match key.value() {
        Some((stored, name)) => f(&mut OpenSale { stored, name, db: call.db() })?,
        None => Err(Refusal::NotWarmed),
    };
    answer(call, &outcome)
}

/// A sale in its key.
pub(crate) struct OpenSale<'k, 'a> {
    stored: &'k mut Stored,
    name: &'k KeyName<'a>,
    db: i32,
}

impl OpenSale<'_, '_> {
    pub(crate) const fn sale(&mut self) -> &mut Sale {
        &mut self.stored.sale
    }

    /// Expires due holds, at most `holds_max`, and says how many.
    fn expire(&mut self, now_ms: u64, holds_max: usize, buyer: Option<&str>) -> usize {
        let Some(event) = self.sale().expire(now_ms, holds_max, buyer) else { return 0 };
        self.happen(&event);
        match event.change {
            Change::Expired { ids } => ids.len(),
            _ => 0,
        }
    }

    /// Lets an event happen, here and on every replica.
    fn happen(&mut self, event: &Event) {
        self.apply(event);
        self.name.replicate(APPLY, self.stored.sale.newest_event());
    }

    fn apply(&mut self, event: &Event) {
        self.sale().apply(event);
        self.name.changed();
        if !std::mem::replace(&mut self.stored.listed, true) {
            ready::list(self.db, self.name.bytes());
        }
    }
}

/// Puts a new sale into an empty key.
fn put(call: &Call, key: &mut Key<Stored>, stored: Stored) {
    key.set(stored);
    if let Some((stored, name)) = key.value() {
        stored.listed = true;
        ready::list(call.db(), name.bytes());
        name.changed();
    }
}

struct WarmCommand;

impl Command for WarmCommand {
    const NAME: &CStr = c"FLASH.WARM";
    const FLAGS: &CStr = c"write deny-oom fast";

    fn run(call: &Call) -> Result<(), Fault> {
        let warm = call.with_args::<Self, _>(Warm::parse)?;
        let mut key = call.key::<Stored>()?;
        if let Some((stored, _)) = key.value() {
            let epoch = stored.sale.epoch();
            let is_same = *stored.sale.terms() == warm.terms && epoch == warm.epoch;
            return if is_same { answer(call, &Ok(WarmAnswer::Exists { epoch })) } else { Err(Fault::OtherTerms) };
        }
        let event = Sale::warmed(warm.terms, warm.epoch, call.now_ms());
        put(call, &mut key, Stored::new(&event)?);
        if let Some((stored, name)) = key.value() {
            name.replicate(APPLY, stored.sale.newest_event());
        }
        answer(call, &Ok(WarmAnswer::Warmed { epoch: event.epoch }))
    }
}

struct ReserveCommand;

impl Command for ReserveCommand {
    const NAME: &CStr = c"FLASH.RESERVE";
    const FLAGS: &CStr = c"write deny-oom fast";

    fn run(call: &Call) -> Result<(), Fault> {
        let Reserve { buyer, wanted, request, data } = call.with_args::<Self, _>(Reserve::parse)?;
        with_sale(call, |sale| {
            let items = items(sale.sale(), &wanted)?;
            let now_ms = call.now_ms();
            sale.expire(now_ms, EXPIRED_PER_EVENT_MAX, Some(buyer));
            let wish = Wish::Reserve(flash_sale::Reserve { buyer, items, request, data });
            Ok(sale.sale().decide(&wish, now_ms).map(|event| {
                sale.happen(&event);
                let expires_at_ms = match &event.change {
                    Change::Reserved(reserved) => reserved.expires_at_ms,
                    _ => None,
                };
                ReserveAnswer { id: event.seq, expires_at_ms, available: sale.sale().available() }
            }))
        })
    }
}

fn items(sale: &Sale, wanted: &Wanted) -> Result<Items, Fault> {
    Ok(match wanted {
        Wanted::Quantity(quantity) => sale.items_of_only_sku(*quantity)?,
        Wanted::Items(named) => sale.items(named)?,
    })
}

struct ConfirmCommand;

impl Command for ConfirmCommand {
    const NAME: &CStr = c"FLASH.CONFIRM";
    const FLAGS: &CStr = c"write fast";

    fn run(call: &Call) -> Result<(), Fault> {
        let EndHold { id } = call.with_args::<Self, _>(EndHold::parse)?;
        end_hold(call, &Wish::Confirm { id }, EndHoldAnswer::Confirmed { id })
    }
}

struct ReleaseCommand;

impl Command for ReleaseCommand {
    const NAME: &CStr = c"FLASH.RELEASE";
    const FLAGS: &CStr = c"write fast";

    fn run(call: &Call) -> Result<(), Fault> {
        let EndHold { id } = call.with_args::<Self, _>(EndHold::parse)?;
        end_hold(call, &Wish::Release { id }, EndHoldAnswer::Released { id })
    }
}

fn end_hold(call: &Call, wish: &Wish, done: EndHoldAnswer) -> Result<(), Fault> {
    with_sale(call, |sale| {
        let now_ms = call.now_ms();
        sale.expire(now_ms, EXPIRED_PER_EVENT_MAX, None);
        Ok(sale.sale().decide(wish, now_ms).map(|event| {
            sale.happen(&event);
            done
        }))
    })
}

struct ReapCommand;

impl Command for ReapCommand {
    const NAME: &CStr = c"FLASH.REAP";
    const FLAGS: &CStr = c"write fast";

    fn run(call: &Call) -> Result<(), Fault> {
        let Reap { count } = call.with_args::<Self, _>(Reap::parse)?;
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        with_sale(call, |sale| {
            let now_ms = call.now_ms();
            let mut expired = 0;
            while expired < count {
                match sale.expire(now_ms, count - expired, None) {
                    0 => break,
                    more => expired += more,
                }
            }
            Ok(Ok(ReapAnswer { expired: expired as u64 }))
        })
    }
}

struct ReadyCommand;

impl Command for ReadyCommand {
    const NAME: &CStr = c"FLASH.READY";
    const FLAGS: &CStr = c"readonly fast";
    const HAS_KEY: bool = false;

    fn run(call: &Call) -> Result<(), Fault> {
        let Ready { count } = call.with_args::<Self, _>(Ready::parse)?;
        let (now_ms, mut sales) = (call.now_ms(), Vec::new());
        ready::scan(call.db(), usize::try_from(count).unwrap_or(usize::MAX), |name| {
            call.with_key::<Stored, _>(name, |key| {
                let Ok(mut key) = key else { return (false, Verdict::Drop) };
                let Some((stored, _)) = key.value() else { return (false, Verdict::Drop) };
                if stored.sale.journal_events() == 0 && !stored.sale.has_holds() {
                    stored.listed = false;
                    return (false, Verdict::Drop);
                }
                let ready = ready_sale(name, &stored.sale, now_ms);
                let is_ready = ready.is_some();
                sales.extend(ready);
                (is_ready, Verdict::Keep)
            })
        });
        answer(call, &Ok(ReadyAnswer { sales }))
    }
}

fn ready_sale(key: &[u8], sale: &Sale, now_ms: u64) -> Option<ReadySale> {
    let due = sale.has_due_holds(now_ms);
    let ready = ReadySale { key: key.to_vec(), epoch: sale.epoch(), acked: sale.acked(), head: sale.seq(), due };
    (due || sale.journal_events() > 0).then_some(ready)
}

struct PullCommand;

impl Command for PullCommand {
    const NAME: &CStr = c"FLASH.PULL";
    // It takes a lease, which is not data: nothing is written or replicated.
    const FLAGS: &CStr = c"readonly";

    fn run(call: &Call) -> Result<(), Fault> {
        let Pull { relay, lease_ms, after, count } = call.with_args::<Self, _>(Pull::parse)?;
        with_sale(call, |sale| {
            let sale = sale.sale();
            Ok(sale.lease(relay, call.now_ms(), lease_ms).map(|()| {
                let count = usize::try_from(count).unwrap_or(usize::MAX);
                let events = sale.journal_after(after.unwrap_or(0)).take(count);
                PullAnswer {
                    epoch: sale.epoch(),
                    head: sale.seq(),
                    events: events.map(<[u8]>::to_vec).collect(),
                    skus: sale.terms().skus.iter().map(|sku| sku.name.clone()).collect(),
                }
            }))
        })
    }
}

struct AckCommand;

impl Command for AckCommand {
    const NAME: &CStr = c"FLASH.ACK";
    const FLAGS: &CStr = c"write fast";

    fn run(call: &Call) -> Result<(), Fault> {
        let Ack { epoch, seq } = call.with_args::<Self, _>(Ack::parse)?;
        with_sale(call, |sale| {
            let before = sale.sale().acked();
            let outcome = sale.sale().ack(epoch, seq);
            let acked = sale.sale().acked();
            if acked > before {
                call.replicate_verbatim();
                sale.name.changed();
            }
            Ok(outcome.map(|()| AckAnswer { acked }))
        })
    }
}

struct ApplyCommand;

impl Command for ApplyCommand {
    const NAME: &CStr = APPLY;
    const FLAGS: &CStr = c"write fast";

    fn run(call: &Call) -> Result<(), Fault> {
        let (mut key, bytes) = from_the_server::<Self>(call)?;
        let event = Event::decode(bytes)?;
        match key.value() {
            Some((stored, name)) => {
                stored.sale.accepts(&event).map_err(Fault::Unfit)?;
                OpenSale { stored, name, db: call.db() }.apply(&event);
            }
            None => put(call, &mut key, Stored::new(&event)?),
        }
        call.replicate_verbatim();
        answer(call, &Ok(AckAnswer { acked: event.seq }))
    }
}

struct LoadCommand;

impl Command for LoadCommand {
    const NAME: &CStr = Stored::LOAD;
    const FLAGS: &CStr = c"write";

    fn run(call: &Call) -> Result<(), Fault> {
        let (mut key, bytes) = from_the_server::<Self>(call)?;
        let stored = Stored::load(bytes)?;
        let seq = stored.sale.seq();
        put(call, &mut key, stored);
        call.replicate_verbatim();
        answer(call, &Ok(AckAnswer { acked: seq }))
    }
}

/// The key and the payload of a command that no client may send.
fn from_the_server<'a, C: Command>(call: &Call<'a>) -> Result<(Key<'a, Stored>, &'a [u8]), Fault> {
    if !call.is_replicated() {
        return Err(Fault::Internal);
    }
    let payload = call.with_args::<C, _>(|args| if let [payload] = args { Ok(*payload) } else { Err(Fault::Arity) })?;
    Ok((call.key()?, payload))
}

/// For the test that a panic is an error reply. No release has it.
#[cfg(debug_assertions)]
struct PanicCommand;

#[cfg(debug_assertions)]
impl Command for PanicCommand {
    const NAME: &CStr = c"FLASH.PANIC";
    const FLAGS: &CStr = c"readonly";
    const HAS_KEY: bool = false;

    fn run(_: &Call) -> Result<(), Fault> {
        panic!("asked to")
    }
}
