//! A sale of which a recovery holds every epoch: no other transaction changes its orders until this one ends.

use flash_plan::epoch_of;
use flash_wire::Message;
use flash_wire::NextEpoch;
use flash_wire::limits::{EPOCH_MAX, SEQ_MAX};
use flash_wire::message::MessageChange;
use tokio_postgres::Transaction;
use tokio_postgres::types::ToSql;

use crate::announce::{Touched, announce};
use crate::content::{Delta, Deltas};
use crate::early::EARLY_EVENTS_MAX;
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::refusal::put_aside;
use crate::sealed::{EPOCHS_APART_SEQS, Sealed};
use crate::settle::settle;
use crate::standing::expected;
use crate::statements::Statements;
use crate::step::Step;
use crate::{foreign, sql, writing};

/// The sale, held.
pub(crate) struct Hold<'t, 'c> {
    pub(crate) transaction: &'t mut Transaction<'c>,
    statements: &'t Statements,
    pub(crate) sale: &'t str,
    /// The attempt that holds it.
    term: u64,
    /// Its newest epoch; none: there is no such sale.
    pub(crate) newest: Option<u64>,
    /// Ascending.
    epochs: Vec<Locked>,
}

/// One epoch of it.
#[derive(Debug, Clone, Copy)]
struct Locked {
    epoch: u64,
    head: u64,
    is_sealed: bool,
}

/// What a recovery must have to end an epoch. Both are compared under the sale's locks.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// The newest attempt of the sale.
    pub term: u64,
    /// A barrier that was published after the attempt had fenced the sale: everything that was queued before it is in
    /// the same PostgreSQL.
    pub barrier: &'a str,
}

/// Whether it is held.
pub(crate) enum Held<'t, 'c> {
    Yes(Hold<'t, 'c>),
    /// Nothing was changed, for this reason.
    No(Sealed),
}

impl<'t, 'c> Hold<'t, 'c> {
    /// Locks the sale for a recovery; the row of `epoch` is there from then on. The transaction may be left
    /// alone for `idle_ms`.
    pub(crate) async fn take(
        transaction: &'t mut Transaction<'c>,
        statements: &'t Statements,
        sale: &'t str,
        Claim { term, barrier }: Claim<'_>,
        epoch: u64,
        idle_ms: u64,
    ) -> Result<Held<'t, 'c>, Error> {
        writing::begin(transaction, statements).await?;
        let values: [&(dyn ToSql + Sync); 3] = [&sale, &to_sql(term), &format!("{idle_ms}ms")];
        if transaction.query_opt(sql::recovery::LOCK_TERM, &values).await?.is_none() {
            return Ok(Held::No(Sealed::Superseded));
        }
        if !transaction.query_one(sql::syncers::HAS_BARRIER, &[&barrier]).await?.get::<_, bool>(0) {
            return Ok(Held::No(Sealed::BarrierGone));
        }
        transaction.execute(sql::recovery::BEGIN_EPOCH, &[&sale, &to_sql(epoch), &0i64]).await?;
        let rows = transaction.query(sql::recovery::LOCK_EPOCHS_OF_SALE, &[&sale]).await?;
        let locked = |row: &tokio_postgres::Row| Locked {
            epoch: from_sql(row.get(0)),
            head: from_sql(row.get(1)),
            is_sealed: row.get::<_, Option<i64>>(2).is_some(),
        };
        let epochs = rows.iter().map(locked).collect();
        let newest = transaction.query_opt(sql::recovery::LOCK_SALE, &[&sale]).await?;
        let newest = newest.map(|row| from_sql(row.get(0)));
        Ok(Held::Yes(Self { transaction, statements, sale, term, newest, epochs }))
    }

    /// How far an epoch is written.
    pub(crate) fn head(&self, epoch: u64) -> u64 {
        self.find(epoch).map_or(0, |locked| locked.head)
    }

    pub(crate) fn is_sealed(&self, epoch: u64) -> bool {
        self.find(epoch).is_some_and(|locked| locked.is_sealed)
    }

    /// The epochs that are not sealed, ascending.
    pub(crate) fn open_epochs(&self) -> impl Iterator<Item = u64> {
        self.epochs.iter().filter(|locked| !locked.is_sealed).map(|locked| locked.epoch)
    }

    fn find(&self, epoch: u64) -> Option<&Locked> {
        self.epochs.iter().find(|locked| locked.epoch == epoch)
    }

    /// The highest seq of an epoch that anything here speaks of; 0: nothing does.
    pub(crate) async fn highest_known(&self, epoch: u64) -> Result<u64, Error> {
        let row = self.transaction.query_one(sql::recovery::HIGHEST_KNOWN, &[&self.sale, &to_sql(epoch)]).await?;
        let highest = row.get::<_, Option<i64>>(0).max(row.get(1));
        Ok(highest.map_or(0, from_sql))
    }

    /// Counts the events up to `seq` as lost that are not written, and forgets those of them that wait.
    pub(crate) async fn skip_to(&mut self, epoch: u64, seq: u64) -> Result<(), Error> {
        let (head, number) = (self.head(epoch), to_sql(epoch));
        if seq <= head {
            return Ok(());
        }
        self.lose(epoch, head + 1, seq).await?;
        self.transaction.execute(sql::events::FORGET_EARLY, &[&self.sale, &number, &to_sql(seq)]).await?;
        self.advance(epoch, seq, Delta::default()).await
    }

