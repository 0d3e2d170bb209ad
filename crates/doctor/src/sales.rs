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
        return Ok(Finding::ok(format!("Redis has every sale of PostgreSQL's that is not over ({known})")));
    }
    Ok(Finding::warn(
        format!("Redis lacks {lacks} of the {} sales that PostgreSQL has and that are not over", on_sale.len()),
        "a gateway that runs brings them back; flash audit says which they are",
    ))
}

/// Sales that Redis has, and of which PostgreSQL knows nothing.
async fn in_postgres(both: &Both) -> Result<Finding> {
    let known = flash_vault::sales(&both.vault, SALES_MAX).await?;
    if known.len() == SALES_MAX {
        return Ok(Finding::ok(format!("PostgreSQL has {SALES_MAX} sales or more: they are not counted here")));
    }
    let Some(sales) = both.redis.info("flash", "flash_sales").await? else {
        return Ok(Finding::warn("Redis does not say how many sales it has", "ask again"));
    };
    let strangers = sales.parse::<usize>()?.saturating_sub(known_to_redis(both, &known).await?);
    if strangers == 0 {
        return Ok(Finding::ok(format!("PostgreSQL knows every sale of Redis's ({sales})")));
    }
    Ok(Finding::warn(
        format!("of {sales} sales in Redis, PostgreSQL does not know {strangers}: gateways do not sell them"),
        "create sales over HTTP; what was warmed by hand is no gateway's (flash audit shows those with events)",
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
