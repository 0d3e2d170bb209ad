//! What STATUS and PostgreSQL say of a sale, as the recovery's plan takes it.

use flash_plan::{InPostgres, InRedis, RedisMark, state_digest};
use flash_vault::{SaleStanding, SkuSold};
use flash_wire::{Attempt, Content, Expected, ExpectedSku, SaleStatus, SkuStatus, SkuTerms, Terms};

/// `is_away`: it lies under another key than its own.
pub(crate) fn in_redis(status: &SaleStatus, is_away: bool) -> InRedis {
    let &SaleStatus { epoch, seq, acked, term, instance, was_open, .. } = status;
    InRedis {
        epoch,
        seq,
        acked,
        attempt: Attempt { term, instance },
        is_fenced: status.is_fenced(),
        was_open,
        is_away,
        terms: terms(status),
        state: state(status),
    }
}

fn state(status: &SaleStatus) -> Expected {
    let &SaleStatus { is_closed, reservations, digest, .. } = status;
    let sku = |sku: &SkuStatus| ExpectedSku {
        name: sku.name.clone().into_owned(),
        total: sku.total,
        taken: sku.held + sku.confirmed,
    };
    let skus = status.skus.iter().map(sku).collect();
    Expected { content: Content { reservations, digest }, is_closed, skus }
}

/// What is compared of many sales at once.
pub(crate) fn mark(status: &SaleStatus) -> RedisMark {
    RedisMark {
        epoch: status.epoch,
        term: Some(status.term),
        seq: status.seq,
        acked: status.acked,
        state: Some(state_digest(&state(status))),
        is_fenced: status.is_fenced(),
        has_journal: status.journal_events_max.is_some(),
    }
}

fn terms(status: &SaleStatus) -> Terms {
    let sku = |sku: &SkuStatus| SkuTerms { name: sku.name.clone().into_owned(), total: sku.total };
    Terms {
        skus: status.skus.iter().map(sku).collect(),
        limit: u32::try_from(status.limit).unwrap_or(u32::MAX),
        hold_ms: status.hold_ms,
        opens_at_ms: status.opens_at_ms,
        closes_at_ms: status.closes_at_ms,
        journal_events_max: status.journal_events_max,
    }
}

/// `has_unsettled`: it has rejections that are not settled, of whatever epoch.
pub(crate) fn in_postgres(standing: SaleStanding, has_unsettled: bool) -> InPostgres {
    let SaleStanding { life, sold } = standing;
    let sku = |SkuSold { sku, total, sold }| ExpectedSku { name: sku, total, taken: sold };
    let state =
        Expected { content: life.content, is_closed: life.is_closed, skus: sold.into_iter().map(sku).collect() };
    InPostgres {
        epoch: life.epoch,
        head: life.head,
        term: life.term,
        has_rejections: life.unsettled > 0,
        has_quarantined: life.has_quarantined,
        has_unsettled,
        age_s: life.age_s,
        state,
    }
}
