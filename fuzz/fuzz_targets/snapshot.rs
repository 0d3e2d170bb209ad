#![no_main]

use flash_sale::{HashKey, Sale};

// Whatever can be loaded is saved, and loads again as the same.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let key = || HashKey([7, 7]);
    let Ok(sale) = Sale::load(input, key()) else { return };
    let saved = sale.save();
    let again = Sale::load(&saved, key()).expect("what was saved loads");
    assert_eq!(again.save(), saved);
});
