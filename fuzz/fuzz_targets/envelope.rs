#![no_main]

use flash_wire::Envelope;

// Whatever a broker brings is a message, a barrier, or refused by its rule.
libfuzzer_sys::fuzz_target!(|input: &[u8]| match Envelope::decode(input) {
    Ok(Envelope::Events(message)) => {
        let bytes = message.encode();
        assert!(matches!(Envelope::decode(&bytes), Ok(Envelope::Events(again)) if again == message));
    }
    Ok(Envelope::Barrier(barrier)) => assert!(Envelope::decode(&barrier.encode()).is_ok()),
    Err(bad) => assert!(bad.to_string().len() < 4_096),
});
