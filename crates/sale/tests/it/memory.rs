//! A sale's pieces of memory: nothing for what is only said, and they can be moved while it sells.

use flash_sale::{Command, HashKey, Items, Mover, Reserve, Sale, Terms};
use flash_sale::{Details, limits::TOTAL_UNITS_MAX};
use proptest::prelude::*;

const KEY: HashKey = HashKey([1, 2]);
const NOW_MS: u64 = 1_000_000;

fn sale(terms: Terms) -> Sale {
    Sale::new(&Sale::warmed(terms, 1, 0, 0), KEY).expect("a warmed event makes a sale")
}

/// Copies every piece, as the allocator's own way to move them does.
#[derive(Default)]
struct Copies {
    pieces: usize,
    bytes: usize,
}

impl Mover for Copies {
    fn moved<T>(&mut self, piece: Vec<T>) -> Vec<T> {
        let mut copy = Vec::with_capacity(piece.capacity());
        self.pieces += 1;
        self.bytes += piece.capacity() * size_of::<T>();
        copy.extend(piece);
        copy
    }
}

fn step(sale: &mut Sale, kind: u8, number: u64) {
    let buyer = format!("buyer-{number}");
    let command = match kind {
        0..=5 => {
            let items = Items::one(0, 1).expect("a quantity");
            Command::Reserve(Reserve {
                buyer: &buyer,
                items,
                details: Details { data: Some("{}"), ..Details::NONE },
                is_new: false,
            })
        }
        6 => Command::Confirm { id: number },
        7 => Command::Release { id: number },
        _ => return sale.ack(1, number.min(sale.seq())).expect("a seq that was made"),
    };
    if let Ok(event) = sale.decide(&command, NOW_MS) {
        sale.apply(&event);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// Wherever a pass is interrupted, and whatever happens before it goes on.
    #[test]
    fn a_sale_whose_pieces_were_moved_is_the_same_sale(
        hold_ms in prop::option::of(Just(1_000)),
        bursts in prop::collection::vec((0..9u8, 0..1_500u64, 1..400u64, 0..4usize), 1..40),
    ) {
        let terms = Terms { hold_ms, limit: 9, journal_events_max: Some(1_000_000), ..Terms::simple(30_000) };
        let (mut moved, mut left_alone) = (sale(terms.clone()), sale(terms));
        let (mut mover, mut cursor) = (Copies::default(), 0);
        for (kind, first, count, passes) in bursts {
            for number in first..first + count {
                step(&mut moved, kind, number);
                step(&mut left_alone, kind, number);
            }
            for _ in 0..passes {
                cursor = moved.defrag(cursor, &mut mover).unwrap_or(0);
            }
            prop_assert_eq!(moved.save(), left_alone.save());
            prop_assert_eq!(moved.memory_bytes(), left_alone.memory_bytes());
        }
    }
}

#[test]
fn a_pass_moves_nearly_everything_in_small_steps() {
    let mut sale = sale(Terms { journal_events_max: Some(1_000_000), ..Terms::simple(100_000) });
    (0..100_000).for_each(|number| step(&mut sale, 0, number));
    let (mut all, mut cursor) = (Copies::default(), Some(0));
    while let Some(from) = cursor {
        let mut mover = Copies::default();
        cursor = sale.defrag(from, &mut mover);
        assert!(mover.pieces <= 65, "{} pieces in a step", mover.pieces);
        all.pieces += mover.pieces;
        all.bytes += mover.bytes;
    }
    assert!(all.bytes * 100 > sale.memory_bytes() * 90, "{} of {} bytes", all.bytes, sale.memory_bytes());
    assert_eq!(all.pieces, sale.allocations());
}

#[test]
fn units_that_are_only_said_take_no_memory() {
    let mut terms = Terms::simple(TOTAL_UNITS_MAX);
    terms.hold_ms = Some(1);
    let sale = sale(terms);
    assert!(sale.memory_bytes() < 1_000, "{} bytes", sale.memory_bytes());
    let loaded = Sale::load(&sale.save(), KEY).expect("what was saved loads");
    assert!(loaded.memory_bytes() < 1_000, "{} bytes", loaded.memory_bytes());
}
