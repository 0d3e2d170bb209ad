//! Pages of sales and reservations, as operators look at them.

use std::time::{SystemTime, UNIX_EPOCH};

use flash_vault::{Extras, REJECTED, ReservationFilter, ReservationRow, create_sale, reservation_page, sale_page};
use flash_wire::Terms;
use flash_wire::message::MessageChange;

use crate::fixture::{Database, SALE, confirmed, held, message, released, reserved, warmed};

async fn check(database: &Database, filter: ReservationFilter<'_>, limit: u64, want: &[u64]) -> Vec<ReservationRow> {
    let rows = reservation_page(&database.client, SALE, &filter, limit).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.id).collect::<Vec<_>>(), want, "{filter:?}, {limit}");
    rows
}

#[tokio::test]
async fn reservations_come_the_newest_first_by_state_buyer_and_page() {
    let began_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    let database = Database::new().await;
    let second = reserved("ada".to_owned(), 0, &[("a", 2)], false);
    let changes = vec![warmed(5), held("ada"), held("eve"), released(2), second, held("ada"), confirmed(3)];
    database.write(&[message(1, 1, changes).published(9_000)]).await;
    let all = ReservationFilter { before: u64::MAX, ..ReservationFilter::default() };
    let of_ada = ReservationFilter { buyer: Some("ada"), ..all.clone() };
    let state = |state| ReservationFilter { state: Some(state), ..all.clone() };

    let rows = check(&database, all.clone(), 10, &[6, 5, 3, 2]).await;
    check(&database, all.clone(), 2, &[6, 5]).await;
    check(&database, ReservationFilter { before: 5, ..all.clone() }, 2, &[3, 2]).await;
    check(&database, of_ada.clone(), 10, &[6, 5, 2]).await;
    check(&database, ReservationFilter { state: Some("released"), ..of_ada }, 10, &[2]).await;
    check(&database, state("confirmed"), 10, &[5, 3]).await;
    check(&database, state("held"), 10, &[]).await;
    check(&database, state("no such"), 10, &[]).await;

    let refused = check(&database, state(REJECTED), 10, &[6]).await;
    assert_eq!((rows[0].state.as_str(), refused.as_slice()), (REJECTED, &rows[..1]));
    assert_eq!((rows[0].reason.as_deref(), rows[0].reserved_at_ms), (Some("second_order"), None));
    assert!(rows[0].ended_at_ms.is_some() && rows[0].made.items.is_empty());
    let MessageChange::Reserved(made) = held("ada") else { unreachable!("a hold is a reservation") };
    let want = ReservationRow {
        id: 2,
        epoch: 1,
        state: "released".to_owned(),
        made,
        reserved_at_ms: Some(1_002),
        ended_at_ms: Some(1_004),
        published_at_ms: Some(9_000),
        written_at_ms: rows[3].written_at_ms,
        end_written_at_ms: rows[3].end_written_at_ms,
        reason: None,
    };
    assert_eq!(rows[3], want);
    assert!(want.end_written_at_ms >= want.written_at_ms, "{want:?}");
    assert!(
        want.written_at_ms.is_some_and(|at_ms| at_ms / 1_000 >= began_s),
        "PostgreSQL's clock is this machine's: {want:?}"
    );
}

#[tokio::test]
async fn sales_come_by_their_ids() {
    let database = Database::new().await;
    for sale in ["b", "a", "C", "d"] {
        create_sale(&database.client, sale, &Terms::simple(3), Extras::default(), 1).await.unwrap();
    }
    let first = sale_page(&database.client, "", 3).await.unwrap();
    let rest = sale_page(&database.client, first.last().unwrap(), 3).await.unwrap();
    let mut all = [first, rest].concat();
    all.sort_unstable();
    assert_eq!(all, ["C", "a", "b", "d"], "whichever order the database has for text");
}
