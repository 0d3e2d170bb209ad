//! Gives Redis a sale back, from PostgreSQL, as its next life.

use flash_client::{Call, Client};
use flash_vault::Vault;
use flash_wire::{NextEpoch, REBUILD_RESERVATIONS_MAX, Rebuild, RebuiltReservation, Restock, SkuTerms, Unfence, Warm};

use super::Trouble;
use super::limits::ORDERS_PER_PAGE;

/// Who rebuilds what.
pub(crate) struct Rebuilding<'a> {
    pub(crate) redis: &'a Client,
    pub(crate) vault: &'a Vault,
    /// This gateway, as the others know it.
    pub(crate) gateway: &'a str,
    pub(crate) sale: &'a str,
    /// The life that begins. The one before is sealed.
    pub(crate) next: NextEpoch,
}

impl Rebuilding<'_> {
    /// Makes the sale anew, fenced, gives everyone back what PostgreSQL says they have, and lets it go on. Gives the number
    /// of reservations.
    ///
    /// Where it breaks off, the sale stays fenced, and the next attempt begins the next life.
    pub(crate) async fn run(&self) -> Result<u64, Trouble> {
        let client = self.vault.client();
        let terms = flash_vault::terms(client, self.sale).await?.ok_or(Trouble::Gone)?;
        let (epoch, after) = (self.next.epoch, self.next.after);
        let skus = terms.skus.clone();
        self.redis.call(Call::warm(self.sale, &Warm { epoch, after, ..Warm::first(terms) })).await??;
        self.restock(&skus).await?;
        if flash_vault::life(client, self.sale, epoch).await?.is_some_and(|life| life.is_closed) {
            self.redis.call(Call::close(self.sale)).await??;
        }
        let count = self.give_back().await?;
        // The first event of this life is known to be there: it is the one that made it.
        let unfence = Unfence { epoch, seq: after + 1, next: None, attempt: None, expected: None };
        self.redis.call(Call::unfence(self.sale, &unfence)).await??;
        flash_vault::settle_rejections(client, self.sale, epoch).await?;
        Ok(count)
    }

    /// The terms have the totals that the sale was warmed with; an operator may have changed them since.
    async fn restock(&self, terms: &[SkuTerms]) -> Result<(), Trouble> {
        let now = flash_vault::sold_units(self.vault.client(), self.sale).await?;
        for (sku, now) in terms.iter().zip(&now) {
            let delta = now.total.cast_signed() - sku.total.cast_signed();
            if delta != 0 {
                let restock = Restock { sku: Some(&sku.name), delta };
                self.redis.call(Call::restock(self.sale, restock)).await??;
            }
        }
        Ok(())
    }

    async fn give_back(&self) -> Result<u64, Trouble> {
        let (client, mut count, mut last) = (self.vault.client(), 0, 0);
        loop {
            if !flash_vault::lease_recovery(client, self.sale, self.gateway).await? {
                return Err(Trouble::Another);
            }
            let page = flash_vault::active_page(client, self.sale, last, ORDERS_PER_PAGE).await?;
            let Some(newest) = page.last() else { return Ok(count) };
            last = newest.id;
            count += page.len() as u64;
            let outcomes = self.redis.calls(self.calls(page)).await;
            for outcome in outcomes {
                outcome??;
            }
        }
    }

    fn calls(&self, page: Vec<RebuiltReservation<'static>>) -> Vec<Call<flash_wire::RebuildAnswer>> {
        let batches = page.chunks(REBUILD_RESERVATIONS_MAX);
        let rebuild = |some: &[_]| Rebuild { epoch: self.next.epoch, attempt: None, reservations: some.to_vec() };
        batches.map(|some| Call::rebuild(self.sale, &rebuild(some))).collect()
    }
}
