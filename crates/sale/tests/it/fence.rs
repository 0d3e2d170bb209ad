//! Recovery attempts: what they may do to a sale, and what a sale must be before it goes on.

use flash_sale::{
    Change, Command, Content, Details, Event, Expected, ExpectedSku, HashKey, Items, Life, NextEpoch, Refusal, Reserve,
    Sale, SkuTerms, Terms, Unfence,
};

const KEY: HashKey = HashKey([1, 2]);
const NOW_MS: u64 = 1_000_000;

fn warmed(life: impl Into<Life>) -> Sale {
    Sale::new(&Sale::warmed(life, 1, 0, NOW_MS), KEY).expect("a warmed event makes a sale")
}

fn two_skus() -> Terms {
    let sku = |name: &str| SkuTerms { name: name.to_owned(), total: 5 };
    Terms { skus: vec![sku("a"), sku("b")], journal_events_max: Some(10), ..Terms::simple(1) }
}

/// Two SKUs, a reservation of each, everything acknowledged.
fn sale() -> Sale {
    let mut sale = warmed(two_skus());
    for (at, buyer) in [(0, "ada"), (1, "bob")] {
        let items = Items::one(at, 1).expect("a unit");
        let reserve = Reserve { buyer, items, details: Details::NONE, is_new: false };
        let event = sale.decide(&Command::Reserve(reserve), NOW_MS).expect("a reservation");
        sale.apply(&event);
    }
    sale.ack(1, 3).expect("its own");
    sale
}

fn expected(sale: &Sale) -> Expected {
    let sku = |name: &str| ExpectedSku { name: name.to_owned(), total: 5, taken: 1 };
    Expected { content: sale.content(), is_closed: false, skus: vec![sku("b"), sku("a")] }
}

fn unfence(term: u64, expected: Option<&Expected>) -> Unfence<'_> {
    Unfence { term, epoch: 1, seq: 3, next: Some(NextEpoch { epoch: 2, after: 900 }), expected }
}

/// A first life has nothing to get back; a later one has nothing yet when it begins.
#[test]
fn a_sale_knows_whether_it_was_open_in_its_epoch() {
    let saved = |sale: &Sale| Sale::load(&sale.save(), KEY).map(|sale| sale.was_open());
    let mut first = sale();
    assert_eq!((first.was_open(), saved(&first)), (true, Ok(true)));
    first.fence_for(5).expect("the first attempt");
    assert_eq!((first.was_open(), saved(&first)), (true, Ok(true)), "it was, before its fence");
    let mut later = Sale::new(&Sale::warmed(two_skus(), 2, 900, NOW_MS), KEY).expect("a life");
    assert_eq!((later.was_open(), saved(&later)), (false, Ok(false)));
    later.fence_for(6).expect("the next attempt");
    let skus = ["a", "b"].map(|name| ExpectedSku { name: name.to_owned(), total: 5, taken: 0 }).to_vec();
    let expected = Expected { content: later.content(), is_closed: false, skus };
    let opening = Unfence { term: 6, epoch: 2, seq: 901, next: None, expected: Some(&expected) };
    assert_eq!((later.unfence(&opening), later.was_open(), saved(&later)), (Ok(()), true, Ok(true)));
    later.fence();
    assert_eq!((later.was_open(), saved(&later)), (true, Ok(true)));
    assert_eq!((Sale::shell(5, KEY).was_open(), saved(&Sale::shell(5, KEY))), (false, Ok(false)));
}

#[test]
fn an_attempt_overrides_those_before_it_and_none_after() {
    let mut sale = sale();
    assert_eq!((sale.fence_for(5), sale.is_fenced()), (Ok(()), true));
    let expected = expected(&sale);
    assert_eq!(sale.fence_for(5), Ok(()), "it may be repeated");
    let before = sale.save();
    assert_eq!(sale.fence_for(4), Err(Refusal::Fenced));
    for term in [0, 4, 6] {
        assert_eq!(sale.unfence(&unfence(term, Some(&expected))), Err(Refusal::Fenced), "{term}");
        assert_eq!(sale.rebuild(term, 1, &[]), Err(Refusal::Fenced), "{term}");
        assert!(!sale.gives_way_to(term, 2, 900), "{term}");
    }
    assert_eq!(sale.save(), before);
    assert!(sale.gives_way_to(5, 2, 900));
    assert_eq!(sale.unfence(&unfence(5, Some(&expected))), Ok(()));
    assert_eq!((sale.term(), sale.epoch(), sale.is_fenced()), (5, 2, false));
    assert_eq!(sale.fence_for(4), Err(Refusal::Fenced), "a sale that goes on keeps its term");
    assert_eq!(Sale::load(&sale.save(), KEY).map(|sale| sale.term()), Ok(5));
}

#[test]
fn a_sale_goes_on_only_as_it_is_expected() {
    let check = |change: fn(&mut Expected), want: Result<(), Refusal>| {
        let mut sale = sale();
        sale.fence_for(5).expect("the first attempt");
        let mut expected = expected(&sale);
        change(&mut expected);
        assert_eq!(sale.unfence(&unfence(5, Some(&expected))), want, "{expected:?}");
        assert_eq!(sale.is_fenced(), want.is_err());
    };
    check(|_| (), Ok(()));
    let conflict = Err(Refusal::Conflict);
    check(|expected| expected.content.digest ^= 1, conflict);
    check(|expected| expected.content.reservations += 1, conflict);
    check(|expected| expected.is_closed = true, conflict);
    check(|expected| expected.skus[0].total += 1, conflict);
    check(|expected| expected.skus[0].taken += 1, conflict);
    check(|expected| expected.skus[0].name = "c".to_owned(), conflict);
    check(|expected| expected.skus.truncate(1), conflict);
    check(|expected| expected.skus[0] = expected.skus[1].clone(), conflict);
}

