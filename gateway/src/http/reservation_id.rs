//! Which reservation an id in a path names, and whether the caller may know of it.

use flash_client::Call;
use flash_wire::Refusal;

use super::identity::Caller;
use super::problem::{Kind, Problem};
use super::state::App;
use crate::ids::GivenId;

/// The reservation's number.
///
/// # Errors
/// When it is not the caller's: that is the same answer, word for word, as for one that there is not.
pub(crate) async fn number(app: &App, caller: &Caller, sale: &str, id: &str) -> Result<u64, Problem> {
    let unknown = Problem::from(Kind::UnknownReservation);
    let Some(given) = GivenId::read(id) else { return Err(unknown) };
    let is_theirs = match caller {
        Caller::Anyone => app.ids.made(sale, given, ""),
        Caller::Buyer(buyer) => app.ids.made(sale, given, buyer),
        // An operator may act for any buyer. One that passes a buyer's id on learns if it is invalid.
        Caller::Operator(_) if given.mac.is_none() => true,
        Caller::Operator(_) => Box::pin(is_its_buyers(app, sale, given)).await?,
    };
    if is_theirs { Ok(given.seq) } else { Err(unknown) }
}

async fn is_its_buyers(app: &App, sale: &str, given: GivenId) -> Result<bool, Problem> {
    match app.redis.call(Call::reservation_status(sale, given.seq)).await? {
        Ok(status) => return Ok(app.ids.made(sale, given, &status.made.buyer)),
        Err(Refusal::Unknown | Refusal::NotWarmed) => {}
        Err(refusal) => return Err(refusal.into()),
    }
    let buyer = match app.postgres.look(async |client: &_| flash_vault::order(client, sale, given.seq).await).await? {
        Some(order) => Some(order.made.buyer.into_owned()),
        None => app
            .postgres
            .look(async |client: &_| flash_vault::rejection(client, sale, given.seq).await)
            .await?
            .map(|rejection| rejection.buyer),
    };
    Ok(buyer.is_some_and(|buyer| app.ids.made(sale, given, &buyer)))
}
