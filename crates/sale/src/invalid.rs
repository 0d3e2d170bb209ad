//! Bad input: what was wrong, by the field's name and its limit.

use std::fmt;

/// Input that cannot be taken. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// The field, as the user knows it: `buyer`, `quantity`, `HOLD`.
    pub field: &'static str,
    /// What the field must be, with its limit: `must be 1 to 128 bytes`.
    pub rule: String,
}

impl Invalid {
    /// An error for `field`, which broke `rule`.
    pub fn new(field: &'static str, rule: impl Into<String>) -> Self {
        Self { field, rule: rule.into() }
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.field, self.rule)
    }
}

impl std::error::Error for Invalid {}

/// Checks that `value` lies within `min..=max`.
///
/// # Errors
/// Names the field and both bounds.
pub fn in_range(field: &'static str, value: u64, min: u64, max: u64) -> Result<u64, Invalid> {
    if (min..=max).contains(&value) {
        return Ok(value);
    }
    Err(Invalid::new(field, format!("must be {min} to {max}")))
}

/// Checks a name that people and PostgreSQL must be able to read: 1 to `bytes_max` bytes of UTF-8 without control
/// characters (PostgreSQL's text cannot hold NUL, and logs should not hold the others).
///
/// # Errors
/// Names the field and the rule that it broke.
pub fn name<'a>(field: &'static str, bytes: &'a [u8], bytes_max: usize) -> Result<&'a str, Invalid> {
    if bytes.is_empty() || bytes.len() > bytes_max {
        return Err(Invalid::new(field, format!("must be 1 to {bytes_max} bytes")));
    }
    let text = utf8(field, bytes)?;
    if has_control_characters(text) {
        return Err(Invalid::new(field, "must not contain control characters"));
    }
    Ok(text)
}

/// Nearly every name is ASCII, which needs no decoding.
fn has_control_characters(text: &str) -> bool {
    if text.is_ascii() {
        return text.bytes().any(|byte| byte.is_ascii_control());
    }
    text.chars().any(char::is_control)
}

/// Checks free text: at most `bytes_max` bytes of UTF-8.
///
/// # Errors
/// Names the field and the rule that it broke.
pub fn text<'a>(field: &'static str, bytes: &'a [u8], bytes_max: usize) -> Result<&'a str, Invalid> {
    if bytes.len() > bytes_max {
        return Err(Invalid::new(field, format!("must be at most {bytes_max} bytes")));
    }
    utf8(field, bytes)
}

fn utf8<'a>(field: &'static str, bytes: &'a [u8]) -> Result<&'a str, Invalid> {
    std::str::from_utf8(bytes).map_err(|_| Invalid::new(field, "must be UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(bytes: &[u8], want: Result<&str, &str>) {
        let got = name("buyer", bytes, 8).map_err(|error| error.to_string());
        assert_eq!(got, want.map_err(str::to_owned), "{bytes:?}");
    }

    #[test]
    fn a_name_is_short_readable_utf8() {
        check(b"ada", Ok("ada"));
        check("Zo\u{eb} 8".as_bytes(), Ok("Zo\u{eb} 8"));
        check(b"12345678", Ok("12345678"));
        check(b"", Err("buyer must be 1 to 8 bytes"));
        check(b"123456789", Err("buyer must be 1 to 8 bytes"));
        check(b"\xff\xfe", Err("buyer must be UTF-8"));
        check(b"a\0b", Err("buyer must not contain control characters"));
        check("a\u{85}b".as_bytes(), Err("buyer must not contain control characters"));
    }

    #[test]
    fn text_may_be_empty_and_hold_anything_that_is_utf8() {
        assert_eq!(text("data", b"", 4), Ok(""));
        assert_eq!(text("data", b"a\0\n", 4), Ok("a\0\n"));
        assert!(text("data", b"12345", 4).is_err());
        assert!(text("data", b"\xff", 4).is_err());
    }
}
