//! Finds sales that may be in doubt, by comparing what Redis and PostgreSQL say of many at once.

use std::collections::BTreeMap;

use flash_client::{Call, Client};
use flash_plan::{PostgresMark, RedisMark, Why, doubt, is_redis_behind, state_digest};
use flash_vault::HeadAndState;
use flash_wire::key::sale_of;
use flash_wire::{ReadySale, Refusal};

use crate::known::mark;
use crate::limits::{SALES_COMPARED_AT_ONCE, SALES_PER_PAGE};
use crate::trouble::Trouble;

/// Sales that may be in doubt.
pub(crate) type Found = Vec<(String, Why)>;

/// All sales of PostgreSQL that are not over, with those of Redis.
pub(crate) async fn all(redis: &Client, postgres: &flash_vault::Client) -> Result<Found, Trouble> {
    let (mut found, mut last) = (Vec::new(), String::new());
    loop {
        let page = flash_vault::living(postgres, &last, SALES_PER_PAGE).await?;
        let Some((newest, ..)) = page.last() else { return Ok(found) };
        last.clone_from(newest);
        found.extend(closely(redis, postgres, &page).await?);
    }
}

/// The next sales of PostgreSQL by name after `cursor`, which moves on, with those of Redis: a life that was made by
/// hand may be at the same event, and no look at heads tells it from the one that it took the place of.
pub(crate) async fn next(
    redis: &Client,
    postgres: &flash_vault::Client,
    cursor: &mut String,
) -> Result<Found, Trouble> {
    let page = flash_vault::living(postgres, cursor, SALES_COMPARED_AT_ONCE).await?;
    *cursor = match page.last() {
        Some((newest, ..)) if page.len() as u64 >= u64::from(SALES_COMPARED_AT_ONCE) => newest.clone(),
        _ => String::new(),
    };
    closely(redis, postgres, &page).await
}

async fn closely(
    redis: &Client,
    postgres: &flash_vault::Client,
    page: &[(String, u64, u64)],
) -> Result<Found, Trouble> {
    let statuses = redis.calls(page.iter().map(|(sale, ..)| Call::sale_status(sale)).collect()).await;
    let mut marks = Vec::with_capacity(page.len());
    for status in statuses {
        marks.push(match status? {
            Ok(status) => Some(mark(&status)),
            Err(Refusal::NotWarmed) => None,
            Err(refusal) => return Err(refusal.into()),
        });
    }
    let asked = page.iter().zip(&marks).map(|((sale, ..), mark)| (sale.as_str(), mark.map_or(0, |mark| mark.epoch)));
    let heads = flash_vault::heads_and_states(postgres, &asked.collect::<Vec<_>>()).await?;
    let mut found = Vec::new();
    for ((known, mark), HeadAndState { head, state }) in page.iter().zip(marks).zip(heads) {
        let (sale, epoch, term) = known;
        let (epoch, term, state, has_rejections) = (*epoch, *term, state.as_ref().map(state_digest), false);
        let postgres = PostgresMark { epoch, term, head: Some(head), state, has_rejections };
        // A sale that sells may only appear to lag: its recovery looks again, in the other order.
        let is_behind = mark.is_some_and(|mark| is_redis_behind(mark, postgres));
        let why = doubt(mark, Some(postgres)).or_else(|| is_behind.then_some(Why::RedisBehind));
        found.extend(why.map(|why| (sale.clone(), why)));
    }
    Ok(found)
}

/// Some of the sales of PostgreSQL, by name after `cursor`, which moves on, with what READY said of them before. This
/// finds a sale that sells in a life that is over.
pub(crate) async fn some(
    ready: &[ReadySale],
    postgres: &flash_vault::Client,
    cursor: &mut String,
) -> Result<Found, Trouble> {
    let page = flash_vault::living(postgres, cursor, SALES_PER_PAGE).await?;
    *cursor = match page.last() {
        Some((newest, ..)) if page.len() as u64 >= u64::from(SALES_PER_PAGE) => newest.clone(),
        _ => String::new(),
    };
    let ready: BTreeMap<&str, &ReadySale> = ready.iter().filter_map(|one| Some((sale_of(&one.key)?, one))).collect();
    let why = |(sale, epoch, term): (String, u64, u64)| {
        let redis = ready_mark(ready.get(sale.as_str())?);
        let why =
            doubt(Some(redis), Some(PostgresMark { epoch, term, head: None, state: None, has_rejections: false }))?;
        Some((sale, why))
    };
    Ok(page.into_iter().filter_map(why).collect())
}

/// What READY said is acknowledged, with how far PostgreSQL is since.
pub(crate) async fn heads(ready: &[ReadySale], postgres: &flash_vault::Client) -> Result<Found, Trouble> {
    let sales: Vec<(&str, &ReadySale)> = ready.iter().filter_map(|one| Some((sale_of(&one.key)?, one))).collect();
    let asked: Vec<(&str, u64)> = sales.iter().map(|(sale, ready)| (*sale, ready.epoch)).collect();
    let heads = flash_vault::heads(postgres, &asked).await?;
    let why = |((sale, ready), head): (&(&str, &ReadySale), flash_vault::Head)| {
        let (epoch, head, state) = (ready.epoch, Some(head.seq), None);
        let postgres = PostgresMark { epoch, term: 0, head, state, has_rejections: false };
        doubt(Some(ready_mark(ready)), Some(postgres)).map(|why| ((*sale).to_owned(), why))
    };
    Ok(sales.iter().zip(heads).filter_map(why).collect())
}

const fn ready_mark(ready: &ReadySale) -> RedisMark {
    let &ReadySale { epoch, acked, head: seq, fenced, .. } = ready;
    // READY shows no term, and that there is a journal only by its events.
    let has_journal = ready.oldest_at_ms > 0;
    RedisMark { epoch, term: None, seq, acked, state: None, is_fenced: fenced, has_journal }
}
