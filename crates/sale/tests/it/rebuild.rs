//! A later life of a sale: fenced, rebuilt, and let go on.

use flash_sale::{
    Command, Details, Expected, ExpectedSku, HashKey, Items, NextEpoch, Refusal, Reservation, Reserve, Reserved, Sale,
    State, Terms, Unfence,
};

const KEY: HashKey = HashKey([1, 2]);
const NOW_MS: u64 = 1_000_000;
/// The newest seq of the lives before.
const AFTER: u64 = 5_000;
/// The recovery attempt that has fenced the sale.
const TERM: u64 = 3;

/// What a sale is, as PostgreSQL would have it.
fn state_of(sale: &Sale) -> Expected {
    let skus = sale.terms().skus.iter().zip(sale.units());
    let sku = |(sku, units): (&flash_sale::SkuTerms, &flash_sale::Units)| ExpectedSku {
        name: sku.name.clone(),
        total: units.total,
        taken: units.taken(),
    };
    Expected { content: sale.content(), is_closed: sale.is_closed(), skus: skus.map(sku).collect() }
}

fn unfence(sale: &mut Sale, epoch: u64, seq: u64, next: Option<NextEpoch>) -> Result<(), Refusal> {
    let expected = state_of(sale);
    sale.unfence(&Unfence { term: sale.term(), epoch, seq, next, expected: Some(&expected) })
}

fn later_life(total: u64, limit: u32) -> Sale {
    let terms = Terms { limit, hold_ms: Some(1_000), ..Terms::simple(total) };
    let mut sale = Sale::new(&Sale::warmed(terms, 2, AFTER, NOW_MS), KEY).expect("a warmed event makes a sale");
    sale.fence_for(TERM).expect("there was no later attempt");
    sale
}

fn reservation(id: u64, buyer: &str, slot: u8, state: State, expires_at_ms: u64) -> Reservation<'_> {
    let items = Items::one(0, 1).expect("a unit");
    let details = Details { request: Some("r"), ..Details::NONE };
    Reservation {
        id,
        state,
        made: Reserved { buyer, slot, items, expires_at_ms: Some(expires_at_ms), details },
        fingerprint: Some(details.fingerprint()),
    }
}

fn reserve(sale: &mut Sale, buyer: &str) -> Result<u64, Refusal> {
    let items = Items::one(0, 1).expect("a unit");
    let event =
        sale.decide(&Command::Reserve(Reserve { buyer, items, details: Details::NONE, is_new: false }), NOW_MS)?;
    sale.apply(&event);
    Ok(event.seq)
}

#[test]
fn a_later_life_sells_nothing_until_it_is_whole_and_its_numbers_go_on() {
    let sale = &mut later_life(3, 1);
    assert_eq!(reserve(sale, "eve"), Err(Refusal::Fenced));
    let ada = reservation(7, "ada", 0, State::Confirmed, NOW_MS);
    let bob = reservation(4_000, "bob", 0, State::Held, NOW_MS + 500);
    assert_eq!(sale.rebuild(TERM, 2, std::slice::from_ref(&ada)), Ok(1));
    assert_eq!(sale.rebuild(TERM, 2, &[ada, bob.clone()]), Ok(1), "what is back already is passed over");
    assert_eq!(sale.decide(&Command::Confirm { id: 4_000 }, NOW_MS), Err(Refusal::Fenced));
    assert!(!sale.has_due_holds(NOW_MS + 500) && sale.expire(NOW_MS + 500, 64, None).is_none(), "no hold ends");
    assert_eq!(unfence(sale, 1, AFTER, None), Err(Refusal::Fenced));
    assert_eq!(unfence(sale, 2, AFTER + 2, None), Err(Refusal::Conflict), "somebody knows more than this sale");
    assert_eq!(unfence(sale, 2, AFTER + 1, None), Ok(()));
    assert_eq!(
        sale.rebuild(TERM, 2, &[reservation(4_001, "joe", 0, State::Confirmed, NOW_MS)]),
        Err(Refusal::Conflict)
    );
    let replayed = Refusal::Replayed { id: 7, expires_at_ms: Some(NOW_MS), state: State::Confirmed };
    assert_eq!(reserve(sale, "ada"), Err(replayed));
    assert_eq!(reserve(sale, "eve"), Ok(AFTER + 2));
    assert_eq!(reserve(sale, "joe"), Err(Refusal::SoldOut));
    assert!(sale.has_due_holds(NOW_MS + 500), "bob's hold ends when it was to end");
    assert_eq!(sale.reservations_of("bob").next(), Some(bob));
    assert_eq!(Sale::load(&sale.save(), KEY).map(|sale| sale.save()), Ok(sale.save()));
}

