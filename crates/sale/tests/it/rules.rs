//! The rules that a table says better than a random sequence: the order of the checks, and the bounds.

use flash_sale::{Change, Command, Event, HashKey, Items, Refusal, Reserve, Reserved, Sale, State, Terms};
use flash_sale::{
    Details,
    limits::{ENDED_RESERVATIONS_MAX, EXPIRED_PER_EVENT_MAX, RESERVATIONS_PER_BUYER_MAX, SEQ_MAX, TIME_MS_MAX},
};

const KEY: HashKey = HashKey([1, 2]);
const NOW_MS: u64 = 1_000_000;

fn sale(terms: Terms) -> Sale {
    Sale::new(&Sale::warmed(terms, 1, 0, 0), KEY).expect("a warmed event makes a sale")
}

fn with_hold(total: u64, limit: u32, hold_ms: u64) -> Terms {
    Terms { limit, hold_ms: Some(hold_ms), ..Terms::simple(total) }
}

/// Reserves as the module does: first what is due expires, then the sale decides. Gives the reservation's id.
fn reserve(sale: &mut Sale, buyer: &str, quantity: u32, request: Option<&str>, now_ms: u64) -> Result<u64, Refusal> {
    if let Some(event) = sale.expire(now_ms, EXPIRED_PER_EVENT_MAX, Some(buyer)) {
        sale.apply(&event);
    }
    let items = sale.items_of_only_sku(quantity).expect("a valid quantity");
    let details = Details { request, ..Details::NONE };
    act(sale, &Command::Reserve(Reserve { buyer, items, details, is_new: false }), now_ms)
}

/// Gives the event's seq.
fn act(sale: &mut Sale, command: &Command, now_ms: u64) -> Result<u64, Refusal> {
    let event = sale.decide(command, now_ms)?;
    sale.apply(&event);
    Ok(event.seq)
}

#[test]
fn checks_stand_in_their_documented_order() {
    let mut terms = Terms { journal_events_max: Some(3), closes_at_ms: Some(NOW_MS + 100), ..with_hold(2, 1, 1_000) };
    terms.opens_at_ms = Some(NOW_MS);
    let sale = &mut sale(terms);
    let opens_at_ms = NOW_MS;
    assert_eq!(reserve(sale, "ada", 2, None, NOW_MS - 1), Err(Refusal::NotStarted { opens_at_ms }));
    assert_eq!(
        reserve(sale, "ada", 3, None, NOW_MS),
        Err(Refusal::LimitExceeded { existing: None }),
        "the limit comes before the stock"
    );
    assert_eq!(reserve(sale, "ada", 1, Some("r"), NOW_MS), Ok(2));
    assert_eq!(reserve(sale, "bob", 1, None, NOW_MS), Ok(3));
    assert_eq!(reserve(sale, "eve", 1, None, NOW_MS), Err(Refusal::SoldOut), "the stock comes before the journal");
    let replayed = Err(Refusal::Replayed { id: 2, expires_at_ms: Some(NOW_MS + 1_000), state: State::Held });
    assert_eq!(reserve(sale, "eve", 1, None, NOW_MS + 100), Err(Refusal::Ended), "the window comes before the stock");
    assert_eq!(reserve(sale, "ada", 1, Some("r"), NOW_MS + 100), replayed, "a repeat comes before everything");
    assert_eq!(reserve(sale, "ada", 2, Some("r"), NOW_MS + 100), Err(Refusal::Conflict));
}

#[test]
fn a_full_journal_refuses_reservations_and_lets_holds_end() {
    let sale = &mut sale(Terms { journal_events_max: Some(3), ..with_hold(9, 1, 1_000) });
    assert_eq!(reserve(sale, "ada", 1, None, NOW_MS), Ok(2));
    assert_eq!(reserve(sale, "bob", 1, None, NOW_MS), Ok(3));
    assert_eq!(reserve(sale, "eve", 1, None, NOW_MS), Err(Refusal::JournalFull));
    assert_eq!(act(sale, &Command::Confirm { id: 2 }, NOW_MS), Ok(4));
    assert_eq!(act(sale, &Command::Release { id: 3 }, NOW_MS), Ok(5));
    assert_eq!(sale.ack(1, 3), Ok(()));
    assert_eq!(reserve(sale, "eve", 1, None, NOW_MS), Ok(6));
}

