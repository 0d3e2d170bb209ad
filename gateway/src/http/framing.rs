//! Where requests begin and end in what a client sends, read more strictly than hyper does.
//!
//! hyper takes a bare LF for the end of a line, as HTTP allows, and more than one way to say how long a body is.
//! A proxy in front of a gateway may read the same bytes differently, and then one of the two sees a request that
//! the other does not. So every line of every head is looked at, also of those that come right after another request;
//! bodies are counted, and not looked at. What breaks a rule is spoiled by a letter that no line may have: hyper
//! refuses it, in its turn, and ends the connection.

use memchr::memchr;

/// So much of a line is looked at. What says how long a body is is no longer.
const LINE_BYTES_KEPT: usize = 64;
/// No line of HTTP may have it.
const SPOILT: u8 = 0;

/// Where a client's bytes have come to.
#[derive(Debug)]
pub(super) struct Framing {
    at: At,
    /// The beginning of the line whose end has not come yet …
    begun: Vec<u8>,
    /// … and the last of what has come of it.
    last: u8,
    head: Head,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Line(LineKind),
    /// So many bytes of a body follow, and after them such a line.
    Body(u64, LineKind),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineKind {
    Head,
    ChunkSize,
    Trailer,
}

/// What is known of the head that is being read.
#[derive(Debug, Default)]
struct Head {
    has_request_line: bool,
    length: Option<u64>,
    is_chunked: bool,
}

/// A line that breaks a rule.
#[derive(Debug, PartialEq, Eq)]
struct BadLine;

impl Framing {
    /// Nothing has come yet.
    pub(super) fn new() -> Self {
        Self { at: At::Line(LineKind::Head), begun: Vec::new(), last: 0, head: Head::default() }
    }

    /// Whether a head has begun to come, and its end has not.
    pub(super) const fn is_within_head(&self) -> bool {
        matches!(self.at, At::Line(LineKind::Head)) && (self.head.has_request_line || !self.begun.is_empty())
    }

    /// Looks at what has come, and spoils what breaks a rule.
    pub(super) fn look(&mut self, mut bytes: &mut [u8]) {
        while !bytes.is_empty() {
            let passed = match self.at {
                At::Line(line) => self.pass_line(line, bytes),
                At::Body(left, next) => {
                    let passed = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                    let left = left - passed as u64;
                    self.at = if left == 0 { At::Line(next) } else { At::Body(left, next) };
                    passed
                }
            };
            bytes = &mut bytes[passed..];
        }
    }

    /// Passes one line, or as much of it as there is.
    fn pass_line(&mut self, line: LineKind, bytes: &mut [u8]) -> usize {
        let room = LINE_BYTES_KEPT - self.begun.len();
        let Some(end) = memchr(b'\n', bytes) else {
            self.begun.extend_from_slice(&bytes[..bytes.len().min(room)]);
            self.last = bytes[bytes.len() - 1];
            return bytes.len();
        };
        let last = end.checked_sub(1).map_or(self.last, |last| bytes[last]);
        let next = if last != b'\r' {
            Err(BadLine)
        } else if self.begun.is_empty() {
            self.head.end_line(line, &bytes[..end.min(room)])
        } else {
            self.begun.extend_from_slice(&bytes[..end.min(room)]);
            self.head.end_line(line, &self.begun)
        };
        self.at = next.unwrap_or_else(|BadLine| {
            bytes[end] = SPOILT;
            // Nothing behind it is read by anyone.
            At::Body(u64::MAX, LineKind::Head)
        });
        self.begun.clear();
        self.last = 0;
        end + 1
    }
}

impl Head {
    /// What comes after a line, of which this is all, or as much as is checked.
    fn end_line(&mut self, line: LineKind, text: &[u8]) -> Result<At, BadLine> {
        let is_empty = text == b"\r";
        match line {
            LineKind::Head if is_empty && self.has_request_line => std::mem::take(self).end(),
            // Before a request empty lines are passed over.
            LineKind::Head if is_empty => Ok(At::Line(LineKind::Head)),
            LineKind::Head if !self.has_request_line => {
                self.has_request_line = true;
                Ok(At::Line(LineKind::Head))
            }
            LineKind::Head => self.field(text).map(|()| At::Line(LineKind::Head)),
            LineKind::ChunkSize => match chunk_size(text)? {
                0 => Ok(At::Line(LineKind::Trailer)),
                // hyper itself demands CR LF after them.
                size => Ok(At::Body(size.checked_add(2).ok_or(BadLine)?, LineKind::ChunkSize)),
            },
            LineKind::Trailer if is_empty => Ok(At::Line(LineKind::Head)),
            LineKind::Trailer => Ok(At::Line(LineKind::Trailer)),
        }
    }

    /// Remembers what says how long the body is. It must be said once.
    fn field(&mut self, text: &[u8]) -> Result<(), BadLine> {
        let Some(colon) = memchr(b':', text) else { return Ok(()) };
        let (name, value) = (&text[..colon], &text[colon + 1..]);
        let is_first = if name.eq_ignore_ascii_case(b"content-length") {
            let length = number(whole(value)?, 10).ok_or(BadLine)?;
            self.length.replace(length).is_none()
        } else if name.eq_ignore_ascii_case(b"transfer-encoding") {
            let was_chunked = std::mem::replace(&mut self.is_chunked, true);
            !was_chunked && whole(value)?.eq_ignore_ascii_case(b"chunked")
        } else {
            true
        };
        if is_first { Ok(()) } else { Err(BadLine) }
    }

    /// What comes after a complete head.
    const fn end(self) -> Result<At, BadLine> {
        match (self.length, self.is_chunked) {
            (Some(_), true) => Err(BadLine),
            (None, true) => Ok(At::Line(LineKind::ChunkSize)),
            (None | Some(0), false) => Ok(At::Line(LineKind::Head)),
            (Some(length), false) => Ok(At::Body(length, LineKind::Head)),
        }
    }
}

/// The size of a chunk; an extension may follow it.
fn chunk_size(text: &[u8]) -> Result<u64, BadLine> {
    let digits = match memchr(b';', text) {
        Some(end) => text[..end].trim_ascii(),
        None => whole(text)?,
    };
    number(digits, 16).ok_or(BadLine)
}

/// The rest of a line, if all of it was kept.
fn whole(text: &[u8]) -> Result<&[u8], BadLine> {
    text.strip_suffix(b"\r").map(<[u8]>::trim_ascii).ok_or(BadLine)
}

/// Digits, and nothing else.
fn number(digits: &[u8], radix: u32) -> Option<u64> {
    let is_digit = |byte: &u8| char::from(*byte).is_digit(radix);
    if !digits.iter().all(is_digit) {
        return None;
    }
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, radix).ok()
}

#[cfg(test)]
mod tests;
