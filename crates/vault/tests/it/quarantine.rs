//! What went to the quarantine is written after all, or is not to be: once, and never against the constraints.

use std::collections::BTreeSet;

use flash_vault::{
    Debit, Error, Incoming, PaymentReport, PaymentState, QuarantineEnd, QuarantineFilter, Replay, RequestOutcome,
    Reserved, Standing, Unreadable, Vault, add_webhook, debit, quarantined, report_payment, request_outcome,
};
use flash_wire::State;
use flash_wire::message::{MessageChange, MessageSku};

use crate::fixture::{Database, confirmed, expired, head, held, message, released, warmed};

const HELD: Option<Standing> = standing(State::Held);

const fn standing(state: State) -> Option<Standing> {
    Some(Standing { state, at_ms: 9_000 })
}

/// Replays a row; its reservation is where it is said to be.
pub(crate) async fn replay(vault: &mut Vault, id: u64, standing: Option<Standing>) -> Replay {
    vault.replay(id, async |_| Ok::<_, Error>(standing)).await.unwrap()
}

const NO_BUYER_CALLED_EVE: &str = "ALTER TABLE orders ADD CONSTRAINT no_eve CHECK (buyer <> 'eve')";
const ANYBODY: &str = "ALTER TABLE orders DROP CONSTRAINT no_eve";

/// A database in which event 3, a hold of eve's, went to the quarantine, and could be written by now.
async fn quarantined_hold() -> (Database, Vault, u64) {
    let database = Database::new().await;
    database.client.batch_execute(NO_BUYER_CALLED_EVE).await.unwrap();
    let changes = vec![warmed(2), held("bob"), held("eve"), confirmed(2)];
    database.write(&[message(1, 1, changes).published(7_000)]).await;
    database.client.batch_execute(ANYBODY).await.unwrap();
    let vault = Vault::open(&database.url).await.unwrap();
    let id = only_row(&database).await;
    (database, vault, id)
}

async fn open(database: &Database) -> Vault {
    Vault::open(&database.url).await.unwrap()
}

async fn only_row(database: &Database) -> u64 {
    let rows = quarantined(&database.client, &all()).await.unwrap();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0].id
}

fn all() -> QuarantineFilter {
    QuarantineFilter { ended_too: true, limit: 100, ..QuarantineFilter::default() }
}

#[tokio::test]
async fn a_poison_event_that_becomes_writable_is_written_once() {
    let (database, mut vault, id) = quarantined_hold().await;
    database.client.batch_execute(NO_BUYER_CALLED_EVE).await.unwrap();
    let Replay::Refused(reason) = replay(&mut vault, id, HELD).await else { panic!("no buyer is called eve") };
    assert!(reason.contains("no_eve"), "{reason}");
    assert_eq!(quarantined(&database.client, &all()).await.unwrap()[0].reason, reason, "it stays");
    database.client.batch_execute(ANYBODY).await.unwrap();
    for want in [Replay::Written, Replay::Gone] {
        assert_eq!(replay(&mut vault, id, HELD).await, want);
        let orders = database.rows("SELECT id, buyer, state, published_at_ms FROM orders").await;
        assert_eq!(orders, ["(2,bob,confirmed,7000)", "(3,eve,held,7000)"], "as its message said");
        assert_eq!(database.rows("SELECT sold FROM skus WHERE sku = 'a'").await, ["(2)"]);
        assert_eq!(database.rows("SELECT head FROM epochs").await, ["(4)"]);
    }
    let end = quarantined(&database.client, &all()).await.unwrap().remove(0).end;
    assert!(matches!(end, Some(QuarantineEnd::Replayed { .. })), "{end:?}");
}

#[tokio::test]
async fn an_order_that_is_written_late_is_as_its_reservation_is_by_now() {
    for (state, order, sold) in [
        (State::Held, "(3,held,)", "(2)"),
        (State::Confirmed, "(3,confirmed,9000)", "(2)"),
        (State::Released, "(3,released,9000)", "(1)"),
        (State::Expired, "(3,expired,9000)", "(1)"),
    ] {
        let (database, mut vault, id) = quarantined_hold().await;
        assert_eq!(replay(&mut vault, id, standing(state)).await, Replay::Written);
        assert_eq!(database.rows("SELECT id, state, ended_at_ms FROM orders WHERE id = 3").await, [order]);
        assert_eq!(database.rows("SELECT sold FROM skus WHERE sku = 'a'").await, [sold], "{state:?}");
    }
}

