//! Writes after all what went to the quarantine.

use flash_wire::message::{MessageChange, MessageEvent};
use flash_wire::{Message, State};
use tokio_postgres::Transaction;

use crate::announce::{Touched, announce};
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::refusal::{Refusal, record};
use crate::replay_place::{Place, place};
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
    /// A rejection was written instead, for this reason, and the row is marked so.
    Rejected(String),
    /// It cannot be written now either. It stays, with this reason.
    Refused(String),
    /// Nothing waits there under this number.
    Gone,
}

/// Where a reservation is by now, for a replay that writes it late: its end may have come while it was not there.
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

/// A row that waits.
pub(crate) struct Waiting {
    pub(crate) body: Vec<u8>,
    /// It holds one event; else a message that could not be read.
    is_event: bool,
    /// Not: Redis may have decided something else, or nothing.
    pub(crate) is_authentic: bool,
}

/// Locks a row of the quarantine. None: none waits under this number.
pub(crate) async fn lock_row(transaction: &Transaction<'_>, id: u64) -> Result<Option<Waiting>, tokio_postgres::Error> {
    let row = transaction.query_opt(sql::quarantine::LOCK_QUARANTINED, &[&to_sql(id)]).await?;
    Ok(row.map(|row| Waiting {
        body: row.get(0),
        is_event: row.get::<_, Option<i64>>(1).is_some(),
        is_authentic: row.get(2),
    }))
}

/// Whether a reservation is an order of this buyer's.
pub(crate) async fn has_order(
    transaction: &Transaction<'_>,
    sale: &str,
    id: u64,
    buyer: &str,
) -> Result<bool, tokio_postgres::Error> {
    let orders = transaction.query(sql::quarantine::ORDER_STATES, &[&sale, &vec![to_sql(id)]]).await?;
    Ok(orders.iter().any(|order| order.get::<_, &str>(1) == buyer))
}

/// What a look at the row, under all locks, leads to.
enum Decision {
    /// It is applied, or was before: to be committed.
    Applied,
    /// Something else was written in its place, for this reason: to be committed.
    Rejected(String),
    /// Nothing may be written, for this reason: to be undone.
    Refused(String),
}

impl Vault {
    /// Writes a row of the quarantine after all. A message that can be read by now goes the usual way. An event is
    /// late: what came after it is written already. So it is applied by itself, in one transaction that ends with its
    /// mark, and the constraints decide.
    ///
    /// `standing` is asked where a reservation is by now, when the row and the sale's epochs are locked: nothing that
    /// Redis decides later is written before this is. None: Redis does not know it.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble: whether it was written is unknown then, and the call may be repeated. Or as
    /// `standing` says: then nothing was written.
    pub async fn replay<E: From<Error>>(
        &mut self,
        id: u64,
        standing: impl AsyncFnOnce(LateReservation) -> Result<Option<Standing>, E>,
    ) -> Result<Replay, E> {
        let mut transaction = self.client.transaction().await.map_err(Error::from)?;
        let row = lock_row(&transaction, id).await.map_err(Error::from)?;
        let Some(Waiting { body, is_event, is_authentic }) = row else { return Ok(Replay::Gone) };
        let decision = match Message::decode(&body) {
            _ if !is_authentic => Decision::Refused(NOT_AUTHENTIC.to_owned()),
            Err(bad) => Decision::Refused(bad.to_string()),
            Ok(message) if is_event => decide(&mut transaction, &self.statements, &message, standing).await?,
            Ok(message) => {
                drop(transaction);
                return Ok(self.replay_message(id, message).await?);
            }
        };
        match decision {
            Decision::Applied => Ok(end(transaction, id, None).await?),
            Decision::Rejected(reason) => Ok(end(transaction, id, Some(reason)).await?),
            Decision::Refused(reason) => {
                transaction.rollback().await.map_err(Error::from)?;
                Ok(self.stays(id, reason).await?)
            }
        }
    }

    /// Leaves a row where it is, with a new reason.
    async fn stays(&self, id: u64, reason: String) -> Result<Replay, Error> {
        self.client.execute(sql::quarantine::STAYS_QUARANTINED, &[&to_sql(id), &reason]).await?;
        Ok(Replay::Refused(reason))
    }

    /// Writes a message that can be read by now. That is idempotent: without the mark the same may be written again.
    async fn replay_message(&mut self, id: u64, message: Message<'_>) -> Result<Replay, Error> {
        let (sale, epoch) = (message.sale.clone().into_owned(), to_sql(message.epoch));
        let seqs: Vec<i64> = message.events.iter().map(|event| to_sql(event.seq)).collect();
        let newest = self.client.query_opt(sql::quarantine::NEWEST_EPOCH, &[&sale]).await?;
        if newest.is_some_and(|row| row.get::<_, i64>(0) < epoch) {
            return self.stays(id, format!("nobody has begun epoch {epoch} of this sale: discard it")).await;
        }
        self.write(&[message]).await?;
        let transaction = self.client.transaction().await?;
        let why = transaction.query_one(sql::quarantine::WHY_NOT_WRITTEN, &[&sale, &epoch, &seqs]).await?;
        end(transaction, id, why.get(0)).await
    }
}

/// Marks the row: a rejection was written instead of it, if there is a reason.
async fn end(transaction: Transaction<'_>, id: u64, rejected: Option<String>) -> Result<Replay, Error> {
    transaction.execute(sql::quarantine::REPLAYED, &[&to_sql(id), &rejected]).await?;
    transaction.commit().await?;
    Ok(rejected.map_or(Replay::Written, Replay::Rejected))
}

