//! What a recovery needs to know: which sales there are, who recovers each, and who has what.

use flash_wire::message::MessageReserved;
use flash_wire::{Expected, ExpectedSku, RebuiltReservation};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};

use crate::content;
use crate::error::Error;
use crate::head::Head;
use crate::number::{from_sql, to_sql};
use crate::reserved::reserved;
use crate::sql;

/// A sale whose window is over, and its last hold, is not brought back once that is so long ago: buyers may still ask
/// for their reservations, which PostgreSQL answers.
pub const OVER_MS_MAX: u64 = 60 * 60 * 1_000;

/// For how long a gateway that recovers a sale keeps the others from it, each time it says so. One that has died, or
/// sleeps, holds a recovery up no longer; one that wakes up finds that its term is over.
pub const RECOVERY_LEASE_S: f64 = 3.0;

/// Begins a recovery of a sale, and gives its term: above the last, which must be `seen_term` (0: there was none), and
/// above `at_least`. Its low bits are drawn anew for each, so that no two recoveries have the same, even where
/// PostgreSQL has forgotten one. It is this gateway's for [`RECOVERY_LEASE_S`]. None: another gateway has it, or had it
/// since that term was seen, so that what was seen with it may be over.
///
/// # Errors
/// When PostgreSQL is in trouble. Whether a term was taken is unknown then; to take another does no harm.
pub async fn take_recovery(
    client: &Client,
    sale: &str,
    gateway: &str,
    seen_term: u64,
    at_least: u64,
) -> Result<Option<u64>, Error> {
    let at_least = to_sql(at_least);
    if seen_term == 0 {
        let values: [&(dyn ToSql + Sync); 4] = [&sale, &gateway, &RECOVERY_LEASE_S, &at_least];
        let first = client.query_opt(sql::recovery::FIRST_RECOVERY, &values).await?;
        if let Some(row) = first {
            return Ok(Some(from_sql(row.get(0))));
        }
    }
    let values: [&(dyn ToSql + Sync); 5] = [&sale, &gateway, &RECOVERY_LEASE_S, &to_sql(seen_term), &at_least];
    let taken = client.query_opt(sql::recovery::TAKE_RECOVERY, &values).await?;
    Ok(taken.map(|row| from_sql(row.get(0))))
}

/// Keeps a recovery for [`RECOVERY_LEASE_S`] from now. False: a later one was begun.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn renew_recovery(client: &Client, sale: &str, gateway: &str, term: u64) -> Result<bool, Error> {
    let values: [&(dyn ToSql + Sync); 4] = [&sale, &gateway, &to_sql(term), &RECOVERY_LEASE_S];
    Ok(client.execute(sql::recovery::RENEW_RECOVERY, &values).await? > 0)
}

/// Lets others recover the sale. The term stays known.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn end_recovery(client: &Client, sale: &str, gateway: &str, term: u64) -> Result<(), Error> {
    client.execute(sql::recovery::END_RECOVERY, &[&sale, &gateway, &to_sql(term)]).await?;
    Ok(())
}

/// The sales after `after`, by name, that are not over for longer than [`OVER_MS_MAX`]: at most `count`.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn sales_on_sale(client: &Client, after: &str, count: u32) -> Result<Vec<String>, Error> {
    Ok(living(client, after, count).await?.into_iter().map(|(sale, ..)| sale).collect())
}

/// The same sales, each with its newest epoch and the term of its newest recovery (0: there was none).
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn living(client: &Client, after: &str, count: u32) -> Result<Vec<(String, u64, u64)>, Error> {
    let rows = client.query(sql::recovery::LIVING, &[&after, &to_sql(OVER_MS_MAX), &i64::from(count)]).await?;
    Ok(rows.iter().map(|row| (row.get(0), from_sql(row.get(1)), from_sql(row.get(2)))).collect())
}

/// How far some epochs of sales are written, in the order in which they are asked for. The seq is 0 where nothing is.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn heads(client: &Client, epochs: &[(&str, u64)]) -> Result<Vec<Head>, Error> {
    let sales: Vec<_> = epochs.iter().map(|epoch| epoch.0).collect();
    let numbers: Vec<_> = epochs.iter().map(|epoch| to_sql(epoch.1)).collect();
    let rows = client.query(sql::recovery::HEADS, &[&sales, &numbers]).await?;
    let head =
        |row: &tokio_postgres::Row| Head { sale: row.get(0), epoch: from_sql(row.get(1)), seq: from_sql(row.get(2)) };
    Ok(rows.iter().map(head).collect())
}

/// How far an epoch is written, and what its sale has then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadAndState {
    /// Its last event that is written; 0: nothing of it is.
    pub head: u64,
    /// What the sale has. None: there is no such sale, its content is to be counted yet, or events of the epoch wait in
    /// the quarantine.
    pub state: Option<Expected>,
}

/// How far some epochs are written, in the order in which they are asked for, with what their sales have.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn heads_and_states(client: &Client, epochs: &[(&str, u64)]) -> Result<Vec<HeadAndState>, Error> {
    let sales: Vec<_> = epochs.iter().map(|epoch| epoch.0).collect();
    let numbers: Vec<_> = epochs.iter().map(|epoch| to_sql(epoch.1)).collect();
    let rows = client.query(sql::recovery::HEADS_AND_STATES, &[&sales, &numbers]).await?;
    Ok(rows.iter().map(|row| HeadAndState { head: from_sql(row.get(0)), state: state(row) }).collect())
}

fn state(row: &Row) -> Option<Expected> {
    let numbers = |column: usize| row.get::<_, Option<Vec<Option<i64>>>>(column).unwrap_or_default();
    let names = row.get::<_, Option<Vec<String>>>(5).unwrap_or_default();
    let units = numbers(6).into_iter().zip(numbers(7));
    let sku = |(name, (total, taken)): (String, (Option<i64>, Option<i64>))| {
        Some(ExpectedSku { name, total: from_sql(total?), taken: from_sql(taken?) })
    };
    let skus = names.into_iter().zip(units).map(sku).collect::<Option<_>>()?;
    let (is_quarantined, is_closed) = (row.get::<_, bool>(3), row.get::<_, Option<bool>>(4)?);
    let content = content::sum(numbers(1).into_iter().zip(numbers(2))).filter(|_| !is_quarantined)?;
    Some(Expected { content, is_closed, skus })
}

/// The active orders of a sale after the id `after`, by id, at most `count`, as a rebuilding takes them.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn active_page(
    client: &Client,
    sale: &str,
    after: u64,
    count: u32,
) -> Result<Vec<RebuiltReservation<'static>>, Error> {
    let rows = client.query(sql::recovery::ACTIVE_PAGE, &[&sale, &to_sql(after), &i64::from(count)]).await?;
    let mut page = Vec::with_capacity(rows.len());
    for row in &rows {
        let made = reserved(row)?;
        let (id, state) = (from_sql(row.get("id")), row.get::<_, String>("state").into());
        let fingerprint = known_fingerprint(&made);
        page.push(RebuiltReservation { id, state, made: MessageReserved { data: None, ..made }, fingerprint });
    }
    Ok(page)
}

/// The fingerprint of what came with a request. Text that was no JSON became a JSON string on its way here: of a string
/// it is not known which it was.
fn known_fingerprint(made: &MessageReserved<'_>) -> Option<u32> {
    let is_string = made.data.as_deref().is_some_and(|data| data.get().starts_with('"'));
    (made.request.is_some() && !is_string).then(|| made.details().fingerprint())
}
