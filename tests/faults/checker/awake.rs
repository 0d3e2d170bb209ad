//! A checker that sees nothing would pass everything: before each run it is shown histories that are wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Result, ensure};

use super::{Case, Excuses, check};
use crate::eyes::{Order, Rows};
use crate::load::{Answer, Ask, Entry, Sale, State, sku};

/// What was asked and answered, and what is there.
struct Story {
    sale: Sale,
    entries: Vec<Entry>,
    rows: Rows,
    in_redis: BTreeMap<u64, Option<State>>,
}

/// A history, what makes it wrong, and words of the violation that must be found.
type Wrong = (&'static str, fn(&mut Story), &'static str);

const WRONG: [Wrong; 17] = [
    ("an accepted reservation is nowhere", |story| drop(story.rows.orders.pop()), "lost: "),
    ("an order that nobody wished", |story| story.entries.clear(), "nobody was told of"),
    ("an order that was refused", |story| story.entries[0].answer = refused(), "nobody was told of"),
    ("two orders of one wish", |story| second(story, |order| order.slot = 1), "is there 2 times"),
    ("another buyer's order", |story| story.rows.orders[0].buyer = "bob".to_owned(), " is order "),
    ("other items", |story| story.rows.orders[0].items[0].1 = 2, " is order "),
    ("another request's order", |story| story.rows.orders[0].request = Some("k9".to_owned()), " is order "),
    ("two reservations by one key", two_answers, "got several reservations"),
    ("two active orders in one slot", |story| second(story, |order| order.request = Some("k2".to_owned())), "in slots"),
    ("more units than the limit", |story| story.sale.limit = 0, "has 1 units"),
    ("an order and a rejection", |story| reject(story, 2), "is an order and a rejection"),
    ("a rejection though nothing was forgotten", rejected, "though Redis has forgotten nothing"),
    ("something in the quarantine", |story| story.rows.quarantined.push("why".to_owned()), "quarantined"),
    ("Redis says otherwise", released_in_redis, "Redis says"),
    ("Redis has forgotten what is active", |story| story.in_redis.clear(), "Redis says None"),
    ("confirmed, and released in the end", confirmed_then_released, "and it is"),
    ("a later buyer got the lower id", lower_id, "was asked for after"),
];

/// Shows the checker what is wrong, and what is right.
pub(crate) fn ensure_awake() -> Result<()> {
    let found = violations(&story());
    ensure!(found.is_empty(), "the checker calls a right history wrong: {found:?}");
    for (what, spoil, words) in WRONG {
        let mut story = story();
        spoil(&mut story);
        let found = violations(&story);
        ensure!(found.iter().any(|violation| violation.contains(words)), "the checker sees {what} as {found:?}");
    }
    Ok(())
}

fn violations(story: &Story) -> Vec<String> {
    let case = Case {
        sale: &story.sale,
        entries: story.entries.iter().collect(),
        rows: &story.rows,
        in_redis: story.in_redis.clone(),
        excuses: &Excuses::default(),
    };
    check(&case).1
}

/// Ada asked for one unit, and has it.
fn story() -> Story {
    let sale = Sale { name: "drop".to_owned(), totals: vec![9], limit: 1, hold_ms: None };
    let rows = Rows { orders: vec![order(2, "k1")], ..Rows::default() };
    let in_redis = BTreeMap::from([(2, Some(State::Confirmed))]);
    Story { sale, entries: vec![reserved("k1", 2, 1..2)], rows, in_redis }
}

fn order(id: u64, request: &str) -> Order {
    let (buyer, items) = ("ada".to_owned(), vec![(sku(0), 1)]);
    Order { id, buyer, slot: 0, state: State::Confirmed, items, request: Some(request.to_owned()) }
}

fn reserved(key: &str, id: u64, ms: std::ops::Range<u64>) -> Entry {
    let [from, to] = [ms.start, ms.end].map(Duration::from_millis);
    let answer = Answer::Ok { id, state: State::Confirmed, replayed: false };
    let (buyer, key, ask) = ("ada".to_owned(), key.to_owned(), Ask::Reserve(vec![(0, 1)]));
    Entry { sale: 0, buyer, key, ask, from, to, answer }
}

fn refused() -> Answer {
    Answer::Refused("sold-out".to_owned())
}

/// One more order, like the first but for its id and what `change` makes of it.
fn second(story: &mut Story, change: fn(&mut Order)) {
    let mut order = order(3, "k1");
    change(&mut order);
    story.in_redis.insert(order.id, Some(order.state));
    story.rows.orders.push(order);
}

fn two_answers(story: &mut Story) {
    story.entries.push(reserved("k1", 3, 3..4));
    second(story, |order| order.slot = 1);
}

fn reject(story: &mut Story, id: u64) {
    story.rows.rejections.insert(id, ("oversold".to_owned(), "\"k1\"".to_owned()));
}

fn rejected(story: &mut Story) {
    story.rows.orders.clear();
    reject(story, 2);
}

fn confirmed_then_released(story: &mut Story) {
    story.sale.hold_ms = Some(60_000);
    story.entries.push(Entry { ask: Ask::Confirm(2), ..reserved("k1", 2, 3..4) });
    story.rows.orders[0].state = State::Released;
    story.in_redis.insert(2, Some(State::Released));
}

fn released_in_redis(story: &mut Story) {
    story.in_redis.insert(2, Some(State::Released));
}

fn lower_id(story: &mut Story) {
    story.sale.limit = 2;
    story.entries.push(reserved("k2", 1, 5..6));
    story.rows.orders.push(Order { slot: 1, ..order(1, "k2") });
    story.in_redis.insert(1, Some(State::Confirmed));
}