async fn decide<E: From<Error>>(
    transaction: &mut Transaction<'_>,
    statements: &Statements,
    message: &Message<'_>,
    standing: impl AsyncFnOnce(LateReservation) -> Result<Option<Standing>, E>,
) -> Result<Decision, E> {
    let steps: Vec<_> = Step::of(message).collect();
    let [step] = *steps else { return Ok(Decision::Refused("it is not one event".to_owned())) };
    let (sale, event) = (step.sale, step.event);
    let place = place(transaction, statements, step).await?;
    let end = match (&event.change, place) {
        (_, Place::Unknown(why)) => return Ok(Decision::Refused(why.to_owned())),
        (MessageChange::Reserved(reserved), place) => {
            if has_order(transaction, sale, event.seq, &reserved.buyer).await.map_err(Error::from)? {
                return Ok(Decision::Applied);
            }
            // The sale went on without it: an order would be one that the next life does not count.
            if place != Place::Open {
                return Ok(reject(transaction, statements, step).await?);
            }
            let buyer = reserved.buyer.clone().into_owned();
            match standing(LateReservation { sale: sale.to_owned(), id: event.seq, buyer }).await? {
                Some(standing) => ending(event.seq, standing),
                None => return Ok(Decision::Refused("where the reservation is by now is not known".to_owned())),
            }
        }
        (_, Place::Lost) => return Ok(Decision::Rejected(LATE.to_owned())),
        // An epoch that is written beyond its warming: the beginning of the epoch has written what it says.
        (MessageChange::Warmed(_), _) => return Ok(Decision::Rejected("known".to_owned())),
        // The next life has the hold as it was at the seal: to end it here alone would let its unit be sold twice.
        (MessageChange::Confirmed { .. } | MessageChange::Released { .. } | MessageChange::Expired { .. }, place) => {
            if place != Place::Open {
                return Ok(Decision::Rejected(LATE.to_owned()));
            }
            None
        }
        // A later one may have been written: this one would undo it.
        _ => return Ok(Decision::Refused("it says how the sale was then, not how it is now".to_owned())),
    };
    let steps: Vec<_> = std::iter::once(step).chain(end.iter().map(|event| Step { event, ..step })).collect();
    Ok(apply(transaction, statements, &steps).await?)
}

const NOT_AUTHENTIC: &str = "it is not signed with a message key of ours: discard it";

const LATE: &str = "late";

/// Writes a rejection instead of a reservation whose epoch is over.
async fn reject(transaction: &Transaction<'_>, statements: &Statements, step: Step<'_>) -> Result<Decision, Error> {
    record(transaction, &step, Refusal::LATE).await?;
    tell(transaction, statements, &[step]).await?;
    Ok(Decision::Rejected(LATE.to_owned()))
}

/// Applies what was left out, if PostgreSQL takes it and its orders are afterwards what it makes of them.
async fn apply(
    transaction: &mut Transaction<'_>,
    statements: &Statements,
    steps: &[Step<'_>],
) -> Result<Decision, Error> {
    let refused = match attempt(transaction, statements, steps).await? {
        None => contradicted(transaction, steps).await?,
        Some(Refusal::Rejected(reason)) => Some(reason.to_owned()),
        Some(Refusal::Unwritable(reason)) => Some(reason),
    };
    if let Some(reason) = refused {
        return Ok(Decision::Refused(reason));
    }
    tell(transaction, statements, steps).await?;
    Ok(Decision::Applied)
}

async fn tell(transaction: &Transaction<'_>, statements: &Statements, steps: &[Step<'_>]) -> Result<(), Error> {
    let mut touched = Touched::default();
    steps.iter().for_each(|step| touched.add(step));
    announce(transaction, statements, &touched).await?;
    Ok(())
}

/// Why an order is not as its end says. An expired one may be missing: it may have been rejected.
async fn contradicted(transaction: &Transaction<'_>, steps: &[Step<'_>]) -> Result<Option<String>, Error> {
    let Some(Step { sale, event, .. }) = steps.last() else { return Ok(None) };
    let (ids, state) = match &event.change {
        MessageChange::Confirmed { id } => (vec![to_sql(*id)], State::Confirmed),
        MessageChange::Released { id } => (vec![to_sql(*id)], State::Released),
        MessageChange::Expired { ids } => (ids.iter().copied().map(to_sql).collect(), State::Expired),
        _ => return Ok(None),
    };
    let orders = transaction.query(sql::quarantine::ORDER_STATES, &[sale, &ids]).await?;
    if orders.is_empty() && state != State::Expired {
        return Ok(Some("its reservation is not written".to_owned()));
    }
    let other = orders.iter().find(|order| order.get::<_, &str>(2) != state.name());
    Ok(other.map(|order| format!("order {} is {}", from_sql(order.get(0)), order.get::<_, &str>(2))))
}

/// The event that led to where a reservation is.
fn ending(id: u64, Standing { state, at_ms }: Standing) -> Option<MessageEvent<'static>> {
    let change = match state {
        State::Held => return None,
        State::Confirmed => MessageChange::Confirmed { id },
        State::Released => MessageChange::Released { id },
        State::Expired => MessageChange::Expired { ids: vec![id] },
    };
    Some(MessageEvent { seq: id, at_ms, change })
}
