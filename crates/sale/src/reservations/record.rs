//! How one reservation lies in memory: a few bytes, state and slot first so that the state can change in place, then
//! the buyer, which every look-up compares.

use crate::bytes::{Malformed, Reader, put_bytes, put_optional_int};
use crate::details::Details;
use crate::event::{Reserved, State};
use crate::event_bytes::{put_items, read_buyer, read_items, read_slot};
use crate::limits::{AGE_MS_MAX, TIME_MS_MAX};

/// A reservation's current state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reservation<'a> {
    /// The seq of the event that made it.
    pub id: u64,
    /// Its state.
    pub state: State,
    /// As it was made. Where it is stored, its hold ends by the sale's age.
    pub made: Reserved<'a>,
    /// The fingerprint of its details; none: there were none, or it is not known any more which.
    pub fingerprint: Option<u32>,
}

impl Reservation<'_> {
    /// A hold whose pay window is over at `now_ms`.
    #[must_use]
    pub fn is_due(&self, now_ms: u64) -> bool {
        self.state == State::Held && self.made.expires_at_ms.is_some_and(|expires| expires <= now_ms)
    }
}

/// The place of the buyer's length: after state and slot.
const BUYER_AT: usize = 2;
/// A flag beside the state: the record ends with a fingerprint.
const HAS_FINGERPRINT: u8 = 0x80;
/// What a fingerprint takes.
pub(super) const FINGERPRINT_BYTES: usize = size_of::<u32>();

/// Appends a new reservation: held if it expires, confirmed if it does not.
pub(super) fn put(out: &mut Vec<u8>, reserved: &Reserved, fingerprint: Option<u32>) {
    out.push(state_code(reserved.state()) | if fingerprint.is_some() { HAS_FINGERPRINT } else { 0 });
    out.push(reserved.slot);
    put_bytes(out, reserved.buyer.as_bytes());
    put_optional_int(out, reserved.expires_at_ms);
    put_items(out, &reserved.items);
    reserved.details.put_kept(out);
    if let Some(fingerprint) = fingerprint {
        out.extend_from_slice(&fingerprint.to_le_bytes());
    }
}

/// Reads the record at the front of `bytes`, and how long it is.
pub(super) fn read(id: u64, bytes: &[u8]) -> Result<(Reservation<'_>, usize), Malformed> {
    let mut reader = Reader::new(bytes);
    let first = reader.byte("state")?;
    let reservation = Reservation {
        id,
        state: read_state(first)?,
        made: Reserved {
            slot: read_slot(&mut reader)?,
            buyer: read_buyer(&mut reader)?,
            expires_at_ms: reader.optional_int("expiry", AGE_MS_MAX + TIME_MS_MAX)?,
            items: read_items(&mut reader)?,
            details: Details::read_kept(&mut reader)?,
        },
        fingerprint: match first & HAS_FINGERPRINT {
            0 => None,
            _ => Some(u32::from_le_bytes(reader.array("fingerprint")?)),
        },
    };
    if reservation.state != State::Confirmed && reservation.made.expires_at_ms.is_none() {
        return Err(Malformed::new("expiry"));
    }
    Ok((reservation, bytes.len() - reader.left().len()))
}

/// The record at the front of `bytes`, which lie in a page.
pub(super) fn get(id: u64, bytes: &[u8]) -> Reservation<'_> {
    read(id, bytes).expect("a page holds only records that were written or checked by this module").0
}

/// The buyer of the record at the front of `bytes`, without reading the rest: a buyer is short, so its length is one
/// byte, but two are possible at the limit.
pub(super) fn buyer(bytes: &[u8]) -> &[u8] {
    Reader::new(&bytes[BUYER_AT..]).bytes("buyer").unwrap_or_default()
}

pub(super) fn state(bytes: &[u8]) -> State {
    read_state(bytes[0]).unwrap_or(State::Expired)
}

pub(super) fn set_state(bytes: &mut [u8], state: State) {
    bytes[0] = state_code(state) | (bytes[0] & HAS_FINGERPRINT);
}

const fn state_code(state: State) -> u8 {
    match state {
        State::Held => 0,
        State::Confirmed => 1,
        State::Released => 2,
        State::Expired => 3,
    }
}

fn read_state(first: u8) -> Result<State, Malformed> {
    let code = first & !HAS_FINGERPRINT;
    let state = State::ALL.into_iter().find(|state| state_code(*state) == code);
    state.ok_or(Malformed::new("state"))
}
