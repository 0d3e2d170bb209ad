//! When which sales are looked at.

use std::collections::{BTreeMap, BTreeSet};

use flash_client::Call;
use flash_plan::Why;
use flash_vault::MaybeForeign;
use flash_wire::key::sale_of;
use flash_wire::{COUNT_MAX, FIRST_EPOCH, ReadyAnswer, Refusal};
use tokio::time::Instant;

use crate::compare;
use crate::doubts::Doubts;
use crate::handle::Asked;
use crate::limits::{COMPARE_EVERY, REJECTIONS_REST, SALES_PER_PAGE};
use crate::steps::Servers;
use crate::trouble::Trouble;

/// What was looked at, and when.
#[derive(Debug)]
pub(crate) struct Looks {
    asked: Asked,
    /// Of Redis, when all sales were last compared. None: they were not, over this connection to PostgreSQL.
    generation: Option<u64>,
    compared: Option<Instant>,
    /// Where the comparison of sales by name goes on, and the one with what they have.
    cursor: String,
    state_cursor: String,
    /// When a sale was last recovered because of rejections.
    rejections_met: BTreeMap<String, Instant>,
}

impl Looks {
    /// `asked`: sales that buyers asked for and Redis does not have.
    pub(crate) fn new(asked: Asked) -> Self {
        let (cursor, state_cursor, rejections_met) = (String::new(), String::new(), BTreeMap::new());
        Self { asked, generation: None, compared: None, cursor, state_cursor, rejections_met }
    }

    /// There is a new connection to PostgreSQL: it may be another one, or have lost something.
    pub(crate) fn begin_anew(&mut self) {
        (self.generation, self.compared) = (None, None);
    }

    /// Finds sales that may be in doubt.
    ///
    /// # Errors
    /// When Redis or PostgreSQL is in trouble. What was found by then is kept.
    pub(crate) async fn look(&mut self, servers: &mut Servers, doubts: &mut Doubts) -> Result<(), Trouble> {
        let ready = servers.redis.call(Call::ready(COUNT_MAX)).await??;
        for sale in ready.sales.iter().filter(|sale| sale.fenced).filter_map(|sale| sale_of(&sale.key)) {
            doubts.add(sale, Why::Fenced);
        }
        while let Some(sale) = self.asked.next() {
            doubts.add(&sale, Why::Missing);
        }
        if self.generation != Some(ready.generation) {
            add(doubts, compare::all(&servers.redis, &servers.postgres).await?);
            self.generation = Some(ready.generation);
        }
        let now = Instant::now();
        if self.compared.is_none_or(|compared| now.duration_since(compared) >= COMPARE_EVERY) {
            self.compared = Some(now);
            self.compare(&ready, servers, doubts).await?;
        }
        Ok(())
    }

    async fn compare(
        &mut self,
        ready: &ReadyAnswer,
        servers: &mut Servers,
        doubts: &mut Doubts,
    ) -> Result<(), Trouble> {
        add(doubts, compare::heads(&ready.sales, &servers.postgres).await?);
        add(doubts, compare::some(&ready.sales, &servers.postgres, &mut self.cursor).await?);
        add(doubts, compare::next(&servers.redis, &servers.postgres, &mut self.state_cursor).await?);
        put_foreign_aside(servers).await?;
        let now = Instant::now();
        self.rejections_met.retain(|_, met| now.duration_since(*met) < REJECTIONS_REST);
        servers.unsettled = BTreeSet::new();
        for unsettled in flash_vault::unsettled_sales(&servers.postgres, SALES_PER_PAGE).await? {
            let sale = unsettled.sale;
            servers.unsettled.insert(sale.clone());
            if unsettled.only_late || !self.rejections_met.contains_key(&sale) {
                doubts.add(&sale, Why::Rejections);
            }
            if !unsettled.only_late {
                self.rejections_met.entry(sale).or_insert(now);
            }
        }
        Ok(())
    }
}

/// Puts events aside of epochs that never began. Redis is asked after PostgreSQL: an epoch that Redis is in was
/// begun, though PostgreSQL may have forgotten it.
async fn put_foreign_aside(servers: &Servers) -> Result<(), Trouble> {
    for MaybeForeign { sale, epoch } in flash_vault::maybe_foreign(&servers.postgres, SALES_PER_PAGE).await? {
        let newest = match servers.redis.call(Call::sale_status(&sale)).await? {
            Ok(status) if status.epoch >= epoch => continue,
            Ok(status) => status.epoch,
            Err(Refusal::NotWarmed) => 0,
            Err(refusal) => return Err(refusal.into()),
        };
        match servers.vaults.take().await.vault().await?.put_foreign_aside(&sale, newest.max(FIRST_EPOCH)).await {
            // It can wait until an operator resumes the syncers.
            Ok(_) | Err(flash_vault::Error::Paused) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn add(doubts: &mut Doubts, found: compare::Found) {
    found.into_iter().for_each(|(sale, why)| doubts.add(&sale, why));
}
