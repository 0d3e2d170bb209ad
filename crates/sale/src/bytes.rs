//! The alphabet of the compact form: unsigned LEB128 integers and length-prefixed text. Nothing read here is trusted:
//! a length is checked against what is left before anything is taken or allocated.

use std::fmt;

/// Bytes that do not say what they should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// What could not be read.
    pub what: &'static str,
}

impl Malformed {
    /// An error about `what`.
    #[must_use]
    pub const fn new(what: &'static str) -> Self {
        Self { what }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed {}", self.what)
    }
}

impl std::error::Error for Malformed {}

/// Appends an integer: seven bits a byte, the lowest first, the top bit says that more follow.
pub fn put_int(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(low_seven_bits(value) | 0x80);
        value >>= 7;
    }
    out.push(low_seven_bits(value));
}

const fn low_seven_bits(value: u64) -> u8 {
    (value & 0x7f) as u8
}

/// Appends a length and the bytes.
pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_int(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Appends an integer that may be missing and is never 0: 0 means none.
pub(crate) fn put_optional_int(out: &mut Vec<u8>, value: Option<u64>) {
    put_int(out, value.unwrap_or(0));
}

/// Appends text that may be missing: its length plus one, where 0 means none.
pub(crate) fn put_optional_text(out: &mut Vec<u8>, text: Option<&str>) {
    let Some(text) = text else {
        return out.push(0);
    };
    put_int(out, text.len() as u64 + 1);
    out.extend_from_slice(text.as_bytes());
}

/// Reads the compact form from the front.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    left: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Begins at the front of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { left: bytes }
    }

    /// What has not been read yet.
    pub(crate) const fn left(&self) -> &'a [u8] {
        self.left
    }

    /// One byte.
    ///
    /// # Errors
    /// Names `what` when there is none.
    pub fn byte(&mut self, what: &'static str) -> Result<u8, Malformed> {
        let (&first, rest) = self.left.split_first().ok_or(Malformed::new(what))?;
        self.left = rest;
        Ok(first)
    }

    /// So many bytes as they are.
    pub(crate) fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Malformed> {
        let (&array, rest) = self.left.split_first_chunk().ok_or(Malformed::new(what))?;
        self.left = rest;
        Ok(array)
    }

    /// An integer in its one encoding, the shortest: bounds on how long things may be rest on that.
    ///
    /// # Errors
    /// Names `what` when there is none, or it is longer than it need be.
    pub fn int(&mut self, what: &'static str) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte(what)?;
            let bits = u64::from(byte & 0x7f);
            let is_too_long = shift > 0 && byte == 0;
            if is_too_long || (bits << shift) >> shift != bits {
                return Err(Malformed::new(what));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Malformed::new(what))
    }

    /// An integer within `min..=max`.
    ///
    /// # Errors
    /// Names `what` when there is none, or it is out of its bounds.
    pub fn int_within(&mut self, what: &'static str, min: u64, max: u64) -> Result<u64, Malformed> {
        let value = self.int(what)?;
        if (min..=max).contains(&value) {
            return Ok(value);
        }
        Err(Malformed::new(what))
    }

    /// A count of things that take at least one byte each, so that no count can ask for more memory than its own
    /// bytes are worth.
    pub(crate) fn count(&mut self, what: &'static str, max: usize) -> Result<usize, Malformed> {
        let count = self.int(what)?;
        match usize::try_from(count) {
            Ok(count) if count <= max && count <= self.left.len() => Ok(count),
            _ => Err(Malformed::new(what)),
        }
    }

    pub(crate) fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], Malformed> {
        let length = self.int(what)?;
        self.take(length, what)
    }

    pub(crate) fn optional_int(&mut self, what: &'static str, max: u64) -> Result<Option<u64>, Malformed> {
        let value = self.int_within(what, 0, max)?;
        Ok((value > 0).then_some(value))
    }

    pub(crate) fn optional_bytes(&mut self, what: &'static str) -> Result<Option<&'a [u8]>, Malformed> {
        match self.int(what)? {
            0 => Ok(None),
            length => self.take(length - 1, what).map(Some),
        }
    }

    /// Passes over bytes that were read otherwise.
    pub(crate) fn skip(&mut self, length: usize, what: &'static str) -> Result<(), Malformed> {
        self.take(length as u64, what).map(|_| ())
    }

    /// Refuses bytes after the end.
    ///
    /// # Errors
    /// Names `what` when there are some.
    pub fn end(self, what: &'static str) -> Result<(), Malformed> {
        if self.left.is_empty() {
            return Ok(());
        }
        Err(Malformed::new(what))
    }

    fn take(&mut self, length: u64, what: &'static str) -> Result<&'a [u8], Malformed> {
        let taken = usize::try_from(length).ok().and_then(|length| self.left.split_at_checked(length));
        let (taken, rest) = taken.ok_or(Malformed::new(what))?;
        self.left = rest;
        Ok(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_int(value: u64, bytes: &[u8]) {
        let mut out = Vec::new();
        put_int(&mut out, value);
        assert_eq!(out, bytes);
        assert_eq!(Reader::new(bytes).int("int"), Ok(value));
    }

    #[test]
    fn integers_read_back() {
        check_int(0, &[0]);
        check_int(127, &[127]);
        check_int(128, &[0x80, 1]);
        check_int(u64::MAX, &[255, 255, 255, 255, 255, 255, 255, 255, 255, 1]);
    }

    fn check_refused(bytes: &[u8], read: impl Fn(&mut Reader) -> bool) {
        assert!(!read(&mut Reader::new(bytes)), "{bytes:?} was taken");
    }

    #[test]
    fn no_length_is_believed() {
        check_refused(&[], |reader| reader.int("int").is_ok());
        check_refused(&[0x80], |reader| reader.int("int").is_ok());
        check_refused(&[0x80, 0], |reader| reader.int("int").is_ok());
        check_refused(&[0x81, 0x80, 0], |reader| reader.int("int").is_ok());
        check_refused(&[255; 11], |reader| reader.int("int").is_ok());
        check_refused(&[255, 255, 255, 255, 255, 255, 255, 255, 255, 2], |reader| reader.int("int").is_ok());
        check_refused(&[3, 1, 2], |reader| reader.bytes("bytes").is_ok());
        check_refused(&[4, 1, 2], |reader| reader.optional_bytes("bytes").is_ok());
        check_refused(&[9, 1, 2], |reader| reader.count("count", 100).is_ok());
        check_refused(&[2, 1, 2], |reader| reader.count("count", 1).is_ok());
    }
}