#[tokio::test]
async fn what_others_bought_meanwhile_is_theirs() {
    let (database, mut vault, id) = quarantined_hold().await;
    database.write(&[message(1, 5, vec![held("cleo")])]).await;
    assert_eq!(replay(&mut vault, id, HELD).await, Replay::Refused("oversold".to_owned()));
    assert_eq!(database.rows("SELECT id FROM orders").await, ["(2)", "(5)"]);
}

#[tokio::test]
async fn what_cannot_be_known_is_not_written() {
    let (_database, mut vault, id) = quarantined_hold().await;
    let refused = replay(&mut vault, id, None).await;
    assert_eq!(refused, Replay::Refused("where the reservation is by now is not known".to_owned()));

    let database = Database::new().await;
    let restock = MessageChange::Restocked(MessageSku { sku: "ghost".to_owned(), total: 9 });
    database.write(&[message(1, 1, vec![warmed(2), restock])]).await;
    let refused = replay(&mut open(&database).await, only_row(&database).await, None).await;
    assert_eq!(refused, Replay::Refused("it says how the sale was then, not how it is now".to_owned()));

    database.client.batch_execute("UPDATE epochs SET head = 1").await.unwrap();
    let refused = replay(&mut open(&database).await, only_row(&database).await, None).await;
    assert_eq!(refused, Replay::Refused("its turn has not come".to_owned()));

    database.client.batch_execute("UPDATE epochs SET sealed_at = 1").await.unwrap();
    let refused = replay(&mut open(&database).await, only_row(&database).await, None).await;
    assert_eq!(refused, Replay::Rejected("late".to_owned()));
    let end = quarantined(&database.client, &all()).await.unwrap().remove(0).end;
    assert!(matches!(end, Some(QuarantineEnd::Rejected { reason, .. }) if reason == "late"));
}

/// How the epoch of eve's hold (event 3) ended, and whether Redis has the hold.
#[tokio::test]
async fn a_reservation_whose_epoch_is_over_becomes_a_rejection() {
    for (how, standing) in [
        ("UPDATE epochs SET sealed_at = 4", HELD),
        ("UPDATE epochs SET sealed_at = 4", None),
        ("UPDATE epochs SET sealed_at = 2", HELD),
        ("UPDATE epochs SET sealed_at = 4; INSERT INTO gaps VALUES ('drop', 1, 3, 3)", HELD),
    ] {
        let (database, mut vault, id) = quarantined_hold().await;
        add_webhook(&database.client, "http://a", "whsec_a").await.unwrap();
        database.client.batch_execute(how).await.unwrap();
        assert_eq!(replay(&mut vault, id, standing).await, Replay::Rejected("late".to_owned()), "{how}");
        assert_eq!(database.rows("SELECT FROM orders WHERE id = 3").await.len(), 0, "{how}");
        let rejected = database.rows("SELECT id, buyer, reason FROM rejections").await;
        let told = database.rows("SELECT reservation, type FROM deliveries").await;
        assert_eq!((rejected, told), (vec!["(3,eve,late)".to_owned()], vec!["(3,order.rejected)".to_owned()]));
        assert_eq!(replay(&mut vault, id, standing).await, Replay::Gone);
    }
}

/// The state in Redis is asked for when no one else can write it any more.
#[tokio::test]
async fn what_happens_during_a_replay_is_written_after_it() {
    let (database, mut vault, id) = quarantined_hold().await;
    let confirming = std::cell::RefCell::new(None);
    let replayed = vault.replay(id, async |_| {
        let url = database.url.clone();
        let confirm = async move { Vault::open(&url).await.unwrap().write(&[message(1, 5, vec![confirmed(3)])]).await };
        let confirm = tokio::spawn(confirm);
        let blocked = "SELECT FROM pg_locks WHERE NOT granted";
        while database.rows(blocked).await.is_empty() {
            tokio::task::yield_now().await;
        }
        confirming.replace(Some(confirm));
        Ok::<_, Error>(HELD)
    });
    assert_eq!(replayed.await.unwrap(), Replay::Written);
    confirming.take().unwrap().await.unwrap().unwrap();
    assert_eq!(database.rows("SELECT state FROM orders WHERE id = 3").await, ["(confirmed)"]);
}

#[tokio::test]
async fn an_end_is_written_late_only_if_its_order_is_there_and_ends_so() {
    for (orders, want) in [
        ("", Replay::Written),
        ("DELETE FROM orders WHERE id = 2", Replay::Refused("its reservation is not written".to_owned())),
        ("UPDATE orders SET state = 'released' WHERE id = 2", Replay::Refused("order 2 is released".to_owned())),
    ] {
        let database = Database::new().await;
        database.write(&[message(1, 1, vec![warmed(2), held("bob")])]).await;
        let body = message(1, 3, vec![confirmed(2)]).encode();
        let insert = "INSERT INTO quarantine (sale, epoch, seq, reason, body) VALUES ('drop', 1, 3, '', $1)";
        database.client.execute(insert, &[&body]).await.unwrap();
        database.client.batch_execute(&format!("UPDATE epochs SET head = 3; {orders}")).await.unwrap();
        assert_eq!(replay(&mut open(&database).await, only_row(&database).await, None).await, want, "{orders}");
    }
}

