//! Payments form a ledger: each one that is reported has a row, one pays for a reservation, and every other one is to
//! be paid back.

use flash_vault::{
    Debit, Due, Over, Payment, PaymentFilter, PaymentReport, PaymentState, Price, Product, Refund, Reserved, connect,
    create_buyer, create_product, debit, due_payments, follow_orders, owe_payment, payment_page, payments_ahead,
    refund_payment, report_payment,
};

use crate::fixture::{Database, SALE, confirmed, empty_database, expired, held, message, warmed};

const ADA: Reserved = Reserved { buyer: Some("ada"), units: Some(2), over: None };
const EVE: Reserved = Reserved { buyer: Some("eve"), ..ADA };
const PRICE: u64 = 300;

fn euros(amount: u64) -> Price {
    Price { amount, currency: "EUR".to_owned() }
}

/// A sale of something that costs [`PRICE`] a unit.
async fn selling() -> Database {
    let database = Database::new().await;
    let product =
        Product { product: "shirt".to_owned(), name: "A shirt".to_owned(), price: euros(PRICE), skus: Vec::new() };
    create_product(&database.client, &product).await.unwrap();
    database.write(&[message(1, 1, vec![warmed(9)])]).await;
    database.client.batch_execute("UPDATE sales SET product = 'shirt'").await.unwrap();
    database
}

fn named(reference: &str, id: u64) -> PaymentReport<'_> {
    PaymentReport { sale: SALE, id, reference, amount: None, currency: None, buyer: None }
}

async fn report(database: &Database, told: PaymentReport<'_>, reserved: Reserved<'_>) -> Payment {
    report_payment(&database.client, &told, &reserved).await.unwrap()
}

/// Reports it twice: the second time nothing is written, and the answer is the same.
async fn check(
    database: &Database,
    told: PaymentReport<'_>,
    reserved: Reserved<'_>,
    want: (PaymentState, Option<&str>),
) -> Payment {
    let first = report(database, told, reserved).await;
    assert_eq!((first.state, first.reason.as_deref()), want, "{told:?} {reserved:?}");
    assert_eq!(report(database, told, reserved).await, first, "{told:?}");
    let rows = database.rows(&format!("SELECT FROM payments WHERE reference = '{}'", told.reference)).await;
    assert_eq!(rows.len(), 1, "{told:?}");
    first
}

#[tokio::test]
async fn what_is_reported_is_recorded_with_why_it_does_not_pay() {
    const DUE: PaymentState = PaymentState::RefundDue;
    let database = selling().await;
    let late = Reserved { over: Some(Over::Late), ..ADA };
    let unknown = Reserved { over: Some(Over::Unknown), ..Reserved::default() };
    let (told, pays) = (named, (PaymentState::Pending, None));
    check(&database, told("late", 2), late, (DUE, Some("late"))).await;
    check(&database, told("unknown", 2), unknown, (DUE, Some("unknown"))).await;
    check(&database, PaymentReport { amount: Some(599), ..told("less", 2) }, ADA, (DUE, Some("other_amount"))).await;
    check(&database, PaymentReport { amount: Some(601), ..told("more", 2) }, ADA, (DUE, Some("other_amount"))).await;
    let dollars = PaymentReport { currency: Some("USD"), ..told("usd", 2) };
    let paid = check(&database, dollars, ADA, (DUE, Some("other_currency"))).await;
    assert_eq!((paid.amount, paid.currency.as_deref()), (None, Some("USD")), "no report said how much");
    let bobs = PaymentReport { buyer: Some("bob"), ..told("bob", 2) };
    let paid = check(&database, bobs, ADA, (DUE, Some("other_buyer"))).await;
    assert_eq!(paid.buyer.as_deref(), Some("bob"), "bob gets it back");
    let all = PaymentReport { amount: Some(600), currency: Some("EUR"), buyer: Some("ada"), ..told("all", 2) };
    check(&database, all, ADA, pays).await;
    check(&database, told("second", 2), ADA, (DUE, Some("duplicate"))).await;
    let paid = check(&database, told("plain", 3), ADA, pays).await;
    assert_eq!((paid.amount, paid.currency.as_deref()), (Some(600), Some("EUR")), "it is taken for the price");
    // Of a sale without a price nothing is known but what is said.
    let free = PaymentReport { sale: "none", amount: Some(5), ..told("free", 2) };
    let paid = check(&database, free, ADA, pays).await;
    assert_eq!((paid.amount, paid.currency), (Some(5), None));
}

