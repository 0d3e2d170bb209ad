//! What a relay needs: `FLASH.READY`, `FLASH.PULL`, `FLASH.ACK`.

use std::ffi::CStr;

use flash_sale::Refusal;
use flash_wire::{Ack, AckAnswer, Pull, PullAnswer, Ready, ReadyAnswer, ReadySale};

use crate::call::{Call, Command};
use crate::docs::{Arg, COUNT, Docs, KEY, Kind};
use crate::fault::Fault;
use crate::life;
use crate::open_sale::{answer, with_sale};
use crate::ready::{self, Verdict};
use crate::stored::Stored;

pub(crate) struct ReadyCommand;

impl Command for ReadyCommand {
    const NAME: &CStr = c"FLASH.READY";
    const FLAGS: &CStr = c"readonly fast";
    const HAS_KEY: bool = false;
    const DOCS: Docs = Docs {
        summary: c"Lists the sales of this database with events to relay or holds to reap, and those that are fenced.",
        complexity: c"O(N), N being the number of sales looked at, at most 1000",
        args: &[COUNT],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Ready { count } = call.with_args::<Self, _>(Ready::parse)?;
        let (now_ms, mut sales) = (call.now_ms(), Vec::new());
        ready::scan(call.db(), usize::try_from(count).unwrap_or(usize::MAX), |name| {
            call.with_key::<Stored, _>(name, |key| {
                let Ok(mut key) = key else { return (false, Verdict::Drop) };
                let Some((stored, _)) = key.value() else { return (false, Verdict::Drop) };
                if !stored.needs_attention() || stored.is_away(name) {
                    stored.listed = false;
                    return (false, Verdict::Drop);
                }
                let ready = ready_sale(name, stored, now_ms);
                let is_ready = ready.is_some();
                sales.extend(ready);
                (is_ready, Verdict::Keep)
            })
        });
        answer(call, &Ok(ReadyAnswer { generation: life::generation(), sales }))
    }
}

fn ready_sale(key: &[u8], stored: &Stored, now_ms: u64) -> Option<ReadySale> {
    let (sale, fenced) = (&stored.sale, stored.is_fenced());
    let due = !fenced && sale.has_due_holds(now_ms);
    (due || fenced || sale.journal_events() > 0).then(|| ReadySale {
        key: key.to_vec(),
        epoch: sale.epoch(),
        acked: sale.acked(),
        head: sale.seq(),
        due,
        fenced,
        oldest_at_ms: sale.journal_since_ms().unwrap_or(0),
    })
}

pub(crate) struct PullCommand;

impl Command for PullCommand {
    const NAME: &CStr = c"FLASH.PULL";
    // It takes a lease, which is not data: nothing is written or replicated.
    const FLAGS: &CStr = c"readonly";
    const DOCS: Docs = Docs {
        summary: c"Reads events from a sale's journal under a lease (LEASE 0: without one), without dropping them.",
        complexity: c"O(N), N being the number of events",
        args: &[
            KEY,
            Arg::new(c"relay", Kind::Text),
            Arg::new(c"lease-ms", Kind::Int).token(c"LEASE"),
            Arg::new(c"seq", Kind::Int).token(c"AFTER").optional(),
            COUNT,
        ],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Pull { relay, lease_ms, after, count } = call.with_args::<Self, _>(Pull::parse)?;
        with_sale(call, |open| {
            if open.is_away() {
                return Ok(Err(Refusal::Fenced));
            }
            let sale = open.sale();
            let leased = if lease_ms == 0 { Ok(()) } else { sale.lease(relay, call.now_ms(), lease_ms) };
            Ok(leased.map(|()| {
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

pub(crate) struct AckCommand;

impl Command for AckCommand {
    const NAME: &CStr = c"FLASH.ACK";
    const FLAGS: &CStr = c"write fast";
    const DOCS: Docs = Docs {
        summary: c"Drops the events from a sale's journal that PostgreSQL has. A sale that never made them is fenced.",
        complexity: c"O(1) amortised",
        args: &[KEY, Arg::new(c"epoch", Kind::Int), Arg::new(c"seq", Kind::Int)],
    };

    fn run(call: &Call) -> Result<(), Fault> {
        let Ack { epoch, seq } = call.with_args::<Self, _>(Ack::parse)?;
        with_sale(call, |open| {
            let (before, was_fenced) = (open.sale().acked(), open.sale().is_fenced());
            let outcome = open.sale().ack(epoch, seq);
            let acked = open.sale().acked();
            if acked > before {
                open.changed_as_said(call);
            }
            if open.sale().is_fenced() && !was_fenced {
                open.fenced_itself();
            }
            Ok(outcome.map(|()| AckAnswer { acked }))
        })
    }
}
