//! How Redis says that a sale is.

use flash_client::{Call, CallError};
use flash_wire::{Outcome, Refusal, SaleStatus};

use super::problem::Problem;
use super::state::App;

/// Asks Redis. A sale of which Redis knows nothing but a fence is one that Redis does not have: it is being brought
/// back.
///
/// # Errors
/// When Redis does not answer.
pub(crate) async fn of(app: &App, sale: &str) -> Result<Outcome<SaleStatus<'static>>, CallError> {
    Ok(known(app.redis.call(Call::sale_status(sale)).await?))
}

/// The same of an answer that came with others.
pub(crate) fn known(status: Outcome<SaleStatus<'static>>) -> Outcome<SaleStatus<'static>> {
    status.and_then(|status| if status.epoch == 0 { Err(Refusal::NotWarmed) } else { Ok(status) })
}

/// Redis' state of each of these sales; None: it does not have that one (any more).
pub(crate) async fn all(
    app: &App,
    sales: impl Iterator<Item = &str>,
) -> Result<Vec<Option<SaleStatus<'static>>>, Problem> {
    let told = app.redis.calls(sales.map(Call::sale_status).collect()).await;
    let found = |status| match status {
        Ok(status) => Ok(Some(status)),
        Err(Refusal::NotWarmed) => Ok(None),
        Err(refusal) => Err(refusal.into()),
    };
    told.into_iter().map(|status| found(known(status?))).collect()
}
