//! One round: a sale sells, Redis is lost, the sale comes back and sells out; then each answer is looked up.

use std::thread;
use std::time::Duration;

use anyhow::ensure;
use flash_vault::{ReservationFilter, ReservationRow, SkuSold};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::buyers::Crowd;
use crate::level::{Plight, SILENT};
use crate::loss::{self, Ready};
use crate::stage::Stage;
use crate::verdict::{Case, Verdict};

/// How long buyers buy at least before the loss; a span of a second after that has it, so that it falls anywhere
/// between two syncs of `everysec`.
const LEAD: Duration = Duration::from_millis(300);
const SPAN_MS: u64 = 1_000;
/// The units of a sale last for so many seconds: longer than the loss can take to come.
const UNITS_S: u64 = 3;
/// Reservations of a sale that are looked at.
const ROWS_MAX: u64 = 10_000_000;

/// What PostgreSQL has of a sale.
pub(crate) struct Vault {
    pub(crate) rows: Vec<ReservationRow>,
    pub(crate) skus: Vec<SkuSold>,
    pub(crate) active: u64,
    pub(crate) twice_served: u64,
}

pub(crate) fn play(
    stage: &mut Stage,
    plight: Plight,
    sale: &str,
    seed: u64,
    per_second: u64,
) -> anyhow::Result<Verdict> {
    let mut random = StdRng::seed_from_u64(seed);
    let units = per_second * UNITS_S;
    stage.create(sale, units)?;
    let ready = Ready::make(stage, sale)?;
    let crowd = Crowd::come(stage.address(), sale, stage.level.durability, per_second);
    crowd.wait_for_first();
    thread::sleep(LEAD + Duration::from_millis(random.random_range(0..SPAN_MS)));
    if plight == Plight::Worst {
        stage.postgres.server.pause();
        thread::sleep(SILENT);
    }
    let lost = loss::lose(stage, ready, plight, &mut random)?;
    let back = crowd.redis_is_back();
    let acks = crowd.finish()?;
    let vault = rest(stage, sale)?;
    Ok(Case { acks: &acks, vault: &vault, units, lost, back }.verdict())
}

/// Waits until nothing is on its way any more; gives what there is.
fn rest(stage: &Stage, sale: &str) -> anyhow::Result<Vault> {
    stage.wait_until_dry(sale)?;
    let url = stage.postgres_url();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let vault = runtime.block_on(async {
        let client = flash_vault::connect(&url).await?;
        let filter = ReservationFilter { before: u64::MAX >> 1, ..ReservationFilter::default() };
        anyhow::Ok(Vault {
            rows: flash_vault::reservation_page(&client, sale, &filter, ROWS_MAX).await?,
            skus: flash_vault::sold_units(&client, sale).await?,
            active: flash_vault::active_orders(&client, sale).await?,
            twice_served: flash_vault::twice_served_buyers(&client, sale).await?,
        })
    })?;
    ensure!((vault.rows.len() as u64) < ROWS_MAX, "more than {ROWS_MAX} reservations");
    Ok(vault)
}