#[tokio::test]
async fn a_reference_stays_what_it_was_reported_to_be() {
    let database = selling().await;
    let first = PaymentReport { amount: Some(600), ..named("pi", 2) };
    report(&database, first, ADA).await;
    for (again, want) in [
        (named("pi", 2), None),
        (named("pi", 3), Some(("reservation", "2 of the sale drop"))),
        (PaymentReport { sale: "other", ..named("pi", 2) }, Some(("reservation", "2 of the sale drop"))),
        (PaymentReport { amount: Some(300), ..named("pi", 2) }, Some(("amount", "600"))),
        (PaymentReport { currency: Some("USD"), ..named("pi", 2) }, Some(("currency", "EUR"))),
        (PaymentReport { buyer: Some("bob"), ..named("pi", 2) }, Some(("buyer", "ada"))),
    ] {
        let known = report(&database, again, ADA).await;
        let differs = again.differs(&known);
        assert_eq!(differs.as_ref().map(|(field, known)| (*field, known.as_str())), want, "{again:?}");
        assert_eq!((known.id, known.amount, known.state), (2, Some(600), PaymentState::Pending), "{again:?}");
    }
    assert_eq!(database.rows("SELECT count(*) FROM payments").await, ["(1)"]);
}

#[tokio::test]
async fn of_a_thousand_payments_at_once_one_pays_and_none_is_dropped() {
    const CONNECTIONS: u64 = 20;
    const EACH: u64 = 50;
    let database = selling().await;
    let ways = (0..CONNECTIONS).map(async |way| {
        let client = connect(&database.url).await.unwrap();
        for at in 0..EACH {
            let reference = format!("pi_{way}_{at}");
            report_payment(&client, &named(&reference, 2), &ADA).await.unwrap();
            // The same once more from everybody, too.
            report_payment(&client, &named("pi_same", 2), &ADA).await.unwrap();
        }
    });
    futures_util::future::join_all(ways).await;
    let counts = "SELECT state, reason, count(*) FROM payments GROUP BY state, reason";
    assert_eq!(database.rows(counts).await, ["(pending,,1)", "(refund_due,duplicate,1000)"]);
}

#[tokio::test]
async fn a_payment_follows_its_order_and_one_without_a_known_buyer_settles_nothing() {
    let database = selling().await;
    let unknown = Reserved::default();
    for (reference, id, reserved) in [("ada", 2, ADA), ("eve", 3, EVE), ("nemo", 4, unknown), ("lost", 9, unknown)] {
        let paid = report(&database, named(reference, id), reserved).await;
        assert_eq!(paid.state, PaymentState::Pending, "{reference}");
    }
    let changes = vec![held("ada"), held("eve"), held("bob"), confirmed(2), confirmed(4), expired(&[3])];
    database.write(&[message(1, 2, changes)]).await;
    let follow = async || {
        follow_orders(&database.client, 100).await.unwrap();
        database.rows("SELECT reference, state, reason FROM payments").await
    };
    let want = ["(ada,settled,)", "(eve,refund_due,late)", "(lost,pending,)", "(nemo,refund_due,late)"];
    assert_eq!(follow().await, want, "the event of the last one is on its way");
    database.client.batch_execute("UPDATE epochs SET head = 9").await.unwrap();
    assert!(follow().await.contains(&"(lost,refund_due,late)".to_owned()));
}

