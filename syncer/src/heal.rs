//! Whether a queue may be deleted. It may hold what Redis has forgotten: then a recovery waits for it.

use flash_client::{Call, CallError, Client};
use flash_transport::Cause;
use flash_vault::Head;
use flash_wire::key::sale_of;
use flash_wire::{COUNT_MAX, ReadyAnswer, Refusal, SaleStatus};

/// Sales that are looked at together.
const SALES_PER_PAGE: u32 = 500;

/// Why a queue may not be deleted.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error("PostgreSQL cannot be asked: {0}")]
    Postgres(#[from] flash_vault::Error),
    #[error("Redis cannot be asked: {0}")]
    Redis(#[from] CallError),
    #[error("Redis refuses to show its sales: {}", .0.code())]
    Refused(Refusal),
    #[error("a gateway recovers a sale")]
    Recovering,
    #[error("PostgreSQL has refused reservations that Redis may count as sold")]
    Unsettled,
    #[error("the sale {sale} is in doubt: {why}")]
    Doubt { sale: String, why: &'static str },
    #[error("Redis has changed meanwhile")]
    Changed,
}

/// Says no unless Redis has every sale of PostgreSQL's, none of them is in doubt, and no gateway recovers one. Then
/// every event that PostgreSQL lacks is in a journal.
pub(crate) async fn may_delete(postgres: &str, redis: &Client) -> Result<(), Cause> {
    Ok(no_doubt(postgres, redis).await?)
}

async fn no_doubt(postgres: &str, redis: &Client) -> Result<(), Reason> {
    let vault = flash_vault::connect(postgres).await?;
    let before = ready(redis).await?;
    let mut last = String::new();
    loop {
        let page = flash_vault::newest_heads(&vault, &last, SALES_PER_PAGE).await?;
        let Some(newest) = page.last() else { break };
        last.clone_from(&newest.sale);
        let statuses = redis.calls(page.iter().map(|head| Call::sale_status(&head.sale)).collect()).await;
        for (head, status) in page.iter().zip(statuses) {
            if let Some(why) = doubt(head, &status?) {
                return Err(Reason::Doubt { sale: head.sale.clone(), why });
            }
        }
    }
    if flash_vault::is_recovering(&vault).await? {
        return Err(Reason::Recovering);
    }
    if !flash_vault::unsettled_sales(&vault, 1).await?.is_empty() {
        return Err(Reason::Unsettled);
    }
    // Last, for a loss while the sales were looked at changes the generation.
    let after = ready(redis).await?;
    if after.generation != before.generation {
        return Err(Reason::Changed);
    }
    match after.sales.iter().find(|sale| sale.fenced) {
        Some(fenced) => {
            let sale = sale_of(&fenced.key).unwrap_or("under a foreign key").to_owned();
            Err(Reason::Doubt { sale, why: "it is fenced" })
        }
        None => Ok(()),
    }
}

async fn ready(redis: &Client) -> Result<ReadyAnswer, Reason> {
    redis.call(Call::ready(COUNT_MAX)).await?.map_err(Reason::Refused)
}

/// Why Redis may have forgotten something of a sale that PostgreSQL knows.
fn doubt(head: &Head, status: &Result<SaleStatus, Refusal>) -> Option<&'static str> {
    let status = match status {
        Ok(status) => status,
        Err(Refusal::NotWarmed) => return Some("Redis does not have it"),
        Err(_) => return Some("Redis does not show it"),
    };
    if status.phase == "fenced" {
        return Some("it is fenced");
    }
    if status.epoch < head.epoch {
        return Some("Redis has an older life of it");
    }
    if status.epoch == head.epoch && status.seq < head.seq {
        return Some("Redis has forgotten events that PostgreSQL has");
    }
    if status.epoch == head.epoch && status.acked > head.seq {
        return Some("PostgreSQL has lost events that were acknowledged");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(phase: &'static str, epoch: u64, seq: u64, acked: u64) -> SaleStatus<'static> {
        SaleStatus {
            epoch,
            seq,
            acked,
            phase: phase.into(),
            is_closed: false,
            limit: 1,
            hold_ms: None,
            opens_at_ms: None,
            closes_at_ms: None,
            journal_events: seq - acked,
            journal_events_max: Some(1_000),
            relay: None,
            lease_until_ms: None,
            was_open: true,
            term: 0,
            instance: 1,
            reservations: 0,
            digest: 0,
            skus: Vec::new(),
        }
    }

    #[test]
    fn a_sale_that_redis_may_have_forgotten_something_of_is_in_doubt() {
        let check = |status: Result<SaleStatus, Refusal>, want: bool| {
            let head = Head { sale: "drop".to_owned(), epoch: 2, seq: 10 };
            assert_eq!(doubt(&head, &status).is_some(), want, "{status:?}");
        };
        check(Ok(status("open", 2, 10, 10)), false);
        check(Ok(status("ended", 2, 15, 8)), false);
        check(Ok(status("open", 3, 4, 0)), false);
        check(Ok(status("fenced", 2, 10, 10)), true);
        check(Ok(status("open", 1, 30, 10)), true);
        check(Ok(status("open", 2, 9, 9)), true);
        check(Ok(status("open", 2, 15, 11)), true);
        check(Err(Refusal::NotWarmed), true);
        check(Err(Refusal::Fenced), true);
    }
}
