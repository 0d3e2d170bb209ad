//! How ids and names belong to Redis keys.

use flash_sale::Invalid;

use crate::message::SALE_BYTES_MAX;
use crate::name::is_dot_segment;

/// A sale's Redis key is this and its id. Redis users grant `~flash:*`.
pub const KEY_PREFIX: &str = "flash:";

/// A rate limit's Redis key is this and its name. No sale's id has a colon in it, so none is in the way.
pub const THROTTLE_KEY_PREFIX: &str = "flash:throttle:";

/// The Redis keys by which gateways take turns at looking up what Redis does not have begin with this.
pub const LOOKUP_KEY_PREFIX: &str = "flash:lookup:";

/// The Redis keys by which gateways tell each other what a sale has besides its terms are this and the sale's id.
pub const FACTS_KEY_PREFIX: &str = "flash:facts:";

/// The Redis key of a sale.
#[must_use]
pub fn of_sale(sale: &str) -> String {
    format!("{KEY_PREFIX}{sale}")
}

/// The sale of a Redis key; none, if the key is not one that Flash's programs made.
#[must_use]
pub fn sale_of(key: &[u8]) -> Option<&str> {
    let sale = std::str::from_utf8(key.strip_prefix(KEY_PREFIX.as_bytes())?).ok()?;
    check_sale(sale).ok()
}

/// Checks a sale's id: 1 to [`SALE_BYTES_MAX`] of letters, digits, `.`, `_` and `-`, so that it needs no escaping in a
/// URL, a Redis key or a log. A URL's parser takes `.` and `..` out of a path, so they are none.
///
/// # Errors
/// Names `sale` and the rule.
pub fn check_sale(sale: &str) -> Result<&str, Invalid> {
    check_id("sale", sale)
}

/// Checks any id by the rule of a sale's.
///
/// # Errors
/// Names the field and the rule.
pub fn check_id<'a>(field: &'static str, id: &'a str) -> Result<&'a str, Invalid> {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    if (1..=SALE_BYTES_MAX).contains(&id.len()) && id.bytes().all(plain) && !is_dot_segment(id) {
        return Ok(id);
    }
    Err(Invalid::new(field, format!("must be 1 to {SALE_BYTES_MAX} letters, digits, '.', '_' or '-', and not . or ..")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_a_url() {
        for id in ["drop-1", "A_b.c", "...", ".a", "-", &"a".repeat(SALE_BYTES_MAX)] {
            assert_eq!(check_sale(id), Ok(id));
        }
        for id in [
            "",
            ".",
            "..",
            "%2e",
            "%2e%2E",
            "a b",
            "a/b",
            "a%20b",
            "\u{eb}",
            "a\u{200b}",
            &"a".repeat(SALE_BYTES_MAX + 1),
        ] {
            assert!(check_sale(id).is_err(), "{id}");
        }
    }

    #[test]
    fn a_key_is_the_prefix_and_the_id() {
        assert_eq!(of_sale("drop-1"), "flash:drop-1");
        assert_eq!(sale_of(b"flash:drop-1"), Some("drop-1"));
        for key in [
            &b"drop-1"[..],
            b"flash:",
            b"flash:a b",
            b"flash:\xff",
            b"flash:a/b",
            b"flash:throttle:a",
            b"flash:lookup:7",
        ] {
            assert_eq!(sale_of(key), None, "{key:?}");
        }
    }
}