/// As where Redis has lost the confirm after PostgreSQL had it.
#[tokio::test]
async fn what_postgresql_has_confirmed_is_not_late_whatever_redis_says() {
    let database = selling().await;
    let first = report(&database, named("first", 2), ADA).await;
    database.write(&[message(1, 2, vec![held("ada"), held("ada2"), confirmed(2), confirmed(3)])]).await;
    let late = Reserved { over: Some(Over::Late), ..ADA };
    assert_eq!(report(&database, named("first", 2), late).await.state, PaymentState::Pending);
    let owed = owe_payment(&database.client, first.payment, Over::Late).await.unwrap().unwrap();
    assert_eq!(owed.state, PaymentState::Pending);
    follow_orders(&database.client, 9).await.unwrap();
    assert_eq!(report(&database, named("first", 2), late).await.state, PaymentState::Settled);
    let second = report(&database, named("second", 2), late).await;
    assert_eq!(second.reason.as_deref(), Some("duplicate"));
}

#[tokio::test]
async fn a_report_for_an_unknown_reservation_is_judged_when_it_is_known() {
    let database = selling().await;
    let unknown = Reserved::default();
    for (reference, amount, reserved, want) in [
        ("less", Some(1), ADA, (PaymentState::RefundDue, Some("other_amount"))),
        ("gone", None, Reserved { over: Some(Over::Unknown), ..unknown }, (PaymentState::RefundDue, Some("unknown"))),
        ("fits", Some(600), ADA, (PaymentState::Pending, None)),
        ("second", Some(600), ADA, (PaymentState::RefundDue, Some("duplicate"))),
    ] {
        let first = report(&database, PaymentReport { amount, ..named(reference, 2) }, unknown).await;
        assert_eq!((first.state, first.buyer), (PaymentState::Pending, None), "{reference}");
        // It need not be said again.
        let paid = report(&database, named(reference, 2), reserved).await;
        assert_eq!((paid.state, paid.reason.as_deref()), want, "{reference}");
        assert_eq!(paid.buyer.as_deref(), reserved.buyer, "{reference}");
    }
}

