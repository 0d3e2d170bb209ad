#![no_main]

use flash_sale::Event;

// Whatever can be read is written again as it was meant.
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    let Ok(event) = Event::decode(input) else { return };
    let mut bytes = Vec::new();
    event.encode(&mut bytes);
    assert_eq!(Event::decode(&bytes), Ok(event));
});