#[test]
fn one_sku_s_shortage_refuses_the_whole_request() {
    let mut terms = Terms::simple(5);
    terms.limit = 9;
    terms.skus.push(flash_sale::SkuTerms { name: "rare".to_owned(), total: 1 });
    let sale = &mut sale(terms);
    let items = sale.items(&[("default", 2), ("rare", 1), ("rare", 1)]).expect("both are the sale's");
    let reserve = Reserve { buyer: "ada", items, details: Details::NONE, is_new: false };
    assert_eq!(act(sale, &Command::Reserve(reserve), NOW_MS), Err(Refusal::SoldOut), "two lines of one SKU are summed");
    assert_eq!(sale.available(), 6);
    assert_eq!(sale.items(&[("blue", 1)]).unwrap_err().to_string(), "SKU must be one of the sale's");
    assert_eq!(sale.items_of_only_sku(1).unwrap_err().to_string(), "SKU must be named: the sale has several");
}

#[test]
fn a_restock_never_takes_what_somebody_has() {
    let sale = &mut sale(with_hold(5, 9, 1_000));
    reserve(sale, "ada", 3, None, NOW_MS).expect("there is stock");
    let mut restock = |delta, want: Result<u64, Refusal>| {
        let wish = sale.restock(0, delta).expect("a valid total");
        assert_eq!(act(sale, &wish, NOW_MS).map(|_| sale.units()[0].total), want, "{delta}");
    };
    restock(-3, Err(Refusal::Conflict));
    restock(-2, Ok(3));
    restock(-1, Err(Refusal::Conflict));
    restock(7, Ok(10));
    assert_eq!(sale.available(), 7);
    assert_eq!(sale.terms().skus[0].total, 5, "what was promised at first is still known");
    assert_eq!(sale.restock(0, 999_999_991).unwrap_err().to_string(), "total must be 0 to 1000000000");
    assert_eq!(sale.sku(Some("blue")).unwrap_err().to_string(), "SKU must be one of the sale's");
}

#[test]
fn a_closed_sale_sells_nothing_until_it_is_opened_and_its_holds_still_end() {
    let sale =
        &mut sale(Terms { closes_at_ms: Some(NOW_MS + 100), opens_at_ms: Some(NOW_MS), ..with_hold(5, 1, 1_000) });
    reserve(sale, "ada", 1, None, NOW_MS).expect("there is stock");
    assert_eq!(act(sale, &Command::Open, NOW_MS), Err(Refusal::Conflict));
    assert_eq!(act(sale, &Command::Close, NOW_MS), Ok(3));
    assert_eq!(act(sale, &Command::Close, NOW_MS), Err(Refusal::Conflict));
    assert_eq!(reserve(sale, "bob", 1, None, NOW_MS), Err(Refusal::Closed));
    assert_eq!(reserve(sale, "bob", 1, None, NOW_MS + 100), Err(Refusal::Ended), "what is over stays over");
    assert_eq!(act(sale, &Command::Confirm { id: 2 }, NOW_MS), Ok(4));
    assert_eq!(act(sale, &Command::Open, NOW_MS), Ok(5));
    assert_eq!(reserve(sale, "bob", 1, None, NOW_MS), Ok(6));
}

#[test]
fn a_full_journal_takes_a_close_and_nothing_else_of_an_operator_s() {
    let sale = &mut sale(Terms { journal_events_max: Some(1), ..Terms::simple(5) });
    assert_eq!(act(sale, &Command::Restock { sku: 0, delta: 1 }, NOW_MS), Err(Refusal::JournalFull));
    assert_eq!(act(sale, &Command::Close, NOW_MS), Ok(2));
    assert_eq!(act(sale, &Command::Open, NOW_MS), Err(Refusal::JournalFull));
    assert_eq!(sale.ack(1, 2), Ok(()));
    assert_eq!(act(sale, &Command::Open, NOW_MS), Ok(3));
}

