//! Writes after all what went to the quarantine.

use flash_wire::message::{MessageChange, MessageEvent};
use flash_wire::{Message, State};
use tokio_postgres::Transaction;

use crate::announce::{Touched, announce};
use crate::epochs::{self, Batch};
use crate::error::Error;
use crate::number::to_sql;
use crate::refusal::Refusal;
use crate::settle::attempt;
use crate::sql;
use crate::statements::Statements;
use crate::step::Step;
use crate::write::Vault;

/// What came of a replay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Replay {
    /// It is written, and marked so.
    Written,
    /// It cannot be written now either. It stays, with this reason.
    Refused(String),
    /// Nothing waits there under this number.
    Gone,
}

/// How a reservation stands by now, for whoever writes it late: its end may have come while it was not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Its state in Redis.
    pub state: State,
    /// When it was asked for, Unix milliseconds: the end's own time is not known any more.
    pub at_ms: u64,
}

/// A reservation that was never written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateReservation {
    /// Of which sale.
    pub sale: String,
    /// Its id.
    pub id: u64,
    /// Who reserved.
    pub buyer: String,
}

impl Vault {
    /// The reservation that a row of the quarantine would make. None: it makes none, or does not wait.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn late_reservation(&self, id: u64) -> Result<Option<LateReservation>, Error> {
        let row = self.client.query_opt(sql::quarantine::WAITING_EVENT, &[&to_sql(id)]).await?;
        let Some(body) = row.map(|row| row.get::<_, Vec<u8>>(0)) else { return Ok(None) };
        let Ok(message) = Message::decode(&body) else { return Ok(None) };
        let Some(MessageEvent { seq, change: MessageChange::Reserved(reserved), .. }) = message.events.first() else {
            return Ok(None);
        };
        let (sale, buyer) = (message.sale.clone().into_owned(), reserved.buyer.clone().into_owned());
        Ok(Some(LateReservation { sale, id: *seq, buyer }))
    }

    /// Writes a row of the quarantine after all. A message that can be read by now goes the usual way. An event is late:
    /// what came after it is written already. So it is applied by itself, in one transaction that ends with its mark,
    /// and the constraints decide; `standing` is how its reservation stands by now, where it makes one.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble. Whether it was written is unknown then, and the call may be repeated.
    pub async fn replay(&mut self, id: u64, standing: Option<Standing>) -> Result<Replay, Error> {
        let mut transaction = self.client.transaction().await?;
        let Some(row) = transaction.query_opt(sql::quarantine::LOCK_QUARANTINED, &[&to_sql(id)]).await? else {
            return Ok(Replay::Gone);
        };
        let body: Vec<u8> = row.get(0);
        let is_event = row.get::<_, Option<i64>>(1).is_some();
        let message = match Message::decode(&body) {
            Ok(message) => message,
            Err(bad) => return refuse(transaction, id, bad.to_string()).await,
        };
        if is_event {
            let refusal = apply_late(&mut transaction, &self.statements, &message, standing).await?;
            return match refusal {
                None => replayed(transaction, id).await,
                Some(reason) => {
                    transaction.rollback().await?;
                    refuse(self.client.transaction().await?, id, reason).await
                }
            };
        }
        transaction.rollback().await?;
        // Idempotent: if the mark is not made, the same may be written again.
        self.write(&[message]).await?;
        replayed(self.client.transaction().await?, id).await
    }
}

async fn replayed(transaction: Transaction<'_>, id: u64) -> Result<Replay, Error> {
    transaction.execute(sql::quarantine::REPLAYED, &[&to_sql(id)]).await?;
    transaction.commit().await?;
    Ok(Replay::Written)
}

async fn refuse(transaction: Transaction<'_>, id: u64, reason: String) -> Result<Replay, Error> {
    transaction.execute(sql::quarantine::STAYS_QUARANTINED, &[&to_sql(id), &reason]).await?;
    transaction.commit().await?;
    Ok(Replay::Refused(reason))
}

/// Why the event cannot be applied, if so.
async fn apply_late(
    transaction: &mut Transaction<'_>,
    statements: &Statements,
    message: &Message<'_>,
    standing: Option<Standing>,
) -> Result<Option<String>, Error> {
    let steps: Vec<_> = Step::of(message).collect();
    let [step] = *steps else { return Ok(Some("it is not one event".to_owned())) };
    let event = step.event;
    let batch = Batch::from([((step.sale, step.epoch), steps)]);
    let locked = epochs::lock(transaction, statements, &batch).await?;
    for epoch in &locked {
        if epoch.sealed_at.is_some_and(|last| last < event.seq) {
            return Ok(Some("it came when its epoch was over".to_owned()));
        }
        if epoch.head < event.seq {
            return Ok(Some("its turn has not come".to_owned()));
        }
    }
    let end = match &event.change {
        MessageChange::Reserved(_) => match standing {
            Some(standing) => end(event.seq, standing),
            None => return Ok(Some("how the reservation stands by now is not known".to_owned())),
        },
        MessageChange::Confirmed { .. } | MessageChange::Released { .. } | MessageChange::Expired { .. } => None,
        // A later one may have been written: this one would undo it.
        _ => return Ok(Some("it says how the sale stood then, not how it stands now".to_owned())),
    };
    let steps: Vec<_> = std::iter::once(step).chain(end.iter().map(|event| Step { event, ..step })).collect();
    Ok(match attempt(transaction, statements, &steps).await? {
        None => {
            let mut touched = Touched::default();
            steps.iter().for_each(|step| touched.add(step));
            announce(transaction, statements, &touched).await?;
            None
        }
        Some(Refusal::Rejected(reason)) => Some(reason.to_owned()),
        Some(Refusal::Unwritable(reason)) => Some(reason),
    })
}

/// The event that led to where a reservation stands.
fn end(id: u64, Standing { state, at_ms }: Standing) -> Option<MessageEvent<'static>> {
    let change = match state {
        State::Held => return None,
        State::Confirmed => MessageChange::Confirmed { id },
        State::Released => MessageChange::Released { id },
        State::Expired => MessageChange::Expired { ids: vec![id] },
    };
    Some(MessageEvent { seq: id, at_ms, change })
}