#[tokio::test]
async fn payments_for_reservations_that_postgresql_has_not_reached_are_found() {
    let database = selling().await;
    database.write(&[message(1, 2, vec![held("ada")])]).await;
    for (reference, id) in [("written", 2), ("on its way", 3), ("never made", 900)] {
        report(&database, named(reference, id), Reserved::default()).await;
    }
    let late = Reserved { over: Some(Over::Late), ..ADA };
    report(&database, named("due", 901), late).await;
    let ahead = async |age_s| {
        let mut ids: Vec<_> = payments_ahead(&database.client, age_s, 9)
            .await
            .unwrap()
            .into_iter()
            .map(|one| (one.sale, one.id))
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(ahead(0).await, [(SALE.to_owned(), 3), (SALE.to_owned(), 900)]);
    assert_eq!(ahead(3_600).await, [], "none is that old");
    let never = payments_ahead(&database.client, 0, 9).await.unwrap().into_iter().find(|one| one.id == 900).unwrap();
    let owed = owe_payment(&database.client, never.payment, Over::Unknown).await.unwrap().unwrap();
    assert_eq!((owed.state, owed.reason.as_deref()), (PaymentState::RefundDue, Some("unknown")));
    assert_eq!(ahead(0).await, [(SALE.to_owned(), 3)]);
}

/// A payment service learns more than its first report said: that is no contradiction, and the ledger keeps it.
#[tokio::test]
async fn a_later_report_fills_in_what_the_first_left_open() {
    let database = selling().await;
    let unknown = Reserved::default();
    let late = Reserved { over: Some(Over::Unknown), ..unknown };
    let dollars = |amount| PaymentReport { amount, currency: Some("USD"), ..named("usd", 2) };
    let free = |amount, buyer| PaymentReport { sale: "none", amount, buyer, ..named("free", 2) };
    let by = |reference, buyer| PaymentReport { buyer, ..named(reference, 3) };
    for (first, then, reserved, want) in [
        (dollars(None), dollars(Some(5)), ADA, (PaymentState::RefundDue, Some(5), Some("ada"))),
        (free(None, None), free(Some(7), Some("ada")), unknown, (PaymentState::Pending, Some(7), Some("ada"))),
        (by("who", None), by("who", Some("ada")), unknown, (PaymentState::Pending, None, Some("ada"))),
        (by("gone", None), by("gone", Some("eve")), late, (PaymentState::RefundDue, None, Some("eve"))),
    ] {
        report(&database, first, reserved).await;
        let paid = report(&database, then, reserved).await;
        assert_eq!(then.differs(&paid), None, "{then:?}");
        assert_eq!((paid.state, paid.buyer.as_deref()), (want.0, want.2), "{then:?}");
        let Some(amount) = want.1 else { continue };
        assert_eq!(paid.amount, Some(amount), "{then:?}");
        let other = PaymentReport { amount: Some(amount + 1), ..then };
        let known = report(&database, other, reserved).await;
        assert_eq!(known, paid, "another amount changes nothing");
        assert!(matches!(other.differs(&known), Some(("amount", _))), "{known:?}");
    }
}

#[tokio::test]
async fn a_payment_that_is_due_is_paid_back_once_under_one_reference() {
    let database = selling().await;
    let late = Reserved { over: Some(Over::Late), ..ADA };
    let mut due = Vec::new();
    for reference in ["a", "b"] {
        due.push(report(&database, named(reference, 2), late).await.payment);
    }
    let pays = report(&database, named("c", 2), ADA).await.payment;
    let refund = async |payment, reference| refund_payment(&database.client, payment, reference, "psp").await.unwrap();
    let sums = async || due_payments(&database.client, 9).await.unwrap();
    assert_eq!(sums().await, [Due { currency: "EUR".to_owned(), payments: 2, amount: 1_200 }]);
    let Refund::Done(done) = refund(due[0], "re_1").await else { panic!("it is due") };
    assert_eq!((done.state, done.refunded_by.as_deref()), (PaymentState::Refunded, Some("psp")));
    assert_eq!(refund(due[0], "re_1").await, Refund::Done(done.clone()), "a repeat");
    assert_eq!(refund(due[0], "re_2").await, Refund::NotDue(done));
    assert_eq!(refund(due[1], "re_1").await, Refund::Clash(due[0]));
    assert!(matches!(refund(pays, "re_3").await, Refund::NotDue(payment) if payment.state == PaymentState::Pending));
    assert_eq!(refund(99, "re_3").await, Refund::Unknown);
    assert_eq!(sums().await, [Due { currency: "EUR".to_owned(), payments: 1, amount: 600 }]);
    let owed = owe_payment(&database.client, pays, Over::Late).await.unwrap().unwrap();
    assert_eq!((owed.state, owed.reason.as_deref()), (PaymentState::RefundDue, Some("late")));
    assert_eq!(owe_payment(&database.client, 99, Over::Late).await.unwrap(), None);

    let page = async |state, sale, after| {
        let rows = payment_page(&database.client, &PaymentFilter { state, sale, after }, 2).await.unwrap();
        rows.into_iter().map(|row| row.payment).collect::<Vec<_>>()
    };
    assert_eq!(page(None, None, 0).await, due);
    assert_eq!(page(None, Some(SALE), due[1]).await, [pays]);
    assert_eq!(page(Some(PaymentState::RefundDue), None, 0).await, [due[1], pays]);
    assert_eq!(page(Some(PaymentState::Settled), None, 0).await, [] as [u64; 0]);
    assert_eq!(page(None, Some("other"), 0).await, [] as [u64; 0]);
}

#[tokio::test]
async fn the_sums_of_what_is_due_end_where_numbers_do() {
    let database = Database::new().await;
    database
        .client
        .batch_execute(
            "INSERT INTO payments (sale, id, means, amount, reference, state)
             SELECT 'drop', 2, 'external', 9000000000000000000, 'pi_' || n, 'refund_due' FROM generate_series(1, 9) AS n",
        )
        .await
        .unwrap();
    let max = 9_223_372_036_854_775_807;
    let want = [Due { currency: "unknown".to_owned(), payments: 9, amount: max }];
    assert_eq!(due_payments(&database.client, 9).await.unwrap(), want);
}

#[tokio::test]
async fn a_balance_that_cannot_pay_says_why() {
    let database = selling().await;
    create_buyer(&database.client, "ada", &euros(700)).await.unwrap();
    create_buyer(&database.client, "bob", &Price { amount: 9_000, currency: "USD".to_owned() }).await.unwrap();
    let pay = async |sale: &str, id, buyer: &str, units| debit(&database.client, sale, id, buyer, units).await.unwrap();
    assert_eq!(pay(SALE, 2, "eve", 1).await, Debit::NoAccount);
    assert_eq!(pay(SALE, 3, "bob", 1).await, Debit::OtherCurrency("USD".to_owned(), "EUR".to_owned()));
    assert_eq!(pay(SALE, 4, "ada", 3).await, Debit::TooLow(euros(700), euros(900)));
    assert_eq!(pay("none", 4, "ada", 3).await, Debit::NoPrice);
    let Debit::Paid(paid) = pay(SALE, 4, "ada", 2).await else { panic!("she has as much") };
    assert_eq!((paid.amount, paid.state), (Some(600), PaymentState::Pending));
    assert_eq!(pay(SALE, 4, "ada", 2).await, Debit::Paid(paid), "a repeat pays once");
    // A payment elsewhere is to be paid back, and pays for another reservation only.
    let second = report(&database, named("pi", 4), ADA).await;
    assert_eq!(second.reason.as_deref(), Some("duplicate"));
    let other = report(&database, named("pi_2", 5), Reserved { units: Some(1), ..ADA }).await;
    assert_eq!(pay(SALE, 5, "ada", 0).await, Debit::Paid(other), "it is paid for");
    assert_eq!(database.rows("SELECT buyer, balance FROM buyers").await, ["(ada,100)", "(bob,9000)"]);
    database.write(&[message(1, 2, vec![held("ada"), expired(&[2])])]).await;
    assert_eq!(pay(SALE, 2, "ada", 1).await, Debit::Ended);
}

/// All migrations before the ledger's, in their order.
const OLDER: [&str; 13] = [
    include_str!("../../../../migrations/V1__vault.sql"),
    include_str!("../../../../migrations/V2__barriers_and_syncers.sql"),
    include_str!("../../../../migrations/V3__recovery.sql"),
    include_str!("../../../../migrations/V4__operator.sql"),
    include_str!("../../../../migrations/V5__catalogue.sql"),
    include_str!("../../../../migrations/V6__identity.sql"),
    include_str!("../../../../migrations/V7__answers.sql"),
    include_str!("../../../../migrations/V8__turns.sql"),
    include_str!("../../../../migrations/V9__syncer_counts.sql"),
    include_str!("../../../../migrations/V10__written_at.sql"),
    include_str!("../../../../migrations/V11__published_at.sql"),
    include_str!("../../../../migrations/V12__lives.sql"),
    include_str!("../../../../migrations/V13__answers.sql"),
];

#[tokio::test]
async fn an_older_database_keeps_its_payments_and_its_keys() {
    let client = connect(&empty_database()).await.unwrap();
    for migration in OLDER {
        client.batch_execute(migration).await.unwrap();
    }
    client
        .batch_execute(
            "INSERT INTO payments (sale, id, buyer, means, reference, state, at) VALUES
                 ('drop', 3, 'bob', 'external', 'pi_same', 'settled', now()),
                 ('drop', 2, 'ada', 'external', 'pi_same', 'settled', now() - interval '1 hour');
             INSERT INTO payments (sale, id, buyer, means, amount, currency, state) VALUES
                 ('drop', 4, 'eve', 'balance', 5, 'EUR', 'refunded');
             INSERT INTO api_keys (id, hash, role, holder) VALUES ('k', '', 'operate', 'olga')",
        )
        .await
        .unwrap();
    client.batch_execute(include_str!("../../../../migrations/V14__ledger.sql")).await.unwrap();
    let rows = payment_page(&client, &PaymentFilter::default(), 9).await.unwrap();
    let mut rows: Vec<_> = rows
        .iter()
        .map(|row| (row.id, row.reference.as_deref().unwrap_or_default().len(), row.reason.as_deref()))
        .collect();
    rows.sort_unstable();
    let again = "pi_same (again, payment 1)".len();
    assert_eq!(rows, [(2, "pi_same".len(), None), (3, again, Some("same_reference")), (4, 0, None)]);
    client.batch_execute("INSERT INTO api_keys (id, hash, role, holder) VALUES ('p', '', 'pay', 'psp')").await.unwrap();
}
