//! What a request was about, in 32 bits: kept beside the id of the request, so that the same id with another wish is
//! told from a repeat.

use siphasher::sip::SipHasher13;

/// The fingerprint of what a buyer sent along. Items are not part of it: a reservation has them whole.
///
/// It is the same on every machine and for ever, so its key is no secret. Who finds two texts of one fingerprint has
/// fooled only the sender: it is only compared with what the same buyer sent under the same id.
#[must_use]
pub fn fingerprint(data: Option<&str>) -> u32 {
    let hash = SipHasher13::new_with_keys(0, 0).hash(data.unwrap_or_default().as_bytes());
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::fingerprint;

    /// They lie in snapshots and AOFs: another release must make the same ones.
    #[test]
    fn a_fingerprint_is_for_ever() {
        for (data, want) in
            [(None, 3_522_930_530), (Some("{\"size\":42}"), 1_731_926_440), (Some("{\"size\":43}"), 2_371_556_938)]
        {
            assert_eq!(fingerprint(data), want, "{data:?}");
        }
    }
}
