//! What the processes say to each other: the cost of each translation.

use std::hint::black_box;
use std::time::Duration;

use criterion::{Criterion, criterion_group, criterion_main};
use flash_wire::{
    Answer, Change, Details, Event, Items, Message, Outcome, Reserve, ReserveAnswer, Reserved, Tree, reply,
};

const NOW_MS: u64 = 1_790_000_000_000;
/// Events that a relay pulls at once and puts into one message.
const RUN_EVENTS: u64 = 256;

fn event(seq: u64, buyer: &str) -> Event<'_> {
    let reserved = Reserved {
        buyer,
        slot: 0,
        items: Items::one(0, 1).expect("one unit is a quantity"),
        expires_at_ms: Some(NOW_MS + 60_000),
        details: Details::NONE,
    };
    Event { epoch: 1, seq, at_ms: NOW_MS, change: Change::Reserved(reserved) }
}

fn commands(criterion: &mut Criterion) {
    let plain: &[&[u8]] = &[b"00000000000000001"];
    let full: &[&[u8]] = &[
        b"00000000000000001",
        b"QTY",
        b"2",
        b"ID",
        b"0c8f2d4e-3b6a-4d0e-9d57-6a4f0a1b2c3d",
        b"DATA",
        b"{\"size\":42}",
    ];
    for (name, args) in [("parse RESERVE", plain), ("parse RESERVE with every option", full)] {
        criterion.bench_function(name, |bencher| bencher.iter(|| Reserve::parse(black_box(args)).expect("valid")));
    }
}

fn replies(criterion: &mut Criterion) {
    let answer = ReserveAnswer { id: 123_456, expires_at_ms: Some(NOW_MS), available: 876_544 };
    let write = || {
        let mut tree = Tree::default();
        answer.write(&mut tree);
        tree.finish().expect("a whole reply")
    };
    let value = write();
    criterion.bench_function("write RESERVED", |bencher| bencher.iter(write));
    criterion.bench_function("read RESERVED", |bencher| {
        bencher.iter_batched(
            || value.clone(),
            |value| -> Outcome<ReserveAnswer> { reply::read(value).expect("what was written reads back") },
            criterion::BatchSize::SmallInput,
        );
    });
}

fn events(criterion: &mut Criterion) {
    let event = event(123_456, "00000000000000001");
    let mut bytes = Vec::new();
    event.encode(&mut bytes);
    criterion.bench_function("encode an event", |bencher| {
        let mut out = Vec::new();
        bencher.iter(|| {
            out.clear();
            black_box(&event).encode(&mut out);
        });
    });
    criterion.bench_function("decode an event", |bencher| {
        bencher.iter(|| assert_eq!(Event::decode(black_box(&bytes)).map(|event| event.seq), Ok(event.seq)));
    });
}

fn messages(criterion: &mut Criterion) {
    let buyers: Vec<String> = (0..RUN_EVENTS).map(|number| format!("{number:017}")).collect();
    let events: Vec<Event> = (2..).zip(&buyers).map(|(seq, buyer)| event(seq, buyer)).collect();
    let skus = ["default".to_owned()];
    let encode = || Message::new("drop", 1, &skus, &events).expect("valid").encode();
    let json = encode();
    criterion.bench_function("encode a message of 256 events", |bencher| bencher.iter(encode));
    criterion.bench_function("decode a message of 256 events", |bencher| {
        bencher.iter(|| assert_eq!(Message::decode(black_box(&json)).expect("valid").events.len(), events.len()));
    });
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = commands, replies, events, messages
}
criterion_main!(benches);
