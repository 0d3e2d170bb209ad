//! The transaction of a batch.

use flash_wire::Message;
use tokio_postgres::Client;

use crate::connect::connect;
use crate::early;
use crate::epochs::{self, Batch, Epoch};
use crate::error::Error;
use crate::fold::Step;
use crate::plan::{Plan, plan};
use crate::settle::settle;
use crate::sql;
use crate::statements::Statements;

/// How far an epoch of a sale has been written: every event up to `seq` is in PostgreSQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Head {
    /// The sale.
    pub sale: String,
    /// Which life of it.
    pub epoch: u64,
    /// The highest seq without a gap below it.
    pub seq: u64,
}

/// A message that nobody can read.
#[derive(Debug, Clone)]
pub struct Unreadable<'a> {
    /// What is wrong with it.
    pub reason: String,
    /// All of it.
    pub body: &'a [u8],
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
    /// When PostgreSQL cannot be reached, or lacks the tables.
    pub async fn open(url: &str) -> Result<Self, Error> {
        let client = connect(url).await?;
        client.batch_execute(sql::WRITER).await?;
        let statements = Statements::prepare(&client).await?;
        Ok(Self { client, statements })
    }

    /// Writes events, and gives the heads of every sale and epoch among them; when it returns, that is on disk. An event
    /// that was written before is passed over, and one beyond a gap waits in the database until the gap closes; so
    /// messages may come in any order and any number of times, here and elsewhere.
    ///
    /// What the constraints refuse becomes a row of `rejections`, what no one can write a row of `quarantine`, and
    /// neither holds up what follows. (What Redis has decided by itself, whole, is never refused. In a history that is
    /// not whole, its split into batches may decide which of two reservations is the refused one.)
    ///
    /// # Errors
    /// When PostgreSQL is in trouble. Open a new vault then, and write the same again.
    pub async fn write(&mut self, messages: &[Message<'_>]) -> Result<Vec<Head>, Error> {
        let mut batch = Batch::new();
        for message in messages {
            batch.entry((&message.sale, message.epoch)).or_default().extend(&message.events);
        }
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        loop {
            let written = self.write_batch(&batch).await?;
            if !written.more {
                return Ok(written.heads);
            }
            batch.values_mut().for_each(Vec::clear);
        }
    }

    /// Puts messages that nobody can read aside, each once however often it comes.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble.
    pub async fn quarantine(&mut self, unreadable: &[Unreadable<'_>]) -> Result<(), Error> {
        for Unreadable { reason, body } in unreadable {
            let (sale, number) = (None::<&str>, None::<i64>);
            self.client.execute(sql::QUARANTINE, &[&sale, &number, &number, reason, body]).await?;
        }
        Ok(())
    }

    async fn write_batch(&mut self, batch: &Batch<'_>) -> Result<Written, Error> {
        let mut transaction = self.client.transaction().await?;
        let mut epochs = epochs::lock(&transaction, &self.statements, batch).await?;
        let kept = early::read(&transaction, &epochs).await?;
        let messages = readable(&kept);
        for (place, message) in &messages {
            epochs[*place].events.extend(&message.events);
        }
        let plans: Vec<_> = epochs.iter().map(|epoch| plan(epoch.head, epoch.events.clone())).collect();
        settle(&mut transaction, &self.statements, &steps(&epochs, &plans)).await?;
        for (epoch, plan) in epochs.iter().zip(&plans) {
            early::update(&transaction, epoch, plan).await?;
        }
        epochs::advance(&transaction, &self.statements, &epochs, &plans).await?;
        transaction.commit().await?;
        let moved = |&(place, _): &(usize, Message)| plans[place].head > epochs[place].head;
        Ok(Written { more: messages.iter().any(moved), heads: heads(&epochs, &plans) })
    }
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

fn steps<'a>(epochs: &[Epoch<'a>], plans: &[Plan<'a>]) -> Vec<Step<'a>> {
    let steps = epochs.iter().zip(plans).flat_map(|(epoch, plan)| {
        let (sale, epoch) = (epoch.sale, epoch.epoch);
        plan.run.iter().map(move |event| Step { sale, epoch, event })
    });
    steps.collect()
}

fn heads(epochs: &[Epoch<'_>], plans: &[Plan<'_>]) -> Vec<Head> {
    let head =
        |(epoch, plan): (&Epoch, &Plan)| Head { sale: epoch.sale.to_owned(), epoch: epoch.epoch, seq: plan.head };
    epochs.iter().zip(plans).map(head).collect()
}