/// The next life has the hold as it was at the seal: another end in PostgreSQL alone would let its unit be sold twice,
/// or never.
#[tokio::test]
async fn an_end_whose_epoch_is_over_is_not_written_any_more() {
    for end in [confirmed(2), released(2), expired(&[2])] {
        let database = Database::new().await;
        database.write(&[message(1, 1, vec![warmed(2), held("bob")])]).await;
        let body = message(1, 3, vec![end]).encode();
        let insert = "INSERT INTO quarantine (sale, epoch, seq, reason, body) VALUES ('drop', 1, 3, 'bad', $1)";
        database.client.execute(insert, &[&body]).await.unwrap();
        database.client.batch_execute("UPDATE epochs SET head = 3, sealed_at = 3").await.unwrap();
        let replayed = replay(&mut open(&database).await, only_row(&database).await, None).await;
        assert_eq!(replayed, Replay::Rejected("late".to_owned()));
        assert_eq!(database.rows("SELECT state FROM orders").await, ["(held)"]);
        let ended = quarantined(&database.client, &all()).await.unwrap().remove(0).end;
        assert!(matches!(&ended, Some(QuarantineEnd::Rejected { reason, .. }) if reason == "late"), "{ended:?}");
    }
}

/// A late message is no reservation, and neither is a discarded one: that is a rejection by now. An unsigned message
/// was never acknowledged, so it hides nothing: anyone who can publish could hide every sale otherwise.
#[tokio::test]
async fn only_what_may_hold_a_reservation_hides_who_bought() {
    let row = |reason: &str, more: &str| {
        format!("INSERT INTO quarantine (sale, epoch, seq, reason, body) VALUES ('drop', 1, 9, '{reason}', ''){more}")
    };
    let of_no_sale = |is_authentic: bool| {
        format!("INSERT INTO quarantine (reason, body, is_authentic) VALUES ('bad', '', {is_authentic})")
    };
    let discard = "; UPDATE quarantine SET discarded_at = now(), discarded_by = 'ada'";
    let mark_unsigned = "; UPDATE quarantine SET is_authentic = false";
    for (aside, want) in [
        (row("late", ""), true),
        (row("bad", discard), true),
        (row("bad", ""), false),
        (row("bad", mark_unsigned), true),
        (of_no_sale(true), false),
        (of_no_sale(false), true),
    ] {
        let database = Database::new().await;
        database.write(&[message(1, 1, vec![warmed(2), held("bob")])]).await;
        database.client.batch_execute(&aside).await.unwrap();
        let buyers = flash_vault::sale_buyers(&database.client, "drop", 9).await.unwrap();
        assert_eq!(buyers.is_some(), want, "{aside}");
        let outcome = request_outcome(&database.client, "drop", "ada", "a", 2).await.unwrap();
        assert_eq!(outcome == RequestOutcome::Nothing, want, "{aside}");
    }
}

#[tokio::test]
async fn a_message_that_can_be_read_by_now_goes_the_usual_way() {
    let database = Database::new().await;
    let mut vault = Vault::open(&database.url).await.unwrap();
    let body = message(1, 1, vec![warmed(2), held("ada")]).encode();
    let unreadable = |body| Unreadable { reason: "of a later release".to_owned(), body, is_authentic: true };
    let put_aside = [unreadable(body.as_slice()), unreadable(b"{}")];
    let [readable, hopeless] = put_aside.each_ref().map(std::slice::from_ref);
    vault.write_incoming(Incoming { unreadable: readable, ..Incoming::default() }).await.unwrap();
    assert_eq!(replay(&mut vault, only_row(&database).await, None).await, Replay::Written);
    assert_eq!(database.rows("SELECT id, buyer FROM orders").await, ["(2,ada)"]);
    assert_eq!(database.write(&[message(1, 1, vec![warmed(2), held("ada")])]).await, head(1, 2), "no harm");

    vault.write_incoming(Incoming { unreadable: hopeless, ..Incoming::default() }).await.unwrap();
    let waiting = QuarantineFilter { ended_too: false, ..all() };
    let row = quarantined(&database.client, &waiting).await.unwrap().remove(0);
    assert!(matches!(replay(&mut vault, row.id, None).await, Replay::Refused(_)));
}

