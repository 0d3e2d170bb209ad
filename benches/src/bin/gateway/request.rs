//! Requests that are ready before they are sent: only the buyer's number is written into them, and no length changes.

/// Digits of a buyer's number, in hexadecimal.
const DIGITS: usize = 11;
/// The placeholder until a number is written.
const BLANK: [u8; DIGITS] = [b'-'; DIGITS];

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Buyers {
    /// Another one each time.
    New,
    /// So many, one after the other and again from the first.
    Same(u64),
}

/// A request of many buyers.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    /// The place of the buyer's number; none: no buyer is named.
    number_at: Option<usize>,
    buyers: Buyers,
    sent: u64,
    /// The status that each answer must have.
    pub(crate) status: u16,
}

impl Request {
    pub(crate) fn get(path: &str) -> Self {
        let bytes = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes();
        Self { bytes, number_at: None, buyers: Buyers::New, sent: 0, status: 200 }
    }

    /// Asks for a unit of a sale.
    pub(crate) fn reserve(sale: &str, buyers: Buyers, status: u16) -> Self {
        let body = format!("{{\"buyer\":\"buyer-{}\"}}", String::from_utf8_lossy(&BLANK));
        let head = format!(
            "POST /v1/sales/{sale}/reservations HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n",
            body.len()
        );
        let bytes = [head.as_bytes(), body.as_bytes()].concat();
        let number_at = bytes.windows(DIGITS).position(|window| window == BLANK);
        Self { bytes, number_at, buyers, sent: 0, status }
    }

    /// The next one's bytes. A buyer lies anywhere among the others, as ids of people do.
    pub(crate) fn next(&mut self) -> &[u8] {
        let number = match self.buyers {
            Buyers::New => self.sent,
            Buyers::Same(count) => self.sent % count,
        };
        self.sent += 1;
        if let Some(at) = self.number_at {
            let number = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
            let digits = self.bytes[at..at + DIGITS].iter_mut().rev();
            for (place, digit) in digits.enumerate() {
                *digit = b"0123456789abcdef"[usize::try_from(number >> (4 * place) & 15).unwrap_or(0)];
            }
        }
        &self.bytes
    }
}
