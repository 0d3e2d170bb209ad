//! The parts of a path. A path that cannot be a sale's leads to none: that is a 404.

use flash_wire::key::check_sale;
use flash_wire::limits::BUYER_BYTES_MAX;
use flash_wire::{Invalid, Name};

use super::problem::{Kind, Problem};

/// The sale's id.
pub(crate) fn sale(part: &str) -> Result<&str, Problem> {
    check_sale(part).map_err(|invalid| Problem::new(Kind::UnknownSale, invalid.to_string()))
}

/// A buyer's name, percent-encoded where it is not plain.
pub(crate) fn buyer(part: &str) -> Result<String, Problem> {
    let unknown = |invalid: Invalid| Problem::new(Kind::UnknownBuyer, invalid.to_string());
    let bytes = decoded(part).ok_or_else(|| unknown(Invalid::new("buyer", "must be percent-encoded rightly")))?;
    let text = String::from_utf8(bytes).map_err(|_| unknown(Invalid::new("buyer", "must be UTF-8")))?;
    Name::new("buyer", text, BUYER_BYTES_MAX).map(|name| name.into_inner().into_owned()).map_err(unknown)
}

/// A name as it may stand in a path.
pub(crate) fn encoded(name: &str) -> String {
    let mut part = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'-' | b'.' | b'_' | b'~' => part.push(byte.into()),
            byte if byte.is_ascii_alphanumeric() => part.push(byte.into()),
            byte => part.push_str(&format!("%{byte:02X}")),
        }
    }
    part
}

fn decoded(part: &str) -> Option<Vec<u8>> {
    let mut parts = part.split('%');
    let mut bytes = parts.next()?.as_bytes().to_vec();
    for escaped in parts {
        let (digits, rest) = escaped.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?);
        bytes.extend_from_slice(rest.as_bytes());
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buyer_s_name_may_be_any_and_is_the_same_on_its_way_back() {
        for name in ["ada", "auth0|ada@b.c", "Zo\u{eb}", "50% off?/#", "a.b-c_d~e"] {
            assert_eq!(buyer(&encoded(name)), Ok(name.to_owned()), "{}", encoded(name));
        }
        assert_eq!(encoded("a b/\u{eb}"), "a%20b%2F%C3%AB");
        for part in ["%", "a%2", "%zz", "%+1", "%ff", "%00", "", &"a".repeat(129)] {
            assert_eq!(buyer(part).unwrap_err().kind, Kind::UnknownBuyer, "{part}");
        }
    }

    #[test]
    fn a_path_that_cannot_be_a_sale_s_leads_to_none() {
        assert_eq!(sale("drop-1"), Ok("drop-1"));
        for part in ["", "a%20b", "\u{eb}", &"a".repeat(65)] {
            assert_eq!(sale(part).unwrap_err().kind, Kind::UnknownSale, "{part}");
        }
    }
}
