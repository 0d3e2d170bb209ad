//! Public ids of reservations: the number, followed by what only a gateway can make of it.
//!
//! `2-6f1c…`: an HMAC, by a secret that all gateways share, over the sale, the number and the buyer who proved to be
//! one. So no client can guess another reservation's id, and a stranger who knows it has no use for it: to find out
//! takes no look-up. Where no buyer has to prove anything, the id is all there is to know.

use std::fmt;

use flash_wire::limits::SEQ_MAX;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Serialize, Serializer};
use sha2::Sha256;

use crate::limits::ID_SECRET_BYTES_MIN;

/// How much of the HMAC an id has: 128 bits.
const MAC_BYTES: usize = 16;
/// The same in hexadecimal digits.
const MAC_DIGITS: usize = 2 * MAC_BYTES;
/// Decimal digits of the number in front of it.
const SEQ_DIGITS_MAX: usize = 20;
/// Whatever else the secret may be used for one day does not make ids.
const PURPOSE: &[u8] = b"reservation\0";

/// What ids of reservations are made with. Every gateway of a Redis has the same.
#[derive(Clone)]
pub struct IdSecrets {
    /// Makes ids, and knows them again: at least [`ID_SECRET_BYTES_MIN`](crate::limits::ID_SECRET_BYTES_MIN) bytes.
    pub makes: String,
    /// Knows ids that it made: the next secret, or the last one, while the gateways go over from one to the other.
    pub also: Option<String>,
}

/// Makes ids, and knows those that were made.
#[derive(Clone)]
pub(crate) struct Ids {
    makes: Hmac<Sha256>,
    /// Made by gateways that have another secret already, or still.
    also: Option<Hmac<Sha256>>,
    names_buyer: bool,
}

/// A secret has fewer than [`ID_SECRET_BYTES_MIN`] bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the id secret must have at least {ID_SECRET_BYTES_MIN} bytes; `openssl rand -hex 32` makes one")]
pub struct ShortSecret;

/// An id of a reservation, as buyers see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PublicId {
    seq: u64,
    mac: u128,
}

/// An id as a client gave it: unverified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct GivenId {
    pub(crate) seq: u64,
    /// None: it is the number alone. A caller that may act for any buyer may send it so.
    pub(crate) mac: Option<[u8; MAC_BYTES]>,
}

impl Ids {
    /// Ids that are of use to their buyer only, if `names_buyer`.
    ///
    /// # Errors
    /// When a secret is too short.
    pub(crate) fn new(secrets: &IdSecrets, names_buyer: bool) -> Result<Self, ShortSecret> {
        let also = secrets.also.as_deref().map(hmac).transpose()?;
        Ok(Self { makes: hmac(&secrets.makes)?, also, names_buyer })
    }

    /// The id of a reservation. (Without authentication it is the same for every buyer.)
    pub(crate) fn of(&self, sale: &str, seq: u64, buyer: &str) -> PublicId {
        let whole = self.over(&self.makes, sale, seq, buyer).finalize().into_bytes();
        let mac = whole.first_chunk().map_or(0, |mac| u128::from_be_bytes(*mac));
        PublicId { seq, mac }
    }

    /// Whether this id was made for this sale and this buyer. A number alone was made for no buyer.
    pub(crate) fn made(&self, sale: &str, id: GivenId, buyer: &str) -> bool {
        let Some(mac) = id.mac else { return false };
        // In constant time: how long it takes does not say how much of it was right.
        let by = |hmac| self.over(hmac, sale, id.seq, buyer).verify_truncated_left(&mac).is_ok();
        by(&self.makes) || self.also.as_ref().is_some_and(by)
    }

    fn over(&self, hmac: &Hmac<Sha256>, sale: &str, seq: u64, buyer: &str) -> Hmac<Sha256> {
        let mut hmac = hmac.clone();
        hmac.update(PURPOSE);
        hmac.update(&seq.to_be_bytes());
        hmac.update(sale.as_bytes());
        // No sale has it in its name: so where the sale ends and the buyer begins is never in doubt.
        hmac.update(b"\0");
        if self.names_buyer {
            hmac.update(buyer.as_bytes());
        }
        hmac
    }
}

impl GivenId {
    /// Reads an id. It has one spelling: what is spelled in another way is none.
    pub(crate) fn read(id: &str) -> Option<Self> {
        let Some((seq, mac)) = id.split_once('-') else { return Some(Self { seq: number(id)?, mac: None }) };
        Some(Self { seq: number(seq)?, mac: Some(digits(mac)?) })
    }
}

fn number(seq: &str) -> Option<u64> {
    let is_plain = !seq.starts_with('0') && seq.bytes().all(|byte| byte.is_ascii_digit());
    seq.parse().ok().filter(|seq| is_plain && (1..=SEQ_MAX).contains(seq))
}

fn digits(mac: &str) -> Option<[u8; MAC_BYTES]> {
    let is_plain = mac.len() == MAC_DIGITS && mac.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let mac = is_plain.then(|| u128::from_str_radix(mac, 16).ok()).flatten()?;
    Some(mac.to_be_bytes())
}

fn hmac(secret: &str) -> Result<Hmac<Sha256>, ShortSecret> {
    if secret.len() < ID_SECRET_BYTES_MIN {
        return Err(ShortSecret);
    }
    // Of any length: what is too long for a key is hashed.
    Hmac::new_from_slice(secret.as_bytes()).map_err(|_| ShortSecret)
}

