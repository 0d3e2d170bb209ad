//! Ends an epoch of a sale, so that the sale can go on in the next one.

use flash_wire::{Message, NextEpoch};

use crate::early::EARLY_EVENTS_MAX;
use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::settle::settle;
use crate::sql;
use crate::step::Step;
use crate::write::Vault;

/// How far behind the end of an epoch the next one begins. Redis may have given these numbers to reservations that it lost
/// before anyone saw them, but that it had answered: they are not given to other buyers. A million is what Redis could make
/// in the two seconds that `appendfsync everysec` may lose, several times over.
pub const EPOCHS_APART_SEQS: u64 = 1 << 20;

/// How far an epoch must be written to be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// To this seq and no further: the sale goes on as it stands there in Redis.
    Exactly(u64),
    /// As far as it is: the sale is rebuilt from that. Redis has numbers up to this one, which are not given again.
    Anywhere(u64),
}

impl Vault {
    /// Seals an epoch of a sale where it is written to, and gives the next one. What was kept beyond a gap is applied:
    /// nobody has what lies between, and the gap is written down. From then on, what comes of the sealed epoch is late.
    /// None: `epoch` is not the sale's newest, or not written as far as `wanted`.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble. Open a new vault then, and ask again where the sale stands.
    pub async fn seal(&mut self, sale: &str, epoch: u64, wanted: Wanted) -> Result<Option<NextEpoch>, Error> {
        while self.apply_kept(sale, epoch).await? {}
        let (sales, number) = (vec![sale], to_sql(epoch));
        let transaction = self.client.transaction().await?;
        transaction.execute(sql::recovery::BEGIN_EPOCH, &[&sale, &number, &0i64]).await?;
        transaction.execute(&self.statements.lock_epochs, &[&sales, &vec![number]]).await?;
        let epochs = transaction.query_one(&self.statements.read_epochs, &[&sales, &vec![number]]).await?;
        let head = from_sql(epochs.get(2));
        let newest = transaction.query_opt(sql::recovery::LOCK_SALE, &[&sale]).await?;
        let is_newest = newest.is_some_and(|newest| from_sql(newest.get(0)) == epoch);
        let seen = match wanted {
            Wanted::Exactly(seq) if seq != head => return Ok(None),
            Wanted::Exactly(seq) | Wanted::Anywhere(seq) => seq,
        };
        if !is_newest {
            return Ok(None);
        }
        let next = NextEpoch { epoch: epoch + 1, after: head.max(seen) + EPOCHS_APART_SEQS };
        transaction.execute(sql::recovery::SEAL_EPOCH, &[&sale, &number]).await?;
        transaction.execute(sql::recovery::BEGIN_EPOCH, &[&sale, &to_sql(next.epoch), &to_sql(next.after)]).await?;
        transaction.execute(sql::sales::RAISE_EPOCH, &[&sale, &to_sql(next.epoch)]).await?;
        transaction.commit().await?;
        Ok(Some(next))
    }

    /// Applies events that were kept beyond a gap, as if there were none. Whether there were any.
    async fn apply_kept(&mut self, sale: &str, epoch: u64) -> Result<bool, Error> {
        let number = to_sql(epoch);
        let mut transaction = self.client.transaction().await?;
        let (sales, numbers) = (vec![sale], vec![number]);
        transaction.execute(&self.statements.lock_epochs, &[&sales, &numbers]).await?;
        let Some(row) = transaction.query_opt(&self.statements.read_epochs, &[&sales, &numbers]).await? else {
            return Ok(false);
        };
        let mut head = from_sql(row.get(2));
        let limit = to_sql(EARLY_EVENTS_MAX as u64);
        let kept = transaction.query(sql::events::READ_EARLY, &[&sale, &number, &to_sql(head), &limit]).await?;
        let bodies: Vec<&str> = kept.iter().map(|row| row.get(0)).collect();
        let messages: Vec<Message> = bodies.iter().filter_map(|body| Message::decode(body.as_bytes()).ok()).collect();
        let steps: Vec<_> = messages.iter().flat_map(Step::of).collect();
        if steps.is_empty() {
            return Ok(false);
        }
        for Step { event, .. } in &steps {
            if event.seq > head + 1 {
                let gap: [i64; 2] = [to_sql(head + 1), to_sql(event.seq - 1)];
                tracing::error!(
                    sale,
                    epoch,
                    first = gap[0],
                    last = gap[1],
                    "events that nobody has are counted as lost"
                );
                transaction.execute(sql::recovery::ADD_GAP, &[&sale, &number, &gap[0], &gap[1]]).await?;
            }
            head = event.seq;
        }
        settle(&mut transaction, &self.statements, &steps).await?;
        transaction.execute(sql::events::FORGET_EARLY, &[&sale, &number, &to_sql(head)]).await?;
        let heads = vec![to_sql(head)];
        transaction.execute(&self.statements.advance_epochs, &[&sales, &numbers, &heads]).await?;
        transaction.commit().await?;
        Ok(true)
    }
}
