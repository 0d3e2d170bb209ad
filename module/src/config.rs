//! `CONFIG GET flash.*`: what an operator allows the clients of this server. A replica takes what its primary took, and
//! an AOF is loaded whole, whatever these settings say.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use flash_sale::invalid::in_range;
use flash_sale::limits::{JOURNAL_EVENTS_MAX, TOTAL_UNITS_MAX};
use flash_sale::{Invalid, Terms};
use redis_module::Context;
use redis_module::configuration::{ConfigurationFlags, register_bool_configuration, register_i64_configuration};

use crate::api::Ctx;

/// `flash.total-units-max`: units of one SKU that a sale may be warmed or restocked to.
static TOTAL_UNITS: AtomicI64 = AtomicI64::new(TOTAL_UNITS_MAX.cast_signed());
/// `flash.journal-events-max`: the highest cap that a journal may be warmed with.
static JOURNAL_EVENTS: AtomicI64 = AtomicI64::new(JOURNAL_EVENTS_MAX.cast_signed());

/// `flash.fence-on-load`: whether a sale that comes from a disk or from another server sells nothing until somebody who
/// knows PostgreSQL and the queue has said that it is whole (`FLASH.UNFENCE`). Off for a bare module: no recovery would
/// say so.
static FENCE_ON_LOAD: AtomicBool = AtomicBool::new(false);

/// Adds the settings to the server. Each number is at most, and at first, what the sale itself can do.
pub(crate) fn register(ctx: Ctx) -> Result<(), String> {
    let context = Context::new(ctx.raw());
    let add = |name, value: &'static AtomicI64| {
        let max = value.load(Ordering::Relaxed);
        register_i64_configuration(&context, name, value, max, 1, max, ConfigurationFlags::DEFAULT, None);
    };
    add("total-units-max", &TOTAL_UNITS);
    add("journal-events-max", &JOURNAL_EVENTS);
    register_bool_configuration(&context, "fence-on-load", &FENCE_ON_LOAD, false, ConfigurationFlags::DEFAULT, None);
    ctx.load_configs()
}

/// Passes terms that the operator allows.
pub(crate) fn check(terms: &Terms) -> Result<(), Invalid> {
    for sku in &terms.skus {
        in_range("total", sku.total, 1, get(&TOTAL_UNITS))?;
    }
    let journal = terms.journal_events_max.map_or(Ok(1), |events| in_range("journal", events, 1, get(&JOURNAL_EVENTS)));
    journal.map(|_| ())
}

/// Passes a total, after a restock, that the operator allows.
pub(crate) fn check_total(total: u64) -> Result<(), Invalid> {
    in_range("total", total, 0, get(&TOTAL_UNITS)).map(|_| ())
}

/// Whether a sale from elsewhere is fenced. What was loaded before the setting changed stays as it is.
pub(crate) fn fences_on_load() -> bool {
    FENCE_ON_LOAD.load(Ordering::Relaxed)
}

fn get(value: &AtomicI64) -> u64 {
    value.load(Ordering::Relaxed).unsigned_abs()
}
