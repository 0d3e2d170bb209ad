//! A request's key means one reservation as long as its sale is there.

use flash_vault::{MadeByRequest, RequestOutcome, request_outcome};
use flash_wire::State;
use flash_wire::message::{MessageChange, MessageItem};

use crate::fixture::{Database, SALE, confirmed, held, message, released, warmed};

/// A hold of ada's that a request made.
fn by_request(request: &'static str) -> MessageChange<'static> {
    let MessageChange::Reserved(mut reserved) = held("ada") else { unreachable!("a hold is a reservation") };
    reserved.request = Some(request.into());
    MessageChange::Reserved(reserved)
}

async fn ask(database: &Database, request: &str, seq: u64) -> RequestOutcome {
    request_outcome(&database.client, SALE, "ada", request, seq).await.unwrap()
}

#[tokio::test]
async fn a_request_is_found_by_its_key_whatever_became_of_its_reservation() {
    let database = Database::new().await;
    let changes = vec![warmed(9), by_request("a"), released(2), by_request("b"), confirmed(4), by_request("c")];
    database.write(&[message(1, 1, changes)]).await;
    for (request, id, state, reason) in [
        ("a", 2, Some(State::Released), None),
        ("b", 4, Some(State::Confirmed), None),
        // In ada's only slot there is an order already.
        ("c", 6, None, Some("second_order")),
    ] {
        let RequestOutcome::Made(MadeByRequest { id: made, state: is, reason: why, made: reserved }) =
            ask(&database, request, 6).await
        else {
            panic!("{request} made a reservation")
        };
        assert_eq!((made, is, why.as_deref()), (id, state, reason), "{request}");
        assert_eq!(reserved.items, [MessageItem { sku: "a".into(), quantity: 1 }]);
    }
    assert_eq!(ask(&database, "d", 6).await, RequestOutcome::Nothing);
    let of_bob = request_outcome(&database.client, SALE, "bob", "a", 6).await.unwrap();
    assert_eq!(of_bob, RequestOutcome::Nothing, "a key is its buyer's");
}

#[tokio::test]
async fn what_may_still_come_is_not_nothing() {
    let database = Database::new().await;
    assert_eq!(ask(&database, "a", 0).await, RequestOutcome::NotYet, "there is no such sale");
    database.write(&[message(1, 1, vec![warmed(9)])]).await;
    assert_eq!(ask(&database, "a", 2).await, RequestOutcome::NotYet);
    database.write(&[message(1, 2, vec![held("bob")])]).await;
    assert_eq!(ask(&database, "a", 2).await, RequestOutcome::Nothing);
    let waits = "INSERT INTO quarantine (reason, body) VALUES ('of a later release', '')";
    database.client.batch_execute(waits).await.unwrap();
    assert_eq!(ask(&database, "a", 2).await, RequestOutcome::NotYet);
    database.client.batch_execute("UPDATE quarantine SET discarded_at = now()").await.unwrap();
    assert_eq!(ask(&database, "a", 2).await, RequestOutcome::Nothing);
}

/// Else every request of the sale with a key would be refused until an operator has come.
#[tokio::test]
async fn what_came_late_and_is_no_reservation_holds_no_request_up() {
    let database = Database::new().await;
    database.write(&[message(1, 1, vec![warmed(9), by_request("a")])]).await;
    database.client.batch_execute("UPDATE epochs SET sealed_at = 2").await.unwrap();
    database.write(&[message(1, 3, vec![released(2), by_request("b")])]).await;
    assert_eq!(database.rows("SELECT seq, reason FROM quarantine").await, ["(3,late)"]);
    assert_eq!(ask(&database, "c", 2).await, RequestOutcome::Nothing);
    assert!(matches!(ask(&database, "b", 2).await, RequestOutcome::Made(MadeByRequest { id: 4, state: None, .. })));
}
