use flash_wire::SkuStatus;

use super::*;

/// A sale of two SKUs that is sold out.
fn status(limit: u64, seq: u64, confirmed: u64) -> SaleStatus<'static> {
    let sku = |name: &'static str, available, confirmed| SkuStatus {
        name: name.into(),
        total: 9,
        available,
        held: 9 - available - confirmed,
        confirmed,
    };
    SaleStatus {
        epoch: 1,
        seq,
        acked: seq,
        phase: OPEN.into(),
        limit,
        hold_ms: Some(1_000),
        opens_at_ms: None,
        closes_at_ms: None,
        journal_events: 0,
        journal_events_max: None,
        relay: None,
        lease_until_ms: None,
        is_closed: false,
        was_open: true,
        term: 0,
        instance: 1,
        reservations: 0,
        digest: 0,
        skus: vec![sku("s", 0, confirmed), sku("m", 0, 0)],
    }
}

/// A thread that has looked at a sale, and knows that of all buyers ada and bob have had something of it.
struct Thread {
    sold_out: Arc<SoldOut>,
    begin: Instant,
}

impl Thread {
    fn new(status: &SaleStatus) -> Self {
        let thread = Self { sold_out: SoldOut::new(), begin: Instant::now() };
        assert!(thread.refused(0), "the first refusal is the reason for a look");
        if let Some(calm) = thread.looked(status, 0) {
            thread.sold_out.told("drop", calm, &["ada", "bob"].map(str::to_owned));
        }
        thread
    }

    fn at(&self, ms: u64) -> Instant {
        self.begin + Duration::from_millis(ms)
    }

    fn refused(&self, ms: u64) -> bool {
        self.sold_out.refused("drop", self.at(ms))
    }

    fn looked(&self, status: &SaleStatus, ms: u64) -> Option<Calm> {
        self.sold_out.looked("drop", status, self.at(ms))
    }

    fn refuses(&self, buyer: &str, ms: u64) -> bool {
        self.sold_out.refuses("drop", buyer, self.at(ms))
    }
}

#[test]
fn where_the_limit_is_one_only_those_are_refused_who_never_had_anything() {
    let thread = Thread::new(&status(1, 10, 3));
    assert!(thread.refuses("eve", 2));
    assert!(!thread.refuses("ada", 2) && !thread.refuses("bob", 2), "they may repeat what got them a unit");
    assert!(!thread.sold_out.refuses("other", "eve", thread.at(2)));
}

#[test]
fn where_the_limit_is_higher_nothing_without_a_key_is_a_repeat() {
    let thread = Thread::new(&status(2, 10, 3));
    assert!(["ada", "bob", "eve"].into_iter().all(|buyer| thread.refuses(buyer, 2)));
}

#[test]
fn buyers_are_asked_for_once_a_calm_and_not_before_postgresql_has_them_all() {
    let thread = Thread { sold_out: SoldOut::new(), begin: Instant::now() };
    thread.refused(0);
    let lagging = SaleStatus { acked: 9, ..status(1, 10, 3) };
    assert_eq!(thread.looked(&lagging, 0), None);
    assert!(!thread.refuses("eve", 1), "she may be on her way to PostgreSQL");
    // What is paid for meanwhile need not be there.
    let calm = thread.looked(&SaleStatus { acked: 10, ..status(1, 12, 5) }, 50).expect("the time to ask");
    thread.sold_out.told("drop", calm, &[]);
    assert!(thread.refuses("eve", 51));
    assert_eq!(thread.looked(&status(1, 12, 5), 60), None, "they are known");
    // Another calm: something came back, and was reserved.
    assert_eq!(thread.looked(&status(1, 14, 5), 70), None, "it was asked a moment ago");
    assert!(!thread.refuses("eve", 71));
    assert!(thread.looked(&status(1, 14, 5), 50 + SOLD_OUT_BUYERS_EVERY_MS).is_some());
}

/// Whether eve is still refused without Redis behind a second look.
fn check(first: &SaleStatus, second: &SaleStatus, want: bool) {
    let thread = Thread::new(first);
    thread.looked(second, 50);
    assert_eq!(thread.refuses("eve", 51), want, "{second:?}");
}

#[test]
fn a_calm_goes_on_as_long_as_nothing_but_payments_happens() {
    let first = status(1, 10, 3);
    check(&first, &first, true);
    check(&first, &status(1, 14, 7), true);
    // One unit was given back, and somebody reserved it.
    check(&first, &status(1, 12, 3), false);
    check(&first, &status(1, 13, 4), false);
    check(&first, &status(1, 9, 2), false);
    check(&first, &SaleStatus { epoch: 2, ..status(1, 10, 3) }, false);
    // Of more than one unit at once, events do not tell.
    check(&status(2, 10, 3), &status(2, 12, 3), true);
}

#[test]
fn what_is_not_sold_out_or_not_open_is_asked_for_in_redis() {
    let first = status(2, 10, 3);
    for phase in ["closed", "ended", "fenced", "not_started"] {
        check(&first, &SaleStatus { phase: phase.into(), ..first.clone() }, false);
    }
    let mut back = first.clone();
    back.skus[1].available = 1;
    check(&first, &back, false);
    let thread = Thread::new(&first);
    thread.sold_out.sold("drop");
    assert!(!thread.refuses("ada", 2));
}

#[test]
fn what_is_known_ends_and_one_request_a_period_asks_for_all() {
    let thread = Thread::new(&status(2, 10, 3));
    assert!(thread.refuses("ada", SOLD_OUT_ASK_EVERY_MS - 1));
    assert!(!thread.refuses("ada", SOLD_OUT_ASK_EVERY_MS), "this one asks");
    assert!(thread.refuses("eve", SOLD_OUT_ASK_EVERY_MS), "the others need not");
    assert!(!thread.refuses("eve", SOLD_OUT_KNOWN_MS_MAX), "whatever became of it");
    assert!(!thread.refused(SOLD_OUT_ASK_EVERY_MS - 1), "one look a period");
    assert!(thread.refused(SOLD_OUT_ASK_EVERY_MS));
}

#[test]
fn however_many_sales_there_are_the_memory_is_bounded() {
    let thread = Thread::new(&status(1, 10, 3));
    for number in 0..3 * SOLD_OUT_SALES_MAX {
        thread.sold_out.refused(&format!("s{number}"), thread.begin);
    }
    assert_eq!(thread.sold_out.lock().sales.len(), SOLD_OUT_SALES_MAX);
}
