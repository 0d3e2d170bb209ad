//! Snapshots, byte by byte.

use flash_sale::{HashKey, Malformed, SNAPSHOT_VERSION, Sale};

const KEY: HashKey = HashKey([1, 2]);

#[test]
fn a_snapshot_of_the_first_version_still_loads() {
    // Version, epoch, seq, clock; one SKU "a" of 9; limit 2, no pay window, no window, no journal.
    let mut bytes = vec![1, 1, 3, 1, 1, 1, b'a', 9, 2, 0, 0, 0, 0];
    // Two reservations of a unit each, slots 0 and 1 of the buyer "b"; none has ended.
    bytes.extend([2, 2, 1, 0, 1, b'b', 0, 1, 0, 1, 0, 1, 1, 1, 1, b'b', 0, 1, 0, 1, 0, 0]);
    let sale = Sale::load(&bytes, KEY).expect("it is whole");
    assert_eq!((sale.available(), sale.is_closed(), sale.reservations_of("b").count()), (7, false, 2));
    let saved = sale.save();
    assert_eq!(saved[0], SNAPSHOT_VERSION);
    assert_eq!(Sale::load(&saved, KEY).map(|sale| sale.save()), Ok(saved));
    bytes[0] = SNAPSHOT_VERSION + 1;
    let error = Sale::load(&bytes, KEY).unwrap_err().to_string();
    assert_eq!(error, "malformed sale: its version is not 1 to 4, written by another release");
}

/// A page says in two bytes where a record begins, and the longest records just fit. Numbers that are longer than they
/// need to be would not.
#[test]
fn a_snapshot_with_overlong_numbers_is_refused() {
    fn put(out: &mut Vec<u8>, value: u8, zeros: usize) {
        out.push(if zeros > 0 { value | 0x80 } else { value });
        (1..=zeros).for_each(|at| out.push(if at < zeros { 0x80 } else { 0 }));
    }
    let check = |zeros: usize, want: Result<(), Malformed>| {
        // Version, epoch, seq, clock; never stepped back, no term, nothing forgotten, no key; the terms; not closed,
        // and the totals; 64 reservations of every SKU; none has ended, and there is no journal.
        let mut bytes = vec![SNAPSHOT_VERSION, 1, 65, 1, 0, 0, 0, 0];
        bytes.push(64);
        (0..64u8).for_each(|sku| bytes.extend([1, b'0' + sku, 100]));
        bytes.extend([100, 0, 0, 0, 0]);
        bytes.push(0);
        bytes.extend([100; 64]);
        bytes.push(64);
        for buyer in 0..64u8 {
            // The distance from the id before, confirmed, slot 0, the buyer, no expiry, the items, no request.
            bytes.extend([1, 1, 0]);
            put(&mut bytes, 100, zeros);
            bytes.extend([b'0' + buyer; 100]);
            put(&mut bytes, 0, zeros);
            put(&mut bytes, 64, zeros);
            for sku in 0..64 {
                put(&mut bytes, sku, zeros);
                put(&mut bytes, 1, zeros);
            }
            put(&mut bytes, 0, zeros);
        }
        bytes.push(0);
        assert_eq!(Sale::load(&bytes, KEY).map(|_| ()), want);
    };
    check(0, Ok(()));
    check(9, Err(Malformed { what: "buyer" }));
}
