//! What a reservation carries along. A field that is only carried is named in this file, and in no other of the
//! package.

use crate::bytes::{Malformed, Reader, put_optional_text};
use crate::fingerprint::fingerprint;
use crate::invalid::{name, text};
use crate::limits::{DATA_BYTES_MAX, REQUEST_BYTES_MAX};

/// What came with the request for a reservation. Nothing is decided by it, except whether a request is a repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Details<'a> {
    /// The id of the request: repeated, it gets the same reservation again.
    pub request: Option<&'a str>,
    /// What the buyer sent along. A sale keeps only its fingerprint.
    pub data: Option<&'a str>,
}

/// The most bytes that the kept part takes.
pub(crate) const KEPT_BYTES_MAX: usize = 2 + REQUEST_BYTES_MAX;

impl<'a> Details<'a> {
    /// None of them.
    pub const NONE: Self = Self { request: None, data: None };

    /// What the request of a reservation is compared by, beside its items.
    #[must_use]
    pub fn fingerprint(&self) -> u32 {
        fingerprint(self.data)
    }

    /// Whether a later request can differ from this one by more than its items.
    pub(crate) const fn is_any(&self) -> bool {
        self.request.is_some() || self.data.is_some()
    }

    /// Appends all of it, for an event.
    pub(crate) fn put(&self, out: &mut Vec<u8>) {
        self.put_kept(out);
        put_optional_text(out, self.data);
    }

    /// Reads what [`Details::put`] wrote.
    pub(crate) fn read(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let kept = Self::read_kept(reader)?;
        let data = reader.optional_bytes("data")?.map(|data| text("data", data, DATA_BYTES_MAX)).transpose();
        Ok(Self { data: data.map_err(|_| Malformed::new("data"))?, ..kept })
    }

    /// Appends what a sale keeps, for a record.
    pub(crate) fn put_kept(&self, out: &mut Vec<u8>) {
        put_optional_text(out, self.request);
    }

    /// Reads what [`Details::put_kept`] wrote.
    pub(crate) fn read_kept(reader: &mut Reader<'a>) -> Result<Self, Malformed> {
        let request = reader.optional_bytes("request id")?.map(|id| name("id", id, REQUEST_BYTES_MAX)).transpose();
        Ok(Self { request: request.map_err(|_| Malformed::new("request id"))?, data: None })
    }
}
