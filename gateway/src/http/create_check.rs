//! What Redis would refuse of a sale, looked at before PostgreSQL has the sale: from then on it is created, and a
//! gateway brings it to Redis whatever this one was answered.

use flash_client::{Call, CallError};
use flash_wire::{Invalid, Refusal, SaleStatus, Terms, Throttle, ThrottleTerms, WindowTerms};

use super::problem::{Kind, Problem};
use super::state::App;

/// The module's setting: units of one SKU.
const TOTAL_UNITS_SETTING: &str = "flash.total-units-max";
/// The module's setting: unacknowledged events that a sale's journal takes.
const JOURNAL_EVENTS_SETTING: &str = "flash.journal-events-max";
/// What STATUS calls the phase of a sale that is in doubt.
const FENCED: &str = "fenced";

/// Whether Redis takes a sale of these terms now.
///
/// # Errors
/// When Redis would refuse it, is away, or has another sale of this id. Nothing was changed.
pub(crate) async fn check(app: &App, sale: &str, terms: &Terms) -> Result<(), Problem> {
    match app.redis.call(Call::sale_status(sale)).await.map_err(of_look)? {
        // Redis knows nothing of it but that it is being brought back.
        Ok(status) if status.epoch == 0 => return Err(Kind::Fenced.into()),
        Ok(status) if is_other(&status, terms) => return Err(Kind::SaleDiffers.into()),
        Ok(_) => return Ok(()),
        Err(Refusal::NotWarmed) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    // A write that means nothing, and is refused where a sale would be: no memory, a read-only replica, a full disk.
    app.redis.call(Call::throttle("create", &probe())).await.map_err(of_look)??;
    check_totals(terms, setting(app, TOTAL_UNITS_SETTING).await?)?;
    check_journal(terms, setting(app, JOURNAL_EVENTS_SETTING).await?)
}

/// A number that Redis is set to. None: this user may not ask, or there is no such setting.
async fn setting(app: &App, name: &str) -> Result<Option<u64>, Problem> {
    match app.redis.setting(name).await {
        Ok(value) => Ok(value.and_then(|value| value.parse().ok())),
        Err(error @ (CallError::Unavailable(_) | CallError::Unknown(_))) => Err(of_look(error)),
        Err(_) => Ok(None),
    }
}

fn of_look(error: CallError) -> Problem {
    Problem::from(error).of_read()
}

/// One unit of a limit that is not reached.
const fn probe() -> Throttle {
    Throttle { terms: ThrottleTerms::Strict(WindowTerms { limit: 1_000_000_000, window_ms: 1_000 }), cost: 1 }
}

/// Whether Redis has a sale that was warmed by hand with other terms. (Totals change, and of a sale in doubt not much
/// is known: those PostgreSQL compares.)
fn is_other(status: &SaleStatus<'_>, terms: &Terms) -> bool {
    let terms_of = |sku: &str| terms.skus.iter().any(|terms| terms.name == sku);
    status.phase != FENCED
        && (status.limit != u64::from(terms.limit)
            || status.hold_ms != terms.hold_ms
            || status.opens_at_ms != terms.opens_at_ms
            || status.closes_at_ms != terms.closes_at_ms
            || status.journal_events_max != terms.journal_events_max
            || status.skus.len() != terms.skus.len()
            || !status.skus.iter().all(|sku| terms_of(&sku.name)))
}

/// None: the setting cannot be read.
fn check_totals(terms: &Terms, most: Option<u64>) -> Result<(), Problem> {
    let Some(most) = most.filter(|most| terms.skus.iter().any(|sku| sku.total > *most)) else { return Ok(()) };
    let field = if matches!(&terms.skus[..], [sku] if sku.name == flash_wire::DEFAULT_SKU) { "total" } else { "skus" };
    Err(Problem::field(&Invalid::new(field, format!("must be at most {most} units, the setting of Redis"))))
}

fn check_journal(terms: &Terms, most: Option<u64>) -> Result<(), Problem> {
    match most.filter(|most| terms.journal_events_max.is_some_and(|events| events > *most)) {
        Some(most) => {
            let rule = format!("must be at most {most} events, the setting of Redis");
            Err(Problem::field(&Invalid::new("journal_events_max", rule)))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_are_compared_with_the_setting_if_it_is_known() {
        let check = |total, most, want: bool| {
            assert_eq!(check_totals(&Terms::simple(total), most).is_ok(), want, "{total} {most:?}");
        };
        check(10, None, true);
        check(10, Some(10), true);
        check(11, Some(10), false);
    }
}
