//! Decides that what went to the quarantine is not to be written.

use std::collections::BTreeSet;

use flash_wire::Message;
use flash_wire::message::MessageChange;

use crate::announce::{Touched, announce};
use crate::error::Error;
use crate::number::to_sql;
use crate::refusal::{Refusal, record};
use crate::replay::{has_order, lock_row};
use crate::sql;
use crate::step::Step;
use crate::write::Vault;
use crate::writing;

impl Vault {
    /// Decides that a row is not to be written. A reservation in it is rejected in the same transaction, and webhooks
    /// are told: Redis has accepted it. Gives the sales of which Redis may count such a reservation still: they should
    /// be fenced, so that a recovery takes it out before its buyer confirms it. None: the row does not wait any more.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble. Whether it is discarded is unknown then, and the call may be repeated. Also
    /// [`Error::Paused`]: nothing was written.
    pub async fn discard(&mut self, id: u64, by: &str) -> Result<Option<BTreeSet<String>>, Error> {
        let transaction = self.client.transaction().await?;
        let Some(row) = lock_row(&transaction, id).await? else { return Ok(None) };
        writing::begin(&transaction, &self.statements).await?;
        let message = Message::decode(&row.body).ok().filter(|_| row.is_authentic);
        let (mut touched, mut counted) = (Touched::default(), BTreeSet::new());
        for step in message.iter().flat_map(Step::of) {
            let MessageChange::Reserved(reserved) = &step.event.change else { continue };
            let newest = transaction.query_opt(sql::quarantine::NEWEST_EPOCH, &[&step.sale]).await?;
            // Redis never made it: there is nothing to take out, and no buyer to tell.
            if newest.is_some_and(|row| row.get::<_, i64>(0) < to_sql(step.epoch)) {
                continue;
            }
            if has_order(&transaction, step.sale, step.event.seq, &reserved.buyer).await? {
                continue;
            }
            record(&transaction, &step, Refusal::DISCARDED).await?;
            let (epoch, seq) = (to_sql(step.epoch), to_sql(step.event.seq));
            if transaction.execute(sql::quarantine::SETTLE_IF_SEALED, &[&step.sale, &epoch, &seq]).await? == 0 {
                counted.insert(step.sale.to_owned());
            }
            touched.add(&step);
        }
        announce(&transaction, &self.statements, &touched).await?;
        transaction.execute(sql::quarantine::DISCARD, &[&to_sql(id), &by]).await?;
        transaction.commit().await?;
        Ok(Some(counted))
    }
}
