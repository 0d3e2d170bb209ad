#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| flash_fuzz::head(input));
