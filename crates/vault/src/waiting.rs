//! Events that wait beyond a gap, where an epoch is written from Redis. Redis has only what is active: a reservation
//! that was made and has ended beyond the gap is known from them alone.

use std::collections::HashMap;

use flash_wire::message::{MessageChange, MessageEvent, MessageReserved};
use flash_wire::{Message, State};
use serde_json::value::RawValue;
use tokio_postgres::types::{Json, ToSql};

use crate::announce::{Touched, announce};
use crate::early::EARLY_EVENTS_MAX;
use crate::error::Error;
use crate::hold::Hold;
use crate::number::{from_sql, to_sql};
use crate::refusal::put_aside;
use crate::settle::settle;
use crate::sql;
use crate::statements::Statements;
use crate::step::Step;

/// How reservations ended, as the events say that wait, and Redis.
#[derive(Debug, Default)]
pub(crate) struct Ends {
    states: HashMap<u64, (State, u64)>,
    /// When the newest of these events was made, Unix milliseconds.
    newest_ms: u64,
}

impl Ends {
    /// Reads the events of an epoch up to `last`.
    pub(crate) async fn read(&mut self, hold: &Hold<'_, '_>, epoch: u64, last: u64) -> Result<(), Error> {
        let mut page = Page::after(hold.head(epoch));
        while page.turn(hold, epoch, last).await? {
            let messages: Vec<_> = page.kept.iter().filter_map(|(_, body)| decode(body).ok()).collect();
            messages.iter().flat_map(|message| &message.events).for_each(|event| self.add(event));
        }
        Ok(())
    }

    /// The first end counts.
    pub(crate) fn add(&mut self, event: &MessageEvent<'_>) {
        let mut ended = |id, state| {
            self.states.entry(id).or_insert((state, event.at_ms));
        };
        match &event.change {
            MessageChange::Confirmed { id } => ended(*id, State::Confirmed),
            MessageChange::Released { id } => ended(*id, State::Released),
            MessageChange::Expired { ids } => ids.iter().for_each(|id| ended(*id, State::Expired)),
            _ => {}
        }
        self.newest_ms = self.newest_ms.max(event.at_ms);
    }

    /// Ends that Redis still knows. When they were, it does not say.
    pub(crate) fn add_known(&mut self, ended: &[(u64, State)]) {
        for (id, state) in ended {
            self.states.entry(*id).or_insert((*state, self.newest_ms));
        }
    }

    /// What a hold is that Redis does not have any more: where nothing says how it ended, it was released.
    pub(crate) fn of(&self, id: u64) -> State {
        self.states.get(&id).map_or(State::Released, |(state, _)| *state)
    }

    fn event(&self, id: u64) -> MessageEvent<'static> {
        let (state, at_ms) = self.states.get(&id).copied().unwrap_or((State::Released, self.newest_ms));
        let change = match state {
            State::Confirmed => MessageChange::Confirmed { id },
            State::Expired => MessageChange::Expired { ids: vec![id] },
            State::Held | State::Released => MessageChange::Released { id },
        };
        MessageEvent { seq: id, at_ms, change }
    }
}

/// Writes the reservations of an epoch up to the event `last` that wait, and that are neither orders nor rejections by
/// now: each as it ended. Those that are orders get what came with them, which Redis does not have. What cannot be
/// written is recorded as such.
pub(crate) async fn write(
    hold: &mut Hold<'_, '_>,
    statements: &Statements,
    epoch: u64,
    last: u64,
    ends: &Ends,
) -> Result<(), Error> {
    let mut page = Page::after(hold.head(epoch));
    while page.turn(hold, epoch, last).await? {
        let mut messages = Vec::with_capacity(page.kept.len());
        for (seq, body) in &page.kept {
            match decode(body) {
                Ok(message) => messages.push(message),
                Err(reason) => put_aside(hold.transaction, (hold.sale, epoch, *seq), &reason, body.as_bytes()).await?,
            }
        }
        let steps: Vec<_> = messages.iter().flat_map(Step::of).collect();
        let unknown = fill_in(hold, &steps).await?;
        let endings: Vec<_> = unknown.iter().map(|step| ends.event(step.event.seq)).collect();
        let pairs = unknown.iter().zip(&endings);
        let steps: Vec<_> = pairs.flat_map(|(step, event)| [*step, Step { event, ..*step }]).collect();
        // The caller counts the content anew.
        settle(hold.transaction, statements, &steps).await?;
        let ids: Vec<_> = unknown.iter().map(|step| to_sql(step.event.seq)).collect();
        hold.transaction.execute(sql::restore::MARK_RESTORED, &[&hold.sale, &to_sql(epoch), &ids]).await?;
        let mut touched = Touched::default();
        steps.iter().for_each(|step| touched.add(step));
        announce(hold.transaction, statements, &touched).await?;
    }
    Ok(())
}

/// Gives orders what came with them, and gives the reservations that are neither orders nor rejections.
async fn fill_in<'a>(hold: &Hold<'_, '_>, steps: &[Step<'a>]) -> Result<Vec<Step<'a>>, Error> {
    let reserved: Vec<_> = steps.iter().filter_map(|step| Some((*step, reserved(step)?))).collect();
    let ids: Vec<_> = reserved.iter().map(|(step, _)| to_sql(step.event.seq)).collect();
    let buyers: Vec<_> = reserved.iter().map(|(_, reserved)| &*reserved.buyer).collect();
    let data: Vec<_> = reserved.iter().map(|(_, one)| one.data.as_deref().map(Json::<&RawValue>)).collect();
    let requests: Vec<_> = reserved.iter().map(|(_, reserved)| reserved.request.as_deref()).collect();
    let at: Vec<_> = reserved.iter().map(|(step, _)| to_sql(step.event.at_ms)).collect();
    let values: [&(dyn ToSql + Sync); 6] = [&hold.sale, &ids, &buyers, &data, &requests, &at];
    let rows = hold.transaction.query(sql::restore::FILL_IN, &values).await?;
    let known: std::collections::HashSet<u64> = rows.iter().map(|row| from_sql(row.get(0))).collect();
    Ok(reserved.into_iter().map(|(step, _)| step).filter(|step| !known.contains(&step.event.seq)).collect())
}

fn reserved<'a>(step: &Step<'a>) -> Option<&'a MessageReserved<'a>> {
    match &step.event.change {
        MessageChange::Reserved(reserved) => Some(reserved),
        _ => None,
    }
}

fn decode(body: &str) -> Result<Message<'_>, String> {
    Message::decode(body.as_bytes()).map_err(|bad| bad.to_string())
}

/// Some of the events that wait, each with its seq.
struct Page {
    after: u64,
    kept: Vec<(u64, String)>,
}

impl Page {
    const fn after(after: u64) -> Self {
        Self { after, kept: Vec::new() }
    }

    /// Reads the next ones. False: there are none.
    async fn turn(&mut self, hold: &Hold<'_, '_>, epoch: u64, last: u64) -> Result<bool, Error> {
        let (epoch, limit) = (to_sql(epoch), to_sql(EARLY_EVENTS_MAX as u64));
        let values: [&(dyn ToSql + Sync); 4] = [&hold.sale, &epoch, &to_sql(self.after), &limit];
        let rows = hold.transaction.query(sql::events::READ_EARLY, &values).await?;
        self.kept = rows.iter().map(|row| (from_sql(row.get(1)), row.get(0))).collect();
        self.kept.retain(|(seq, _)| *seq <= last);
        self.after = self.kept.last().map_or(self.after, |(seq, _)| *seq);
        Ok(!self.kept.is_empty())
    }
}
