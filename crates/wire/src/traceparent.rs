//! `traceparent` of W3C Trace Context: which trace a request belongs to.

use std::fmt;

/// Bytes of version 00: the version, the trace's id, the caller's id, the flags, with a dash between.
const BYTES: usize = 55;

/// A `traceparent` that keeps the rules. It is copied as it came.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct TraceParent([u8; BYTES]);

impl TraceParent {
    /// Reads a header's value. What breaks a rule is no `traceparent`, and is to be ignored: it says nothing about the
    /// rest of the request.
    #[must_use]
    pub fn parse(value: &[u8]) -> Option<Self> {
        let (known, rest) = value.split_first_chunk::<BYTES>()?;
        let part = |from: usize, to: usize| known.get(from..to).filter(|part| part.iter().all(is_hex));
        let (version, trace, caller) = (part(0, 2)?, part(3, 35)?, part(36, 52)?);
        part(53, 55)?;
        let dashes = [2, 35, 52].iter().all(|at| known[*at] == b'-');
        let is_zero = |part: &[u8]| part.iter().all(|digit| *digit == b'0');
        // What follows belongs to later versions; in this one nothing may follow.
        let ends = rest.is_empty() || (version != b"00" && rest[0] == b'-');
        (dashes && ends && version != b"ff" && !is_zero(trace) && !is_zero(caller)).then_some(Self(*known))
    }

    /// The whole of it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        // Digits and dashes, as parsed.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The trace's id.
    #[must_use]
    pub fn trace_id(&self) -> &str {
        self.as_str().get(3..35).unwrap_or_default()
    }
}

const fn is_hex(digit: &u8) -> bool {
    matches!(digit, b'0'..=b'9' | b'a'..=b'f')
}

impl fmt::Debug for TraceParent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &str, want: Option<&str>) {
        let got = TraceParent::parse(value.as_bytes());
        assert_eq!(got.as_ref().map(TraceParent::trace_id), want, "{value}");
    }

    #[test]
    fn what_keeps_the_rules_is_read_and_nothing_else() {
        const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        check(&format!("00-{TRACE}-00f067aa0ba902b7-01"), Some(TRACE));
        check(&format!("00-{TRACE}-00f067aa0ba902b7-00"), Some(TRACE));
        check(&format!("cc-{TRACE}-00f067aa0ba902b7-01-what-comes"), Some(TRACE));
        check(&format!("cc-{TRACE}-00f067aa0ba902b7-01"), Some(TRACE));
        for bad in [
            String::new(),
            format!("00-{TRACE}-00f067aa0ba902b7-01-more"),
            format!("cc-{TRACE}-00f067aa0ba902b7-01more"),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{:032}-00f067aa0ba902b7-01", 0),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-00f067aa0ba902b7-0"),
            format!("00-{TRACE}_00f067aa0ba902b7-01"),
            format!(" 00-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-00f067aa0ba902bg-01"),
            "é".repeat(28),
        ] {
            check(&bad, None);
        }
    }
}
