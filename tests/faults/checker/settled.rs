//! Whether a sale has come to rest: nothing is on its way any more, and Redis and PostgreSQL agree.

use flash_wire::SaleStatus;

use crate::eyes::Rows;
use crate::load::Sale;

/// What is still missing, in words.
pub(crate) fn settled(sale: &Sale, status: &SaleStatus, rows: &Rows) -> Result<(), String> {
    if status.phase != "open" {
        return Err(format!("the sale is {}", status.phase));
    }
    if status.journal_events > 0 || status.acked != status.seq {
        return Err(format!(
            "the journal holds {} events; {} of {} are acked",
            status.journal_events, status.acked, status.seq
        ));
    }
    if rows.early > 0 {
        return Err(format!("{} events wait for those before them", rows.early));
    }
    for (redis, postgres) in status.skus.iter().zip(&rows.skus) {
        let taken = redis.held + redis.confirmed;
        if postgres.name != redis.name
            || postgres.sold != taken.cast_signed()
            || postgres.total != redis.total.cast_signed()
        {
            return Err(format!("Redis says {redis:?}, PostgreSQL says {postgres:?}"));
        }
        if sale.expires() && redis.held > 0 {
            return Err(format!("{} holds are due", redis.held));
        }
    }
    let counted: u64 = rows
        .orders
        .iter()
        .filter(|order| order.state.is_active())
        .flat_map(|order| &order.items)
        .map(|item| item.1)
        .sum();
    let sold: i64 = rows.skus.iter().map(|sku| sku.sold).sum();
    if status.skus.len() != rows.skus.len() || sold != counted.cast_signed() {
        return Err(format!("PostgreSQL has sold {sold} units by its counters, {counted} by its orders"));
    }
    Ok(())
}
