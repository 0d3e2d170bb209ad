//! Which request is a repeat, which is another one, and what is answered if that is unknown.

use flash_sale::{Command, HashKey, Items, Life, Refusal, Reserve, Sale, State, Terms, fingerprint};
use flash_sale::{
    Details,
    limits::{ENDED_RESERVATIONS_MAX, RESERVATIONS_PER_BUYER_MAX},
};

const KEY: HashKey = HashKey([1, 2]);
const NOW_MS: u64 = 1_000_000;

fn sale(limit: u32) -> Sale {
    let terms = Terms { hold_ms: Some(1_000), limit, ..Terms::simple(1_000_000) };
    Sale::new(&Sale::warmed(terms, 1, 0, 0), KEY).expect("a warmed event makes a sale")
}

fn act(sale: &mut Sale, command: &Command) -> Result<u64, Refusal> {
    let event = sale.decide(command, NOW_MS)?;
    sale.apply(&event);
    Ok(event.seq)
}

const ADA: Reserve<'static> = Reserve { buyer: "ada", items: Items::ONE, details: Details::NONE, is_new: false };

/// What `ADA` wants, under an id.
fn keyed(request: &str) -> Reserve<'_> {
    Reserve { details: Details { request: Some(request), ..Details::NONE }, ..ADA }
}

fn replayed(id: u64) -> Result<u64, Refusal> {
    Err(Refusal::Replayed { id, expires_at_ms: Some(NOW_MS + 1_000), state: State::Held })
}

#[test]
fn where_one_is_the_limit_only_the_same_wish_is_a_repeat() {
    let other = Err(Refusal::LimitExceeded { existing: Some(2) });
    let check = |first: Reserve, second: Reserve, want: Result<u64, Refusal>| {
        let sale = &mut sale(1);
        assert_eq!(act(sale, &Command::Reserve(first.clone())), Ok(2));
        let again = &mut Sale::load(&sale.save(), KEY).expect("what was saved loads");
        for sale in [sale, again] {
            assert_eq!(act(sale, &Command::Reserve(second.clone())), want, "{first:?}, {second:?}");
        }
    };
    let data = |data| Reserve { details: Details { data: Some(data), ..Details::NONE }, ..ADA };
    check(ADA, ADA, replayed(2));
    check(data("{}"), data("{}"), replayed(2));
    check(keyed("r"), keyed("r"), replayed(2));
    check(keyed("r"), ADA, replayed(2));
    check(keyed("r"), keyed("s"), other);
    check(ADA, keyed("s"), other);
    check(data("{}"), data("[]"), other);
    check(data("{}"), ADA, other);
    check(ADA, data("{}"), other);
    check(
        keyed("r"),
        Reserve { details: Details { data: Some("{}"), ..keyed("r").details }, ..ADA },
        Err(Refusal::Conflict),
    );
}

#[test]
fn a_limit_names_the_reservation_that_takes_it_where_it_is_one() {
    let check = |held: &[u32], wanted: u32, existing: Option<u64>| {
        let sale = &mut sale(4);
        let wish = |units| Command::Reserve(Reserve { items: Items::one(0, units).expect("units"), ..ADA });
        for units in held {
            act(sale, &wish(*units)).expect("within the limit");
        }
        assert_eq!(act(sale, &wish(wanted)), Err(Refusal::LimitExceeded { existing }), "{held:?} {wanted}");
    };
    check(&[3], 2, Some(2));
    check(&[3], 4, Some(2));
    check(&[3], 5, None);
    check(&[1, 2], 2, None);
    check(&[], 5, None);
}

/// Ends so many reservations of one buyer each, with a request or without.
fn end_many(sale: &mut Sale, count: usize, request: Option<&str>) {
    for number in 0..count {
        let buyer = format!("{}-{number}", sale.seq());
        let id = act(
            sale,
            &Command::Reserve(Reserve {
                buyer: &buyer,
                details: Details { request, ..Details::NONE },
                is_new: true,
                ..ADA
            }),
        )
        .expect("stock");
        act(sale, &Command::Release { id }).expect("held");
    }
}

#[test]
fn a_key_that_may_be_forgotten_is_refused_until_it_is_known_to_be_new() {
    let sale = &mut sale(1);
    end_many(sale, ENDED_RESERVATIONS_MAX, Some("r"));
    let mine = keyed("mine");
    let id = act(sale, &Command::Reserve(mine.clone())).expect("nothing is forgotten yet");
    assert_eq!(act(sale, &Command::Release { id }), Ok(id + 1), "the oldest is forgotten for it");
    let forgotten = Err(Refusal::KeyForgotten { seq: id + 1 });
    let again = &mut Sale::load(&sale.save(), KEY).expect("what was saved loads");
    for sale in [sale, again] {
        let released = Refusal::Replayed { id, expires_at_ms: Some(NOW_MS + 1_000), state: State::Released };
        assert_eq!(act(sale, &Command::Reserve(mine.clone())), Err(released), "this one is remembered");
        let other = keyed("other");
        assert_eq!(act(sale, &Command::Reserve(other.clone())), forgotten);
        assert_eq!(act(sale, &Command::Reserve(Reserve { buyer: "bob", ..ADA })), Ok(id + 2), "it has no key");
        assert_eq!(act(sale, &Command::Reserve(Reserve { is_new: true, ..other.clone() })), Ok(id + 3));
        assert_eq!(act(sale, &Command::Reserve(other)), replayed(id + 3));
    }
}

#[test]
fn what_had_no_key_may_be_forgotten() {
    let sale = &mut sale(1);
    end_many(sale, ENDED_RESERVATIONS_MAX + 1, None);
    assert!(act(sale, &Command::Reserve(keyed("r"))).is_ok());
}

#[test]
fn a_buyer_with_very_many_reservations_is_forgotten_too() {
    let sale = &mut sale(1);
    for round in 0..=RESERVATIONS_PER_BUYER_MAX {
        let request = format!("r-{round}");
        let id = act(sale, &Command::Reserve(keyed(&request))).expect("stock");
        act(sale, &Command::Release { id }).expect("held");
    }
    let made = sale.seq() - 1;
    let first = Command::Reserve(keyed("r-0"));
    assert_eq!(act(sale, &first), Err(Refusal::KeyForgotten { seq: made }));
}

#[test]
fn a_later_life_knows_what_the_lives_before_it_forgot() {
    let terms = Terms { journal_events_max: Some(10), ..Terms::simple(5) };
    let life = Life { forgotten_seq: 40, ..terms.into() };
    let mut sale = Sale::new(&Sale::warmed(life, 1, 0, 0), KEY).expect("a warmed event makes a sale");
    let keyed = Command::Reserve(keyed("r"));
    assert_eq!(act(&mut sale, &keyed), Err(Refusal::KeyForgotten { seq: 40 }));
}

#[test]
fn a_fingerprint_needs_no_key() {
    let sale = &mut sale(1);
    let id = act(sale, &Command::Reserve(Reserve { details: Details { data: Some("{}"), ..Details::NONE }, ..ADA }))
        .expect("stock");
    assert_eq!(sale.reservation(id).and_then(|made| made.fingerprint), Some(fingerprint(Some("{}"))));
}