#[test]
fn what_does_not_fit_is_refused_whole() {
    let check = |wrong: Reservation| {
        let sale = &mut later_life(3, 2);
        assert_eq!(sale.rebuild(TERM, 2, &[reservation(50, "ada", 0, State::Held, NOW_MS + 500)]), Ok(1));
        let before = sale.save();
        let fits = reservation(60, "bob", 0, State::Held, NOW_MS + 500);
        assert_eq!(sale.rebuild(TERM, 2, &[fits, wrong.clone()]), Err(Refusal::Conflict), "{wrong:?}");
        assert_eq!(sale.save(), before, "{wrong:?}");
        assert_eq!(sale.rebuild(TERM, 1, &[]), Err(Refusal::Fenced));
    };
    check(reservation(60, "eve", 0, State::Confirmed, NOW_MS));
    check(reservation(AFTER + 1, "eve", 0, State::Confirmed, NOW_MS));
    check(reservation(70, "eve", 0, State::Released, NOW_MS));
    check(reservation(70, "eve", 32, State::Confirmed, NOW_MS));
    check(reservation(70, "ada", 0, State::Confirmed, NOW_MS));
    check(reservation(70, "bob", 0, State::Confirmed, NOW_MS));
    let eve = |state| reservation(70, "eve", 0, state, NOW_MS);
    let changed = |like: Reservation<'static>, change: fn(&mut Reserved)| {
        let mut changed = like;
        change(&mut changed.made);
        changed
    };
    check(changed(eve(State::Held), |made| made.expires_at_ms = None));
    check(changed(eve(State::Confirmed), |made| made.items = Items::one(0, 2).expect("units")));
    check(changed(eve(State::Confirmed), |made| made.items = Items::one(1, 1).expect("a unit")));
}

#[test]
fn a_fenced_sale_makes_no_events() {
    let sale = &mut later_life(3, 1);
    assert_eq!(unfence(sale, 2, 0, None), Ok(()));
    assert_eq!(reserve(sale, "ada"), Ok(AFTER + 2));
    sale.fence();
    assert_eq!(reserve(sale, "ada"), Err(Refusal::Fenced), "even a repeat: what the sale knows may not be whole");
    let id = AFTER + 2;
    for command in [
        Command::Confirm { id },
        Command::Release { id },
        Command::Restock { sku: 0, delta: 1 },
        Command::Close,
        Command::Open,
    ] {
        assert_eq!(sale.decide(&command, NOW_MS), Err(Refusal::Fenced), "{command:?}");
    }
    assert_eq!(sale.expire(NOW_MS + 9_000, 64, Some("ada")), None);
    let again = Sale::load(&sale.save(), KEY).expect("whole");
    assert!(again.is_fenced(), "a fence outlives a restart");
}

#[test]
fn a_hold_of_another_clock_ends_in_the_order_of_the_ids_and_no_later_than_a_new_one() {
    let check = |expires_at_ms, want_ms| {
        let sale = &mut later_life(3, 2);
        let older = reservation(50, "ada", 0, State::Held, NOW_MS + 500);
        assert_eq!(sale.rebuild(TERM, 2, &[older, reservation(60, "bob", 0, State::Held, expires_at_ms)]), Ok(2));
        assert_eq!(sale.reservation(60).and_then(|hold| hold.made.expires_at_ms), Some(want_ms), "{expires_at_ms}");
        assert!(Sale::load(&sale.save(), KEY).is_ok());
    };
    check(NOW_MS + 700, NOW_MS + 700);
    check(NOW_MS + 499, NOW_MS + 500);
    check(0, NOW_MS + 500);
    check(NOW_MS + 1_001, NOW_MS + 1_000);
}

#[test]
fn a_whole_sale_goes_on_in_the_next_epoch_once_postgresql_has_all_of_it() {
    let terms = Terms { journal_events_max: Some(10), ..Terms::simple(3) };
    let sale = &mut Sale::new(&Sale::warmed(terms, 1, 0, NOW_MS), KEY).expect("a warmed event makes a sale");
    assert_eq!(reserve(sale, "ada"), Ok(2));
    let next = Some(NextEpoch { epoch: 2, after: 900 });
    assert_eq!(unfence(sale, 1, 2, next), Err(Refusal::Conflict), "it is not fenced");
    sale.fence_for(TERM).expect("there was no later attempt");
    assert_eq!(unfence(sale, 1, 2, next), Err(Refusal::Conflict), "it has events that are not acknowledged");
    assert_eq!(sale.ack(1, 2), Ok(()));
    assert_eq!(unfence(sale, 1, 3, next), Err(Refusal::Conflict), "somebody knows more than this sale");
    let too_early = Some(NextEpoch { epoch: 2, after: 1 });
    assert_eq!(unfence(sale, 1, 2, too_early), Err(Refusal::Conflict), "it has made more than that");
    assert_eq!(unfence(sale, 1, 2, next), Ok(()));
    assert_eq!((sale.epoch(), sale.acked(), unfence(sale, 1, 2, next)), (2, 900, Ok(())), "it may be repeated");
    assert_eq!(reserve(sale, "bob"), Ok(901));
    assert_eq!(sale.journal_events(), 1);
    sale.fence();
    assert_eq!(unfence(sale, 1, 2, next), Err(Refusal::Fenced), "but not once there is another fence");
    assert_eq!(Sale::load(&sale.save(), KEY).map(|sale| sale.save()), Ok(sale.save()));
}

#[test]
fn only_a_fenced_sale_gives_way_to_a_later_life_that_has_all_of_it() {
    let sale = &mut later_life(3, 1);
    assert_eq!(unfence(sale, 2, 0, None), Ok(()));
    assert!(!sale.gives_way_to(TERM, 3, sale.seq()), "it sells");
    sale.fence();
    assert!(sale.gives_way_to(TERM, 3, sale.seq()));
    assert!(!sale.gives_way_to(TERM, 2, sale.seq()) && !sale.gives_way_to(TERM, 3, sale.seq() - 1));
}
