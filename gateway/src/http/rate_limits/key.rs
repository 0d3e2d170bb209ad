//! The names that rate limits have in Redis: bounded, and no client's bytes can make one look like another.

use std::net::IpAddr;

use sha2::{Digest, Sha256};

use super::Asker;
use crate::rate_limit::{Part, Policy};

/// Precedes every name, so that no policy can collide with other keys.
const PREFIX: &str = "limit";
/// Beyond it, a part is its digest. So a key is at most 256 bytes, however many parts it has.
const PART_BYTES_MAX: usize = 64;
/// Marks a digest. No plain part contains it, so that no name can equal another one's digest.
const DIGEST: char = '#';
const DIGEST_BYTES: usize = 16;

/// The name of the rate limit that `policy` has for this asker. None, if there is nothing to count by.
pub(super) fn name(policy: &Policy, asker: &Asker, buyer: Option<&str>) -> Option<String> {
    let mut name = format!("{PREFIX}:{}", policy.name);
    for part in &policy.by {
        name.push(':');
        match part {
            Part::Buyer => push(&mut name, buyer?),
            Part::Address => name.push_str(&of_address(asker.address)),
            Part::Sale => push(&mut name, asker.sale),
            Part::Route => name.push_str(asker.route),
        }
    }
    Some(name)
}

fn push(name: &mut String, part: &str) {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if part.len() <= PART_BYTES_MAX && part.bytes().all(plain) {
        return name.push_str(part);
    }
    name.push(DIGEST);
    for byte in &Sha256::digest(part)[..DIGEST_BYTES] {
        name.push_str(&format!("{byte:02x}"));
    }
}

/// All of an IPv4 address; of an IPv6 address the first half, which is what one network is given at least.
fn of_address(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("{:016x}", address.to_bits() >> 64),
    }
}

#[cfg(test)]
mod tests {
    use flash_wire::{ThrottleTerms, WindowTerms};

    use super::*;

    fn check(by: &[Part], buyer: Option<&str>, sale: &str, address: &str, want: Option<&str>) {
        let terms = ThrottleTerms::Strict(WindowTerms { limit: 1, window_ms: 1 });
        let policy = Policy::new("p", terms, by, &[]).unwrap();
        let asker = Asker { sale, route: "reserve", address: address.parse().unwrap() };
        assert_eq!(name(&policy, &asker, buyer).as_deref(), want, "{by:?} {buyer:?} {sale} {address}");
    }

    #[test]
    fn a_name_is_the_policy_s_and_what_it_counts_by_in_one_order() {
        let all = [Part::Route, Part::Sale, Part::Address, Part::Buyer, Part::Buyer];
        check(&[], None, "drop", "192.0.2.1", Some("limit:p"));
        check(&all, Some("ada"), "drop", "192.0.2.1", Some("limit:p:ada:192.0.2.1:drop:reserve"));
        check(&[Part::Buyer], None, "drop", "192.0.2.1", None);
    }

    #[test]
    fn all_addresses_of_an_ipv6_network_are_one() {
        let address = |address, want| check(&[Part::Address], None, "", address, Some(want));
        address("2001:db8:0:1::1", "limit:p:20010db800000001");
        address("2001:db8:0:1:ffff:ffff:ffff:ffff", "limit:p:20010db800000001");
        address("2001:db8:0:2::1", "limit:p:20010db800000002");
        address("::1", "limit:p:0000000000000000");
    }

    #[test]
    fn no_buyer_s_bytes_make_a_name_longer_or_another_s() {
        let buyer = |buyer: &str| {
            let mut name = String::new();
            push(&mut name, buyer);
            assert!(name.len() <= PART_BYTES_MAX && !name.contains([':', ' ', '{', '\r', '\n']), "{name}");
            name
        };
        assert_eq!([buyer("ada.l-1_2").as_str(), &buyer("")], ["ada.l-1_2", ""]);
        assert_eq!(buyer(&"a".repeat(64)), "a".repeat(64));
        let hostile =
            ["a:b", "ada\r\nDEL x", "{tag}", "\u{eb}", "#00", &"a".repeat(65), &"a".repeat(66), &"x:".repeat(999)];
        let names: std::collections::BTreeSet<String> = hostile.into_iter().map(buyer).collect();
        assert_eq!(names.len(), hostile.len(), "{names:?}");
        assert!(names.iter().all(|name| name.len() == 1 + 2 * DIGEST_BYTES && name.starts_with(DIGEST)), "{names:?}");
        assert_ne!(buyer(&buyer("a:b")), buyer("a:b"), "a digest as a name is another one's");
    }
}