#[test]
fn a_hold_ends_once() {
    let sale = &mut sale(with_hold(9, 9, 1_000));
    for buyer in ["confirmed", "released", "expired"] {
        reserve(sale, buyer, 1, None, NOW_MS).expect("there is stock");
    }
    let expires_at_ms = Some(NOW_MS + 1_000);
    let confirmed = Err(Refusal::Replayed { id: 2, expires_at_ms, state: State::Confirmed });
    let released = Err(Refusal::Replayed { id: 3, expires_at_ms, state: State::Released });
    let mut check = |command, now_ms, want| assert_eq!(act(sale, &command, now_ms), want, "{command:?}");
    check(Command::Confirm { id: 2 }, NOW_MS, Ok(5));
    check(Command::Confirm { id: 2 }, NOW_MS, confirmed);
    check(Command::Release { id: 2 }, NOW_MS, Err(Refusal::Conflict));
    check(Command::Release { id: 3 }, NOW_MS + 999, Ok(6));
    check(Command::Release { id: 3 }, NOW_MS + 999, released);
    check(Command::Confirm { id: 3 }, NOW_MS + 999, Err(Refusal::Conflict));
    check(Command::Confirm { id: 4 }, NOW_MS + 1_000, Err(Refusal::Expired));
    check(Command::Release { id: 4 }, NOW_MS + 1_000, Err(Refusal::Expired));
    check(Command::Confirm { id: 1 }, NOW_MS, Err(Refusal::Unknown));
    check(Command::Confirm { id: 99 }, NOW_MS, Err(Refusal::Unknown));
}

#[test]
fn the_clock_of_a_sale_never_goes_back() {
    let sale = &mut sale(with_hold(1, 1, 1_000));
    assert_eq!(reserve(sale, "ada", 1, None, NOW_MS), Ok(2));
    act(sale, &Command::Release { id: 2 }, NOW_MS + 500).expect("held");
    assert_eq!(reserve(sale, "bob", 1, None, NOW_MS - 9_999), Ok(4));
    let hold = sale.reservation(4).expect("just made");
    assert_eq!(hold.made.expires_at_ms, Some(NOW_MS + 1_500));
}

#[test]
fn a_buyer_who_lost_a_hold_may_buy_again_however_many_are_due() {
    let sale = &mut sale(with_hold(1_000, 1, 1_000));
    for buyer in 0..1_000 {
        reserve(sale, &format!("buyer-{buyer}"), 1, None, NOW_MS).expect("there is stock");
    }
    let last = reserve(sale, "buyer-999", 1, None, NOW_MS + 1_000).expect("the buyer's own hold expires first");
    assert_eq!(sale.reservation(last).map(|hold| hold.made.slot), Some(0));
}

#[test]
fn a_hold_after_any_number_of_sold_ones_expires() {
    let sale = &mut sale(with_hold(9_999, 1, 1_000));
    reserve(sale, "first", 1, None, NOW_MS).expect("there is stock");
    for buyer in 0..2_000 {
        let id = reserve(sale, &format!("buyer-{buyer}"), 1, None, NOW_MS).expect("there is stock");
        act(sale, &Command::Confirm { id }, NOW_MS).expect("held");
    }
    reserve(sale, "last", 1, None, NOW_MS).expect("there is stock");
    // Only the relay touches the sale from here on.
    let later_ms = NOW_MS + 1_000;
    while let Some(event) = sale.expire(later_ms, EXPIRED_PER_EVENT_MAX, None) {
        sale.apply(&event);
    }
    assert_eq!((sale.units()[0].held, sale.has_due_holds(later_ms)), (0, false));
}

#[test]
fn one_command_expires_a_bounded_number_of_holds_and_the_next_goes_on() {
    let holds = 10 * EXPIRED_PER_EVENT_MAX + 1;
    let sale = &mut sale(with_hold(holds as u64, 1, 1_000));
    for buyer in 0..holds {
        reserve(sale, &format!("buyer-{buyer}"), 1, None, NOW_MS).expect("there is stock");
    }
    let mut expired = Vec::new();
    while let Some(event) = sale.expire(NOW_MS + 1_000, usize::MAX, None) {
        sale.apply(&event);
        if let Change::Expired { ids } = event.change {
            expired.push(ids.len());
        }
    }
    assert_eq!(expired, [[EXPIRED_PER_EVENT_MAX; 10].as_slice(), &[1]].concat());
    assert_eq!(sale.available(), holds as u64);
}