#[test]
fn only_an_attempt_that_says_what_it_expects_lets_a_sale_with_a_journal_go_on() {
    let check = |journal: Option<u64>, fenced_for: u64, said: u64, is_expected: bool, want: Result<(), Refusal>| {
        let mut sale = warmed(Terms { journal_events_max: journal, ..Terms::simple(5) });
        sale.ack(1, 1).expect("its own");
        sale.fence();
        if fenced_for > 0 {
            assert_eq!(sale.fence_for(fenced_for), Ok(()));
        }
        let skus = vec![ExpectedSku { name: "default".to_owned(), total: 5, taken: 0 }];
        let expected = Expected { content: Content::default(), is_closed: false, skus };
        let expected = is_expected.then_some(&expected);
        let got = sale.unfence(&Unfence { term: said, epoch: 1, seq: 1, next: None, expected });
        assert_eq!(got, want, "{journal:?} {fenced_for} {said} {is_expected}");
    };
    check(Some(9), 5, 5, true, Ok(()));
    check(Some(9), 5, 5, false, Err(Refusal::Conflict));
    check(Some(9), 0, 0, true, Err(Refusal::Conflict));
    check(Some(9), 0, 0, false, Err(Refusal::Conflict));
    check(Some(9), 0, 5, true, Err(Refusal::Fenced));
    check(None, 0, 0, false, Ok(()));
    check(None, 5, 5, false, Ok(()));
    check(None, 5, 5, true, Ok(()));
    check(None, 5, 0, false, Err(Refusal::Fenced));
}

#[test]
fn what_a_primary_let_go_on_goes_on() {
    let mut sale = sale();
    sale.fence_for(5).expect("the first attempt");
    assert_eq!(sale.unfence_as_said(&unfence(4, None)), Err(Refusal::Fenced));
    assert_eq!(sale.unfence_as_said(&unfence(5, None)), Ok(()));
    assert_eq!((sale.epoch(), sale.seq(), sale.is_fenced()), (2, 900, false));
    assert_eq!(sale.unfence_as_said(&unfence(5, None)), Ok(()), "it may be repeated");
}

#[test]
fn a_sale_that_has_forgotten_what_was_acknowledged_fences_itself() {
    let check = |epoch: u64, seq: u64, want: Result<(), Refusal>, is_fenced: bool| {
        let mut sale = warmed(two_skus());
        let later = NextEpoch { epoch: 3, after: 50 };
        sale.ack(1, 1).expect("its own");
        sale.fence();
        sale.unfence_as_said(&Unfence { term: 0, epoch: 1, seq: 1, next: Some(later), expected: None }).expect("whole");
        assert_eq!((sale.ack(epoch, seq), sale.is_fenced()), (want, is_fenced), "{epoch} {seq}");
    };
    check(3, 50, Ok(()), false);
    check(3, 51, Err(Refusal::Fenced), true);
    check(4, 1, Err(Refusal::Fenced), true);
    check(2, 9_000, Err(Refusal::Fenced), false);
}

#[test]
fn a_shell_is_a_fence_and_nothing_else() {
    let shell = Sale::shell(5, KEY);
    let mut again = Sale::load(&shell.save(), KEY).expect("what was saved loads");
    assert_eq!(again.save(), shell.save());
    assert!(again.is_shell() && again.is_fenced());
    assert_eq!((again.term(), again.epoch(), again.seq(), again.available()), (5, 0, 0, 0));
    assert_eq!(again.decide(&Command::Close, NOW_MS), Err(Refusal::Fenced));
    assert_eq!(again.ack(1, 1), Err(Refusal::Fenced));
    let nothing = Expected { content: Content::default(), is_closed: false, skus: Vec::new() };
    let next = Some(NextEpoch { epoch: 2, after: 9 });
    for epoch in [0, 1] {
        let unfence = Unfence { term: 5, epoch, seq: 0, next, expected: Some(&nothing) };
        assert_eq!(again.unfence(&unfence), Err(Refusal::Fenced));
    }
    assert!(again.gives_way_to(5, 1, 0) && !again.gives_way_to(4, 1, 0) && !again.gives_way_to(0, 1, 0));
    assert_eq!(again.fence_for(4), Err(Refusal::Fenced));
    assert_eq!((again.fence_for(6), again.term()), (Ok(()), 6));
}

#[test]
fn a_life_begins_with_what_was_on_sale() {
    let life = Life { terms: two_skus(), totals: vec![0, 9], is_closed: true, forgotten_seq: 7 };
    let event = Sale::warmed(life.clone(), 2, 900, NOW_MS);
    let mut bytes = Vec::new();
    event.encode(&mut bytes);
    assert_eq!(Event::decode(&bytes), Ok(event));
    let sale = Sale::new(&Event::decode(&bytes).expect("it reads back"), KEY).expect("a warmed event makes a sale");
    assert_eq!(sale.units().iter().map(|units| units.total).collect::<Vec<_>>(), [0, 9]);
    assert_eq!((sale.is_closed(), sale.is_fenced(), sale.terms()), (true, true, &two_skus()));
    assert_eq!(Sale::load(&sale.save(), KEY).map(|sale| sale.save()), Ok(sale.save()));
    let plain = Sale::warmed(two_skus(), 2, 900, NOW_MS);
    assert!(matches!(plain.change, Change::Warmed(life) if life.is_plain()));
}
