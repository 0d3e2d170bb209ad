//! Writes a sale again from Redis, where PostgreSQL has lost what was acknowledged: an older backup, a standby that was
//! not up to date.

use tokio_postgres::Client;
use tokio_postgres::types::ToSql;

use crate::connect::IDLE_IN_TRANSACTION_MS_MAX;
use crate::content;
use crate::error::Error;
use crate::hold::{Claim, Held, Hold};
use crate::number::{from_sql, to_sql};
use crate::redis_state::RedisState;
use crate::sale::Extras;
use crate::seal::finish;
use crate::sealed::Sealed;
use crate::sql;
use crate::statements::Statements;
use crate::take_over::take_over;
use crate::waiting::{self, Ends};
use crate::write::Vault;

/// The ids after `after` of reservations that may have ended in Redis: of held orders, and of events that wait, which
/// may be reservations. Ascending, at most `count`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn possible_holds(client: &Client, sale: &str, after: u64, count: u32) -> Result<Vec<u64>, Error> {
    let values: [&(dyn ToSql + Sync); 3] = [&sale, &to_sql(after), &i64::from(count)];
    let rows = client.query(sql::restore::POSSIBLE_HOLDS, &values).await?;
    Ok(rows.iter().map(|row| from_sql(row.get(0))).collect())
}

impl Vault {
    /// Makes the orders of a sale what Redis has, seals the epoch that Redis is in, and begins the next one.
    /// Reservations without an order become orders, states, totals and the closed flag are set, and holds that Redis
    /// does not have any more end: as the events say that wait here, or Redis, else as released. So do reservations
    /// that only these events know; what came with a reservation is known from them alone. A confirmed order is never
    /// taken back. Each change is in the table `restored`, each reservation that has no room, or that a constraint of
    /// the operator's refuses, in `rejections`, as `not_restored`. Events up to Redis' newest count as lost; those
    /// after it that wait here are applied.
    ///
    /// [`Sealed::NotYet`]: PostgreSQL has what it acknowledged to Redis, or is in a later epoch.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble, or [`Error::Paused`]. Open a new vault then, and ask again where the sale is.
    pub async fn restore(&mut self, sale: &str, claim: Claim<'_>, from: &RedisState) -> Result<Sealed, Error> {
        let mut transaction = self.client.transaction().await?;
        let idle_ms = IDLE_IN_TRANSACTION_MS_MAX;
        let held = Hold::take(&mut transaction, &self.statements, sale, claim, from.epoch, idle_ms).await?;
        let restored = restore(held, &self.statements, from).await?;
        let restored = finish(transaction, restored).await?;
        if let Sealed::Next { .. } = restored {
            let RedisState { epoch, seq, .. } = from;
            tracing::error!(sale, epoch, seq, "PostgreSQL had lost orders: they were written from Redis");
        }
        Ok(restored)
    }
}

async fn restore(held: Held<'_, '_>, statements: &Statements, from: &RedisState) -> Result<Sealed, Error> {
    let mut hold = match held {
        Held::Yes(hold) => hold,
        Held::No(why) => return Ok(why),
    };
    let is_behind = match hold.newest {
        Some(newest) if newest == from.epoch => hold.head(newest) < from.acked && !hold.is_sealed(newest),
        newest => newest.is_none_or(|newest| newest < from.epoch),
    };
    if !is_behind {
        return Ok(Sealed::NotYet);
    }
    crate::sale::insert(hold.transaction, hold.sale, &from.terms, Extras::default(), from.epoch).await?;
    let mut skipped = Vec::new();
    for epoch in hold.open_epochs().filter(|epoch| *epoch < from.epoch).collect::<Vec<_>>() {
        skipped.push((epoch, hold.highest_known(epoch).await?));
    }
    skipped.push((from.epoch, from.seq));
    let mut ends = Ends::default();
    for (epoch, last) in &skipped {
        ends.read(&hold, *epoch, *last).await?;
    }
    ends.add_known(&from.ended);
    take_over(&mut hold, statements, from, &ends).await?;
    for (epoch, last) in skipped {
        waiting::write(&mut hold, statements, epoch, last, &ends).await?;
        hold.skip_to(epoch, last).await?;
    }
    let restored_to: [&(dyn ToSql + Sync); 3] = [&hold.sale, &to_sql(from.epoch), &to_sql(from.seq)];
    hold.transaction.execute(sql::restore::SET_RESTORED_TO, &restored_to).await?;
    content::recount(hold.transaction, hold.sale, from.epoch).await?;
    hold.end(from.epoch, from.seq).await
}