impl PublicId {
    /// Calls `with` with the id as text. (Every answer to a buyer has it twice, and what formats any number formats
    /// these at five times the cost.)
    fn text<T>(self, with: impl FnOnce(&str) -> T) -> T {
        let mut text = [b'0'; SEQ_DIGITS_MAX + 1 + MAC_DIGITS];
        let (seq, mac) = text.split_at_mut(SEQ_DIGITS_MAX + 1);
        for (digits, byte) in mac.as_chunks_mut().0.iter_mut().zip(self.mac.to_be_bytes()) {
            *digits = [byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]);
        }
        let (mut start, mut left) = (SEQ_DIGITS_MAX, self.seq);
        seq[start] = b'-';
        while start > 0 && (left > 0 || start == SEQ_DIGITS_MAX) {
            start -= 1;
            seq[start] = b"0123456789"[usize::try_from(left % 10).unwrap_or(0)];
            left /= 10;
        }
        // ASCII alone.
        with(std::str::from_utf8(&text[start..]).unwrap_or_default())
    }
}

impl fmt::Display for PublicId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text(|text| f.write_str(text))
    }
}

impl Serialize for PublicId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.text(|text| serializer.serialize_str(text))
    }
}

/// The secrets are not shown.
impl fmt::Debug for Ids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ids").field("names_buyer", &self.names_buyer).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(makes: &str, also: Option<&str>, names_buyer: bool) -> Ids {
        let secret = |letter: &str| letter.repeat(ID_SECRET_BYTES_MIN);
        Ids::new(&IdSecrets { makes: secret(makes), also: also.map(secret) }, names_buyer).unwrap()
    }

    fn check(ids: &Ids, id: &str, sale: &str, buyer: &str, want: bool) {
        let got = GivenId::read(id).is_some_and(|id| ids.made(sale, id, buyer));
        assert_eq!(got, want, "{id} of {sale} for {buyer:?}");
    }

    #[test]
    fn an_id_is_of_one_sale_one_number_and_one_buyer() {
        let ids = ids("a", None, true);
        let id = ids.of("drop", 2, "ada").to_string();
        check(&ids, &id, "drop", "ada", true);
        check(&ids, &id, "drop", "bob", false);
        check(&ids, &id, "drop", "", false);
        check(&ids, &id, "dro", "pada", false);
        check(&ids, &id, "drops", "ada", false);
        check(&ids, &id.replacen('2', "3", 1), "drop", "ada", false);
        check(&ids, "2", "drop", "ada", false);
    }

    #[test]
    fn without_authentication_the_id_alone_gives_access() {
        let ids = ids("a", None, false);
        let id = ids.of("drop", 2, "ada").to_string();
        assert_eq!(id, ids.of("drop", 2, "bob").to_string());
        check(&ids, &id, "drop", "", true);
        check(&ids, &id, "drop", "bob", true);
        check(&ids, &id, "other", "", false);
        check(&ids, "2", "drop", "", false);
    }

    #[test]
    fn an_id_has_one_spelling_and_no_bit_of_it_may_be_wrong() {
        let ids = ids("a", None, true);
        let id = ids.of("drop", 2, "ada").to_string();
        let (number, mac) = id.split_once('-').unwrap();
        assert_eq!((number, mac.len()), ("2", MAC_DIGITS));
        let other = |at: usize| if &mac[at..=at] == "0" { "1" } else { "0" };
        for at in 0..MAC_DIGITS {
            check(&ids, &format!("2-{}{}{}", &mac[..at], other(at), &mac[at + 1..]), "drop", "ada", false);
        }
        for wrong in ["", "2-", "02", "x", "0", "-1", "+2", "1.0", "1099511627776", "99999999999999999999"] {
            check(&ids, wrong, "drop", "ada", false);
            check(&ids, &format!("{wrong}-{mac}"), "drop", "ada", false);
        }
        check(&ids, &format!("2-{}", &mac[1..]), "drop", "ada", false);
        check(&ids, &format!("{id}0"), "drop", "ada", false);
        check(&ids, &format!("2-+{}", &mac[1..]), "drop", "ada", false);
        if mac.bytes().any(|byte| byte.is_ascii_lowercase()) {
            check(&ids, &id.to_uppercase(), "drop", "ada", false);
        }
    }

    #[test]
    fn secrets_rotate_in_three_steps_and_no_id_is_lost() {
        let (first, second) = (ids("a", Some("b"), true), ids("b", Some("a"), true));
        let (alone, over) = (ids("a", None, true), ids("b", None, true));
        let id = |ids: &Ids| ids.of("drop", 2, "ada").to_string();
        // Gateways of two steps that follow each other run at the same time, and know each other's ids.
        for (before, after) in [(&alone, &first), (&first, &second), (&second, &over)] {
            check(after, &id(before), "drop", "ada", true);
            check(before, &id(after), "drop", "ada", true);
        }
        check(&second, &id(&alone), "drop", "ada", true);
        check(&over, &id(&alone), "drop", "ada", false);
    }

    #[test]
    fn an_id_is_its_number_and_32_hexadecimal_digits() {
        for (seq, mac) in [(0, 0), (7, 1), (10, 0xabc), (1_234_567_890, u128::MAX), (u64::MAX, u128::MAX - 0xf0)] {
            let (text, want) = (PublicId { seq, mac }.to_string(), format!("{seq}-{mac:032x}"));
            assert_eq!(text, want);
            assert_eq!(serde_json::to_string(&PublicId { seq, mac }).unwrap(), format!("\"{want}\""));
        }
    }

    #[test]
    fn a_short_secret_is_refused() {
        let secrets = IdSecrets { makes: "a".repeat(ID_SECRET_BYTES_MIN - 1), also: None };
        assert_eq!(Ids::new(&secrets, true).unwrap_err(), ShortSecret);
    }
}
