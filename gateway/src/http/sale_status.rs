//! How Redis says that a sale is.

use flash_client::{Call, CallError};
use flash_wire::{Outcome, Refusal, SaleStatus};

use super::app::App;

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
