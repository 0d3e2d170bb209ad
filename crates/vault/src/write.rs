//! The transaction of a batch.

use flash_metrics::process::DUPLICATES;
use flash_wire::{Barrier, Message};
use tokio_postgres::{Client, Transaction};

use crate::announce::{Touched, announce};
use crate::connect::connect_to_write;
use crate::early;
use crate::epochs::{self, Batch, Epoch};
use crate::error::Error;
use crate::head::Head;
use crate::late;
use crate::others;
use crate::plan::Plan;
use crate::settle::settle;
use crate::sql;
use crate::statements::Statements;
use crate::step::Step;
use crate::syncers::Report;
use crate::unreadable::{self, Unreadable};

/// How long a barrier is remembered at least: far longer than anyone waits for one.
pub const BARRIER_KEPT_S: u32 = 24 * 60 * 60;

/// What came, to be written together.
#[derive(Debug, Clone, Copy, Default)]
pub struct Incoming<'a> {
    /// In any order, any of them for another time.
    pub messages: &'a [Message<'a>],
    /// Bodies that are neither message nor barrier.
    pub unreadable: &'a [Unreadable<'a>],
    /// None of them is in the database before every message above is.
    pub barriers: &'a [Barrier<'a>],
}

/// A connection that writes events. Any number of them may do so at once, also for the same sale.
pub struct Vault {
    pub(crate) client: Client,
    pub(crate) statements: Statements,
}

impl Vault {
    /// Connects to a database that is migrated.
    ///
    /// # Errors
    /// When PostgreSQL cannot be reached, lacks the tables, or takes no writes ([`Error::ReadOnly`]).
    pub async fn open(url: &str) -> Result<Self, Error> {
        let client = connect_to_write(url).await?;
        client.batch_execute(sql::WRITER).await?;
        let statements = Statements::prepare(&client).await?;
        Ok(Self { client, statements })
    }

    /// The connection, for questions between two batches.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Writes events, and gives the heads of every sale and epoch among them; when it returns, that is on disk. An
    /// event that was written before is passed over, and one beyond a gap waits in the database until the gap closes;
    /// so messages may come in any order and any number of times, here and elsewhere.
    ///
    /// What comes of an epoch that is sealed, from beyond its end, is late: it is refused like the following.
    ///
    /// What the constraints refuse becomes a row of `rejections`, what no one can write a row of `quarantine`, and
    /// neither holds up what follows. (What Redis has decided by itself, whole, is never refused. In a history that is
    /// not whole, its split into batches may decide which of two reservations is the refused one.)
    ///
    /// # Errors
    /// When PostgreSQL is in trouble. Open a new vault then, and write the same again. Also [`Error::Paused`]: an
    /// operator has paused the syncers, and nothing was written.
    pub async fn write(&mut self, messages: &[Message<'_>]) -> Result<Vec<Head>, Error> {
        self.write_incoming(Incoming { messages, ..Incoming::default() }).await
    }

    /// As [`Vault::write`]; what is unreadable goes to the quarantine, each body once however often it comes, and
    /// barriers are written down, all in the same transaction.
    ///
    /// # Errors
    /// As [`Vault::write`].
    pub async fn write_incoming(&mut self, incoming: Incoming<'_>) -> Result<Vec<Head>, Error> {
        let Incoming { messages, unreadable, barriers } = incoming;
        if messages.is_empty() && unreadable.is_empty() && barriers.is_empty() {
            return Ok(Vec::new());
        }
        let mut batch = Batch::new();
        for message in messages {
            batch.entry((&message.sale, message.epoch)).or_default().extend(Step::of(message));
        }
        loop {
            let written = self.write_batch(&batch, incoming).await?;
            if !written.more {
                return Ok(written.heads);
            }
            batch.values_mut().for_each(Vec::clear);
        }
    }

    /// Says what the syncer `name` does, and gives whether the operator wants it paused.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn report_syncer(&self, name: &str, report: Report) -> Result<bool, Error> {
        crate::syncers::report(&self.client, name, report).await
    }

    async fn write_batch(&mut self, batch: &Batch<'_>, incoming: Incoming<'_>) -> Result<Written, Error> {
        let mut transaction = self.client.transaction().await?;
        let mut epochs = epochs::lock(&transaction, &self.statements, batch).await?;
        let mut touched = Touched::default();
        for epoch in &mut epochs {
            let late = late::take(&transaction, epoch).await?;
            late::refuse(&transaction, &late).await?;
            late.iter().for_each(|step| touched.add(step));
        }
        let kept = early::read(&transaction, &epochs).await?;
        let messages = readable(&kept);
        for (place, message) in &messages {
            epochs[*place].steps.extend(Step::of(message));
        }
        let plans: Vec<_> = epochs.iter().map(Epoch::plan).collect();
        let steps: Vec<_> = plans.iter().flat_map(|plan| plan.run.iter().copied()).collect();
        let deltas = settle(&mut transaction, &self.statements, &steps).await?;
        steps.iter().for_each(|step| touched.add(step));
        others::refuse(&transaction, &plans).await?.iter().for_each(|step| touched.add(step));
        announce(&transaction, &self.statements, &touched).await?;
        for (epoch, plan) in epochs.iter().zip(&plans) {
            early::update(&transaction, epoch, plan).await?;
        }
        epochs::advance(&transaction, &self.statements, &epochs, &plans, &deltas).await?;
        let moved = |&(place, _): &(usize, Message)| plans[place].head > epochs[place].head;
        let more = messages.iter().any(moved);
        if !more {
            put_aside(&transaction, incoming).await?;
        }
        transaction.commit().await?;
        DUPLICATES.add(plans.iter().map(|plan| plan.passed.len()).sum());
        Ok(Written { more, heads: heads(&epochs, &plans) })
    }
}

/// Writes what is no event.
async fn put_aside(transaction: &Transaction<'_>, incoming: Incoming<'_>) -> Result<(), tokio_postgres::Error> {
    unreadable::put_aside(transaction, incoming.unreadable).await?;
    for barrier in incoming.barriers {
        transaction.execute(sql::syncers::ADD_BARRIER, &[&barrier.id()]).await?;
    }
    if !incoming.barriers.is_empty() {
        transaction.execute(sql::syncers::FORGET_BARRIERS, &[&f64::from(BARRIER_KEPT_S)]).await?;
    }
    Ok(())
}

/// What one transaction has written.
struct Written {
    heads: Vec<Head>,
    /// Kept events were among it, and more of them may follow.
    more: bool,
}

/// A kept event was readable when it was kept. If it no longer is, its gap stays until the relay sends it again.
fn readable(kept: &[(usize, String)]) -> Vec<(usize, Message<'_>)> {
    let mut messages = Vec::with_capacity(kept.len());
    for (place, body) in kept {
        match Message::decode(body.as_bytes()) {
            Ok(message) => messages.push((*place, message)),
            Err(error) => tracing::error!(%error, "an event in the table early cannot be read"),
        }
    }
    messages
}

fn heads(epochs: &[Epoch<'_>], plans: &[Plan<'_>]) -> Vec<Head> {
    let head =
        |(epoch, plan): (&Epoch, &Plan)| Head { sale: epoch.sale.to_owned(), epoch: epoch.epoch, seq: plan.head };
    // Redis would take an acknowledgement of an epoch that it is not in for a sign that it has forgotten something.
    epochs.iter().zip(plans).filter(|(epoch, _)| epoch.is_begun).map(head).collect()
}