/// It says what was written, not what the message wanted.
#[tokio::test]
async fn a_message_that_can_be_read_when_its_epoch_is_over_is_rejected() {
    let database = Database::new().await;
    let mut vault = open(&database).await;
    database.write(&[message(1, 1, vec![warmed(2)])]).await;
    let body = message(1, 2, vec![held("ada")]).encode();
    let unreadable = [Unreadable { reason: "of a later release".to_owned(), body: &body, is_authentic: true }];
    vault.write_incoming(Incoming { unreadable: &unreadable, ..Incoming::default() }).await.unwrap();
    database.client.batch_execute("UPDATE epochs SET sealed_at = 1").await.unwrap();
    let replayed = replay(&mut vault, only_row(&database).await, None).await;
    assert_eq!(replayed, Replay::Rejected("late".to_owned()));
    assert_eq!(database.rows("SELECT id, buyer, reason FROM rejections").await, ["(2,ada,late)"]);
}

#[tokio::test]
async fn what_is_discarded_stays_to_be_seen_and_is_never_written() {
    let (database, mut vault, id) = quarantined_hold().await;
    add_webhook(&database.client, "http://a", "whsec_a").await.unwrap();
    let sales = vault.discard(id, "ada").await.unwrap();
    assert_eq!(sales, Some(BTreeSet::from(["drop".to_owned()])));
    assert_eq!(vault.discard(id, "bob").await.unwrap(), None, "once");
    let rejected = database.rows("SELECT id, buyer, reason, settled_at IS NULL FROM rejections").await;
    assert_eq!(rejected, ["(3,eve,discarded,t)"], "Redis counts it still");
    assert_eq!(database.rows("SELECT reservation, type FROM deliveries").await, ["(3,order.rejected)"]);
    assert_eq!(replay(&mut vault, id, HELD).await, Replay::Gone);
    let row = quarantined(&database.client, &all()).await.unwrap().remove(0);
    assert!(matches!(row.end, Some(QuarantineEnd::Discarded { by, .. }) if by == "ada"));
    assert_eq!(row.event, Some(("drop".to_owned(), 1, 3)));
}

#[tokio::test]
async fn what_is_discarded_is_not_paid_for_any_more() {
    let (database, mut vault, id) = quarantined_hold().await;
    let account = "INSERT INTO buyers (buyer, currency, opening_balance, balance) VALUES ('eve', 'EUR', 9, 9)";
    let product = "INSERT INTO products (product, name, price, currency, skus) VALUES ('p', 'P', 3, 'EUR', '{}');
        UPDATE sales SET product = 'p'";
    database.client.batch_execute(&format!("{account}; {product}")).await.unwrap();
    let reserved = Reserved { buyer: Some("eve"), units: Some(1), over: None };
    let report = async |reference| {
        let report = PaymentReport { sale: "drop", id: 3, reference, amount: None, currency: None, buyer: None };
        report_payment(&database.client, &report, &reserved).await.unwrap().state
    };
    assert_eq!(report("a").await, PaymentState::Pending);
    vault.discard(id, "ada").await.unwrap();
    assert_eq!(report("a").await, PaymentState::RefundDue, "it was paid before");
    assert_eq!(report("b").await, PaymentState::RefundDue);
    assert_eq!(debit(&database.client, "drop", 3, "eve", 1).await.unwrap(), Debit::Ended);
    assert_eq!(database.rows("SELECT balance FROM buyers").await, ["(9)"]);
}

#[tokio::test]
async fn a_filter_finds_what_fits_all_of_it() {
    let (database, _vault, id) = quarantined_hold().await;
    let other = "INSERT INTO quarantine (reason, body, at) VALUES ('of old', '', now() - interval '1 hour')";
    database.client.batch_execute(other).await.unwrap();
    let sale = |sale: &str| QuarantineFilter { sale: Some(sale.to_owned()), ..all() };
    let reason = |reason: &str| QuarantineFilter { reason: Some(reason.to_owned()), ..all() };
    for (filter, want) in [
        (all(), 2),
        (QuarantineFilter { limit: 1, ..all() }, 1),
        (sale("drop"), 1),
        (sale("drops"), 0),
        (reason("old"), 1),
        (reason("%"), 0),
        (QuarantineFilter { since_s: Some(60), ..all() }, 1),
        (QuarantineFilter { since_s: Some(7_200), ..all() }, 2),
        (QuarantineFilter { ids: vec![id, id + 9], ..all() }, 1),
        (QuarantineFilter { ids: vec![id], ..reason("old") }, 0),
    ] {
        assert_eq!(quarantined(&database.client, &filter).await.unwrap().len(), want, "{filter:?}");
    }
}