#[test]
fn due_holds_after_many_ended_ones_are_found() {
    let sale = &mut sale(with_hold(2_000, 1, 1_000));
    for buyer in 0..2_000 {
        reserve(sale, &format!("buyer-{buyer}"), 1, None, NOW_MS).expect("there is stock");
    }
    for id in 2..2_001 {
        act(sale, &Command::Confirm { id }, NOW_MS).expect("held");
    }
    let event = sale.expire(NOW_MS + 1_000, 1, None).expect("the last is due");
    assert_eq!(event.change, Change::Expired { ids: vec![2_001] });
}

#[test]
fn a_buyer_who_comes_and_goes_is_remembered_in_bounds() {
    let sale = &mut sale(with_hold(9, 9, 1_000));
    let mut ids = Vec::new();
    for round in 0..=RESERVATIONS_PER_BUYER_MAX {
        let id = reserve(sale, "ada", 1, Some(&format!("r-{round}")), NOW_MS).expect("the last one was released");
        act(sale, &Command::Release { id }, NOW_MS).expect("held");
        ids.push(id);
    }
    assert_eq!(sale.reservations_of("ada").count(), RESERVATIONS_PER_BUYER_MAX);
    assert_eq!(act(sale, &Command::Release { id: ids[0] }, NOW_MS), Err(Refusal::Unknown), "the oldest is forgotten");
    let expires_at_ms = Some(NOW_MS + 1_000);
    let replayed = Refusal::Replayed { id: ids[1], expires_at_ms, state: State::Released };
    assert_eq!(act(sale, &Command::Release { id: ids[1] }, NOW_MS), Err(replayed));
}

#[test]
fn no_buyer_has_more_reservations_at_once_than_the_bound() {
    let sale = &mut sale(Terms { limit: 1_000, ..Terms::simple(1_000) });
    for _ in 0..RESERVATIONS_PER_BUYER_MAX {
        reserve(sale, "ada", 1, None, NOW_MS).expect("within the limit");
    }
    assert_eq!(reserve(sale, "ada", 1, None, NOW_MS), Err(Refusal::LimitExceeded { existing: None }));
}

#[test]
fn ended_reservations_are_forgotten_oldest_first_and_their_memory_is_given_back() {
    let sale = &mut sale(with_hold(1, 1, 1_000));
    let (mut first, mut settled) = (None, 0);
    for round in 0..3 * ENDED_RESERVATIONS_MAX {
        let id = reserve(sale, &format!("buyer-{round}"), 1, None, NOW_MS).expect("the last one was released");
        act(sale, &Command::Release { id }, NOW_MS).expect("held");
        first.get_or_insert(id);
        if round == 2 * ENDED_RESERVATIONS_MAX {
            settled = sale.memory_bytes();
        }
    }
    assert_eq!(sale.reservations().count(), ENDED_RESERVATIONS_MAX);
    assert!(first.and_then(|id| sale.reservation(id)).is_none());
    assert!(sale.memory_bytes() < settled + settled / 20, "{} bytes after {settled}", sale.memory_bytes());
}

#[test]
fn many_buyers_are_all_found_again() {
    let buyers = 20_000u64;
    let sale = &mut sale(Terms::simple(buyers));
    for buyer in 0..buyers {
        assert_eq!(reserve(sale, &format!("buyer-{buyer}"), 1, None, NOW_MS), Ok(buyer + 2));
    }
    assert_eq!(reserve(sale, "late", 1, None, NOW_MS), Err(Refusal::SoldOut));
    for buyer in 0..buyers {
        let name = format!("buyer-{buyer}");
        let ids: Vec<u64> = sale.reservations_of(&name).map(|reservation| reservation.id).collect();
        assert_eq!(ids, [buyer + 2]);
    }
    let bytes_each = sale.memory_bytes() as u64 / buyers;
    assert!(bytes_each < 60, "{bytes_each} bytes per reservation");
}

