//! A sale as Redis shows it: its state at one event, and the journal up to that event.

use flash_client::{Call, Client};
use flash_wire::{COUNT_MAX, Event, Pull, PullAnswer, Refusal, SaleStatus};

use crate::error::AuditError;
use crate::limits::{IN_FLIGHT_EVENTS_MAX, PULLS_MAX};
use crate::steps::Step;

/// The relay's name under which an audit looks at a journal. It never takes a lease.
pub const CALLER: &str = "audit";

/// A sale at the event `status.seq`.
pub(crate) struct Look {
    pub(crate) status: SaleStatus<'static>,
    /// The journal's events behind where the look began, in order, none beyond `status.seq`; none, if there are too
    /// many.
    pub(crate) steps: Option<Vec<(u64, Step)>>,
    /// When the first of them was decided, Unix milliseconds.
    pub(crate) since_ms: Option<u64>,
}

/// What came of a look.
pub(crate) enum Looked {
    /// Redis has no such sale.
    NotWarmed,
    /// The sale became another one meanwhile.
    Moved,
    Seen(Box<Look>),
}

/// Looks at a sale, and at its journal after `after`. The state comes first: what happens after it is cut off.
pub(crate) async fn look(redis: &Client, sale: &str, after: u64) -> Result<Looked, AuditError> {
    let status = match redis.call(Call::sale_status(sale)).await? {
        Ok(status) => status,
        Err(Refusal::NotWarmed) => return Ok(Looked::NotWarmed),
        Err(refusal) => return Err(AuditError::Refused(refusal.code())),
    };
    let mut after = after.max(status.acked);
    let mut look = Look { steps: None, since_ms: None, status };
    if look.status.seq.saturating_sub(after) > IN_FLIGHT_EVENTS_MAX {
        return Ok(Looked::Seen(Box::new(look)));
    }
    let mut steps = Vec::new();
    for _ in 0..PULLS_MAX {
        if after >= look.status.seq {
            break;
        }
        let pull = Pull { relay: CALLER, lease_ms: 0, after: Some(after), count: COUNT_MAX };
        let Ok(pulled) = redis.call(Call::pull(sale, &pull)).await? else { return Ok(Looked::Moved) };
        if pulled.epoch != look.status.epoch || pulled.head < look.status.seq {
            return Ok(Looked::Moved);
        }
        let read = read(&pulled)?;
        // Nothing more, although the head lies beyond: it was acknowledged meanwhile.
        let Some((last, ..)) = read.last() else { break };
        after = *last;
        look.since_ms = look.since_ms.or_else(|| read.first().map(|(_, at_ms, _)| *at_ms));
        let until = look.status.seq;
        steps.extend(read.into_iter().filter(|(seq, ..)| *seq <= until).map(|(seq, _, step)| (seq, step)));
    }
    look.steps = Some(steps);
    Ok(Looked::Seen(Box::new(look)))
}

fn read(pulled: &PullAnswer) -> Result<Vec<(u64, u64, Step)>, AuditError> {
    let step = |bytes: &Vec<u8>| {
        let event = Event::decode(bytes).map_err(|error| AuditError::Journal(error.to_string()))?;
        let step = Step::of(&event.change, &pulled.skus).ok_or(AuditError::Journal("an unknown SKU".to_owned()))?;
        Ok((event.seq, event.at_ms, step))
    };
    pulled.events.iter().map(step).collect()
}