    /// Seals every epoch that is not, and begins the next one. Of `epoch`, Redis has numbers up to `seen`; what waits
    /// of a later one, which never began, goes to the quarantine. Not yet: events of an epoch that never began
    /// are coming at this moment.
    pub(crate) async fn end(&mut self, epoch: u64, seen: u64) -> Result<Sealed, Error> {
        let open: Vec<_> = self.open_epochs().collect();
        let mut last = self.epochs.iter().map(|locked| locked.head).max().unwrap_or(0).max(seen);
        for number in open {
            if number > epoch {
                // Should both have forgotten it, its numbers are not given again. (Made up ones are not to use all up.)
                last = last.max(self.highest_known(number).await?.min(SEQ_MAX / 2));
                foreign::put_aside(self.transaction, self.sale, epoch).await?;
                self.transaction.execute(sql::recovery::SEAL_EPOCH, &[&self.sale, &to_sql(number)]).await?;
                continue;
            }
            self.apply_kept(number).await?;
            let known = self.highest_known(number).await?.max(if number == epoch { seen } else { 0 });
            if known > self.head(number) {
                self.lose(number, self.head(number) + 1, known).await?;
            }
            self.transaction.execute(sql::recovery::SEAL_EPOCH, &[&self.sale, &to_sql(number)]).await?;
            last = last.max(known).max(self.head(number));
        }
        // A made up epoch near the highest number does not keep the sale from its next one.
        let known = self.epochs.iter().map(|locked| locked.epoch).filter(|number| *number <= EPOCH_MAX / 2).max();
        let newest = known.unwrap_or(0).max(epoch);
        let next = NextEpoch { epoch: epoch_of(self.term, newest), after: (last + EPOCHS_APART_SEQS).min(SEQ_MAX - 1) };
        let (number, after) = (to_sql(next.epoch), to_sql(next.after));
        if self.transaction.execute(sql::recovery::BEGIN_EPOCH, &[&self.sale, &number, &after]).await? == 0 {
            return Ok(Sealed::NotYet);
        }
        self.transaction.execute(sql::sales::RAISE_EPOCH, &[&self.sale, &number]).await?;
        let expected = expected(self.transaction, self.sale, next.epoch).await?;
        Ok(Sealed::Next { next, expected })
    }

    /// Applies the events that were kept beyond a gap, as if there were none.
    async fn apply_kept(&mut self, epoch: u64) -> Result<(), Error> {
        let (number, limit) = (to_sql(epoch), to_sql(EARLY_EVENTS_MAX as u64));
        loop {
            let values: [&(dyn ToSql + Sync); 4] = [&self.sale, &number, &to_sql(self.head(epoch)), &limit];
            let rows = self.transaction.query(sql::events::READ_EARLY, &values).await?;
            let kept: Vec<_> = rows.iter().map(|row| (from_sql(row.get(1)), row.get(0))).collect();
            let Some((newest, _)) = kept.last().copied() else { return Ok(()) };
            let change = self.apply_page(epoch, &kept).await?;
            self.transaction.execute(sql::events::FORGET_EARLY, &[&self.sale, &number, &to_sql(newest)]).await?;
            self.advance(epoch, newest, change).await?;
        }
    }

    /// Applies kept events, and writes the gaps between them down. Gives what that changed in the content.
    async fn apply_page(&mut self, epoch: u64, kept: &[(u64, &str)]) -> Result<Delta, Error> {
        let mut head = self.head(epoch);
        let mut messages = Vec::with_capacity(kept.len());
        for (seq, body) in kept {
            let message = Message::decode(body.as_bytes());
            let begins = head == 0 && message.as_ref().is_ok_and(begins_a_life);
            if *seq > head + 1 && !begins {
                self.lose(epoch, head + 1, seq - 1).await?;
            }
            head = *seq;
            match message {
                Ok(message) => messages.push(message),
                Err(bad) => {
                    let (event, reason) = ((self.sale, epoch, *seq), bad.to_string());
                    put_aside(self.transaction, event, &reason, body.as_bytes()).await?;
                }
            }
        }
        let steps: Vec<_> = messages.iter().flat_map(Step::of).collect();
        let deltas = settle(self.transaction, self.statements, &steps).await?;
        let mut touched = Touched::default();
        steps.iter().for_each(|step| touched.add(step));
        announce(self.transaction, self.statements, &touched).await?;
        Ok(deltas.of(self.sale, epoch))
    }

    /// Writes down that these events are lost.
    async fn lose(&self, epoch: u64, first: u64, last: u64) -> Result<(), Error> {
        tracing::error!(sale = self.sale, epoch, first, last, "events are lost: neither Redis nor the queue has them");
        let values: [&(dyn ToSql + Sync); 4] = [&self.sale, &to_sql(epoch), &to_sql(first), &to_sql(last)];
        self.transaction.execute(sql::recovery::ADD_GAP, &values).await?;
        Ok(())
    }

    async fn advance(&mut self, epoch: u64, head: u64, change: Delta) -> Result<(), Error> {
        let mut deltas = Deltas::default();
        deltas.add((self.sale, epoch), change);
        deltas.write(self.transaction, self.statements, head).await?;
        if let Some(locked) = self.epochs.iter_mut().find(|locked| locked.epoch == epoch) {
            locked.head = head;
        }
        Ok(())
    }
}

fn begins_a_life(message: &Message<'_>) -> bool {
    message.events.first().is_some_and(|event| matches!(event.change, MessageChange::Warmed(_)))
}
