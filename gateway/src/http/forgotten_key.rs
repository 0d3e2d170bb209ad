//! A reservation's `Idempotency-Key` that Redis does not know, though it has forgotten some: PostgreSQL knows it as
//! long as the sale is there.

use std::time::Duration;

use flash_vault::{MadeByRequest, RequestOutcome};
use flash_wire::message::MessageItem;

use super::problem::{Kind, Problem};
use super::state::App;
use super::wish::{WantedUnits, Wish};
use crate::limits::FORGOTTEN_KEY_WAIT_MS_MAX;

/// How long PostgreSQL may take to find a key. It is asked twice, with a wait between.
const KEY_LOOK_UP_TIMEOUT_MS: u64 = 250;

/// What a key identifies.
pub(crate) enum KeyMeaning {
    /// This reservation, in its present state.
    Made(MadeByRequest),
    /// Nothing: the request is new.
    New,
}

/// Asks PostgreSQL for the key; what Redis has forgotten, it has forgotten up to the event `seq`.
///
/// # Errors
/// When the key came with another wish, or PostgreSQL cannot be asked, or does not have the sale up to there. Nothing
/// was reserved.
pub(crate) async fn look(app: &App, sale: &str, wish: &Wish<'_>, key: &str, seq: u64) -> Result<KeyMeaning, Problem> {
    let ask = async || {
        let question = async |client: &_| flash_vault::request_outcome(client, sale, &wish.buyer, key, seq).await;
        let outcome = app.postgres.ask(KEY_LOOK_UP_TIMEOUT_MS, question).await;
        outcome
            .map_err(|_| Problem::new(Kind::PostgresAway, "only PostgreSQL knows whether this Idempotency-Key is new"))
    };
    let mut outcome = ask().await?;
    if outcome == RequestOutcome::NotYet {
        let wait = Duration::from_millis(FORGOTTEN_KEY_WAIT_MS_MAX);
        let _turn = app.waits.until(sale, seq, wait, app.phase.clone()).await;
        outcome = ask().await?;
    }
    match outcome {
        RequestOutcome::Made(made) if is_same(wish, &made) => Ok(KeyMeaning::Made(made)),
        RequestOutcome::Made(_) => Err(Kind::KeyReused.into()),
        RequestOutcome::Nothing => Ok(KeyMeaning::New),
        RequestOutcome::NotYet => Err(Problem::new(
            Kind::PostgresAway,
            "PostgreSQL does not have all of the sale yet, and only PostgreSQL will know whether this Idempotency-Key is new",
        )),
    }
}

/// Whether the wish is the one that made it. What was no JSON is a string in PostgreSQL: of that it is not known.
fn is_same(wish: &Wish<'_>, made: &MadeByRequest) -> bool {
    let made = &made.made;
    let is_known = !made.data.as_deref().is_some_and(|data| data.get().starts_with('"'));
    let wanted = wish.command(made.request.as_deref(), true).details;
    let are_same_details = !is_known || wanted.fingerprint() == made.details().fingerprint();
    are_same_details && are_same_units(&wish.units, &made.items)
}

fn are_same_units(wanted: &WantedUnits<'_>, made: &[MessageItem<'_>]) -> bool {
    match wanted {
        WantedUnits::Quantity(quantity) => matches!(made, [item] if item.quantity == *quantity),
        WantedUnits::Items(items) => {
            let has =
                |item: &MessageItem| items.iter().any(|(sku, quantity)| *sku == item.sku && *quantity == item.quantity);
            items.len() == made.len() && made.iter().all(has)
        }
    }
}

#[cfg(test)]
mod tests {
    use flash_wire::State;
    use flash_wire::message::MessageReserved;

    use super::*;

    fn check(units: WantedUnits<'_>, data: Option<&str>, made_data: Option<&str>, want: bool) {
        let wish = Wish { buyer: "ada".into(), units, data };
        let made = MadeByRequest {
            id: 7,
            state: Some(State::Released),
            reason: None,
            made: MessageReserved {
                items: vec![MessageItem { sku: "s".into(), quantity: 2 }],
                data: made_data.map(|data| serde_json::from_str(data).expect("JSON")),
                ..MessageReserved::default()
            },
        };
        assert_eq!(is_same(&wish, &made), want, "{wish:?}");
    }

    #[test]
    fn a_wish_is_the_same_if_its_units_and_its_data_are() {
        let items = |sku: &'static str, units| WantedUnits::Items(vec![(sku.into(), units)]);
        check(WantedUnits::Quantity(2), None, None, true);
        check(items("s", 2), Some("{\"a\": 1}"), Some("{\"a\": 1}"), true);
        check(items("s", 2), Some("{\"a\": 1}"), Some("{\"a\": 2}"), false);
        check(items("s", 2), Some("{\"a\": 1}"), None, false);
        check(items("s", 2), Some("text"), Some("\"text\""), true);
        check(WantedUnits::Quantity(1), None, None, false);
        check(items("m", 2), None, None, false);
    }
}
