//! Redis and PostgreSQL together: counts alone. `flash audit` says what is wrong with which sale.

use anyhow::Result;
use flash_client::{Call, Client};
use flash_transport::Finding;
use flash_wire::Refusal;

use crate::check::Check;

/// Sales that are looked at; beyond them nothing is counted.
const SALES_MAX: usize = 10_000;

/// Both of them.
pub(crate) struct Both {
    pub(crate) redis: Client,
    pub(crate) vault: flash_vault::Client,
}

pub(crate) const CHECKS: [Check<Both>; 2] =
    [("in-redis", |both| Box::pin(in_redis(both))), ("in-postgres", |both| Box::pin(in_postgres(both)))];

/// Sales that PostgreSQL has and that are not over, and that Redis lacks.
async fn in_redis(both: &Both) -> Result<Finding> {
    let on_sale = flash_vault::sales_on_sale(&both.vault, "", u32::try_from(SALES_MAX)?).await?;
    let known = known_to_redis(both, &on_sale).await?;
    let lacks = on_sale.len() - known;
    if lacks == 0 {
        return Ok(Finding::ok(format!("Redis has every active sale of PostgreSQL ({known})")));
    }
    Ok(Finding::warn(
        format!("Redis lacks {lacks} of the {} active sales of PostgreSQL", on_sale.len()),
        "a running gateway restores them; flash audit lists them",
    ))
}

/// Sales that Redis has, and of which PostgreSQL knows nothing.
async fn in_postgres(both: &Both) -> Result<Finding> {
    let known = flash_vault::sales(&both.vault, SALES_MAX).await?;
    if known.len() == SALES_MAX {
        return Ok(Finding::ok(format!("PostgreSQL has {SALES_MAX} sales or more, too many for this check")));
    }
    let Some(sales) = both.redis.info("flash", "flash_sales").await? else {
        return Ok(Finding::warn("Redis does not report how many sales it has", "run the doctor again"));
    };
    let strangers = sales.parse::<usize>()?.saturating_sub(known_to_redis(both, &known).await?);
    if strangers == 0 {
        return Ok(Finding::ok(format!("PostgreSQL has every sale of Redis ({sales})")));
    }
    Ok(Finding::warn(
        format!("PostgreSQL lacks {strangers} of the {sales} sales in Redis: gateways do not sell them"),
        "create sales over HTTP: gateways do not know hand-warmed sales (flash audit lists those with events)",
    ))
}

async fn known_to_redis(both: &Both, sales: &[String]) -> Result<usize> {
    let calls = sales.iter().map(|sale| Call::sale_status(sale)).collect();
    let mut known = 0;
    for outcome in both.redis.calls(calls).await {
        known += usize::from(!matches!(outcome?, Err(Refusal::NotWarmed)));
    }
    Ok(known)
}