/// What a replication link or an AOF says is not believed either: an event fits only if the sale could have decided it.
#[test]
fn an_event_that_no_primary_could_have_decided_is_not_accepted() {
    let check = |sale: &Sale, what: &str, forge: fn(&mut Event, &mut Reserved)| {
        let reserve = Reserve { buyer: "ada", items: Items::one(0, 1).unwrap(), details: Details::NONE, is_new: false };
        let mut event = sale.decide(&Command::Reserve(reserve), NOW_MS).expect("there is stock");
        let Change::Reserved(mut reserved) = event.change.clone() else { panic!("a reservation is made") };
        assert_eq!(sale.accepts(&event), Ok(()));
        forge(&mut event, &mut reserved);
        event.change = Change::Reserved(reserved);
        assert!(sale.accepts(&event).is_err(), "{what}");
    };
    let with_hold = &mut sale(with_hold(9, 2, 1_000));
    reserve(with_hold, "ada", 1, None, NOW_MS).expect("there is stock");
    let without = &mut sale(Terms { limit: 2, ..Terms::simple(9) });
    check(without, "an expiry in a sale without a pay window", |_, reserved| reserved.expires_at_ms = Some(NOW_MS));
    check(with_hold, "no expiry in a sale with one", |_, reserved| reserved.expires_at_ms = None);
    check(with_hold, "another pay window", |_, reserved| reserved.expires_at_ms = Some(NOW_MS + 1_001));
    check(with_hold, "a slot that is taken", |_, reserved| reserved.slot = 0);
    check(with_hold, "a slot that is not the lowest", |_, reserved| reserved.slot = 2);
    check(with_hold, "more than the limit", |_, reserved| reserved.items = Items::one(0, 2).unwrap());
    check(with_hold, "more than there is", |_, reserved| reserved.items = Items::one(0, 10).unwrap());
    check(with_hold, "no such SKU", |_, reserved| reserved.items = Items::one(1, 1).unwrap());
    check(with_hold, "a clock that goes back", |event, reserved| {
        event.at_ms -= 1;
        reserved.expires_at_ms = Some(event.at_ms + 1_000);
    });
    check(with_hold, "a clock beyond its limit", |event, reserved| {
        event.at_ms = TIME_MS_MAX + 1;
        reserved.expires_at_ms = Some(event.at_ms);
    });
    check(with_hold, "another seq", |event, _| event.seq += 1);
    check(with_hold, "another epoch", |event, _| event.epoch += 1);
    let twice = Event { epoch: 1, seq: 3, at_ms: NOW_MS, change: Change::Expired { ids: vec![2, 2] } };
    assert!(with_hold.accepts(&twice).is_err(), "one hold cannot expire twice");
}

/// The snapshot of a sale with one hold, the reservation 2, at the end of what its seq or its clock can say.
fn at_the_end(seq: u64, at_ms: u64) -> Sale {
    let sale = &mut sale(with_hold(9, 9, 1_000));
    reserve(sale, "ada", 1, None, NOW_MS).expect("there is stock");
    let bytes = sale.save();
    // After the version and the epoch come the seq 2 in one byte and the clock in three.
    let mut forged = bytes[..2].to_vec();
    put_int(&mut forged, seq);
    put_int(&mut forged, at_ms);
    forged.extend_from_slice(&bytes[6..]);
    Sale::load(&forged, KEY).expect("both are within their limits")
}

fn put_int(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(u8::try_from(value & 0x7f).unwrap() | 0x80);
        value >>= 7;
    }
    out.push(u8::try_from(value).unwrap());
}

#[test]
fn a_sale_whose_seqs_are_used_up_makes_no_more_events() {
    let sale = &mut at_the_end(SEQ_MAX, NOW_MS);
    assert_eq!(reserve(sale, "bob", 1, None, NOW_MS), Err(Refusal::JournalFull));
    assert_eq!(act(sale, &Command::Confirm { id: 2 }, NOW_MS), Err(Refusal::JournalFull));
    assert_eq!(act(sale, &Command::Release { id: 2 }, NOW_MS), Err(Refusal::JournalFull));
    assert_eq!(sale.expire(NOW_MS + 1_000, 1, None), None);
}

#[test]
fn at_the_end_of_time_a_sale_still_saves_what_loads() {
    for now_ms in [NOW_MS, TIME_MS_MAX, u64::MAX] {
        let sale = &mut at_the_end(2, TIME_MS_MAX);
        let id = reserve(sale, "bob", 1, None, now_ms).expect("there is stock");
        assert_eq!(sale.reservation(id).and_then(|hold| hold.made.expires_at_ms), Some(TIME_MS_MAX));
        assert_eq!(Sale::load(&sale.save(), KEY).map(|sale| sale.save()), Ok(sale.save()));
        assert!(Event::decode(sale.newest_event()).is_ok());
    }
}
