//! The payload of DUMP and RESTORE, as Redis frames it: what is around a value's own bytes.

/// The type byte of a module's value, and the 64-bit number of the module's type.
const HEADER_BYTES: usize = 10;
/// After them, and at the end, before the footer.
const STRING: u8 = 5;
const END: u8 = 0;
/// Two bytes of RDB version and eight of checksum.
const FOOTER_BYTES: usize = 10;
/// CRC-64 of Jones, its bits reflected.
const POLYNOMIAL: u64 = 0x95ac_9329_ac4b_c9b5;

/// What surrounds every value of one type in the dumps of one server.
pub(crate) struct Frame {
    header: Vec<u8>,
    rdb_version: Vec<u8>,
    checksums: [u64; 256],
}

impl Frame {
    /// The frame of a dump.
    pub(crate) fn of(dump: &[u8]) -> Self {
        let version = dump.len() - FOOTER_BYTES;
        let header = dump[..HEADER_BYTES].to_vec();
        let frame = Self { header, rdb_version: dump[version..version + 2].to_vec(), checksums: checksums() };
        assert_eq!(frame.sealed(dump[..version].to_vec()), dump, "the checksum is computed as Redis does");
        frame
    }

    /// The value's own bytes in a dump, if they are not compressed.
    pub(crate) fn value<'a>(&self, dump: &'a [u8]) -> Option<&'a [u8]> {
        let body = dump.strip_prefix(&self.header[..])?.strip_prefix(&[STRING])?;
        let (length, skipped) = match body {
            [short @ 0..0x40, ..] => (usize::from(*short), 1),
            [high @ 0x40..0x80, low, ..] => (usize::from(high & 0x3f) << 8 | usize::from(*low), 2),
            [0x80, a, b, c, d, ..] => (u32::from_be_bytes([*a, *b, *c, *d]) as usize, 5),
            _ => return None,
        };
        body.get(skipped..skipped + length)
    }

    /// A dump of a value of these bytes, not yet [`sealed`](Self::sealed).
    pub(crate) fn around(&self, value: &[u8]) -> Vec<u8> {
        let length = u32::try_from(value.len()).expect("far below 4 GiB").to_be_bytes();
        [&self.header, &[STRING, 0x80][..], &length, value, &[END]].concat()
    }

    /// Where in a dump the value begins: what is before says which type it is.
    pub(crate) fn header_bytes(&self) -> usize {
        self.header.len()
    }

    /// With version and a right checksum, so that Redis takes it for a dump.
    pub(crate) fn sealed(&self, mut dump: Vec<u8>) -> Vec<u8> {
        dump.extend(&self.rdb_version);
        let step = |sum: u64, byte: &u8| self.checksums[usize::from(sum.to_le_bytes()[0] ^ byte)] ^ (sum >> 8);
        let sum = dump.iter().fold(0, step);
        dump.extend(sum.to_le_bytes());
        dump
    }
}

/// The checksum of each byte.
fn checksums() -> [u64; 256] {
    let of_byte =
        |byte: usize| (0..8).fold(byte as u64, |sum, _| if sum & 1 == 1 { sum >> 1 ^ POLYNOMIAL } else { sum >> 1 });
    std::array::from_fn(of_byte)
}
