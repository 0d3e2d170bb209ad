//! An Event as compact bytes: what the journal keeps and what replicas and the AOF get. The layout is: version, kind,
//! epoch, seq, time, and the fields of the kind in the order of their declaration.

use crate::bytes::{Malformed, Reader, put_bytes, put_int, put_optional_int};
use crate::details::Details;
use crate::event::{Change, Event, Reserved};
use crate::invalid::name;
use crate::items::{Item, Items};
use crate::life::Life;
use crate::limits::{
    BUYER_BYTES_MAX, EPOCH_MAX, EXPIRED_PER_EVENT_MAX, QUANTITY_UNITS_MAX, RESERVATIONS_PER_BUYER_MAX, SEQ_MAX,
    SKU_BYTES_MAX, SKUS_MAX, TIME_MS_MAX, TOTAL_UNITS_MAX,
};
use crate::terms::{SkuTerms, Terms};

/// The version of the layout. Another one is refused by [`Event::decode`].
pub const EVENT_VERSION: u8 = 1;

const WARMED: u8 = 1;
const RESERVED: u8 = 2;
const CONFIRMED: u8 = 3;
const RELEASED: u8 = 4;
const EXPIRED: u8 = 5;
const RESTOCKED: u8 = 6;
const OPENED: u8 = 7;
const CLOSED: u8 = 8;
/// A life that does not begin with nothing but its terms.
const WARMED_AGAIN: u8 = 9;

impl<'a> Event<'a> {
    /// Appends the event's bytes to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.push(EVENT_VERSION);
        out.push(match self.change {
            Change::Warmed(ref life) => {
                if life.is_plain() {
                    WARMED
                } else {
                    WARMED_AGAIN
                }
            }
            Change::Reserved(_) => RESERVED,
            Change::Confirmed { .. } => CONFIRMED,
            Change::Released { .. } => RELEASED,
            Change::Expired { .. } => EXPIRED,
            Change::Restocked { .. } => RESTOCKED,
            Change::Opened => OPENED,
            Change::Closed => CLOSED,
        });
        put_int(out, self.epoch);
        put_int(out, self.seq);
        put_int(out, self.at_ms);
        match &self.change {
            Change::Warmed(life) => put_life(out, life),
            Change::Reserved(reserved) => put_reserved(out, reserved),
            Change::Confirmed { id } | Change::Released { id } => put_int(out, *id),
            Change::Expired { ids } => {
                put_int(out, ids.len() as u64);
                ids.iter().for_each(|id| put_int(out, *id));
            }
            Change::Restocked { sku, total } => {
                put_int(out, (*sku).into());
                put_int(out, *total);
            }
            Change::Opened | Change::Closed => {}
        }
    }

    /// Reads what [`Event::encode`] wrote. The event is well-formed; whether it fits a sale is for
    /// [`Sale::accepts`](crate::Sale::accepts) to say.
    ///
    /// # Errors
    /// Names what could not be read: an unknown version or kind, a bound that is broken, bytes missing or left over.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut reader = Reader::new(bytes);
        if reader.byte("event version")? != EVENT_VERSION {
            return Err(Malformed::new("event: its version is not 1, written by another release"));
        }
        let kind = reader.byte("event kind")?;
        let event = Self {
            epoch: reader.int_within("epoch", 1, EPOCH_MAX)?,
            seq: reader.int_within("seq", 1, SEQ_MAX)?,
            at_ms: reader.int_within("event time", 0, TIME_MS_MAX)?,
            change: match kind {
                WARMED => Change::Warmed(read_terms(&mut reader)?.into()),
                WARMED_AGAIN => Change::Warmed(read_life(&mut reader)?),
                RESERVED => Change::Reserved(read_reserved(&mut reader)?),
                CONFIRMED => Change::Confirmed { id: read_id(&mut reader)? },
                RELEASED => Change::Released { id: read_id(&mut reader)? },
                EXPIRED => Change::Expired { ids: read_ids(&mut reader)? },
                RESTOCKED => Change::Restocked {
                    sku: read_sku(&mut reader)?,
                    total: reader.int_within("total", 0, TOTAL_UNITS_MAX)?,
                },
                OPENED => Change::Opened,
                CLOSED => Change::Closed,
                _ => return Err(Malformed::new("event kind")),
            },
        };
        reader.end("end of event")?;
        Ok(event)
    }
}

fn put_life(out: &mut Vec<u8>, life: &Life) {
    put_terms(out, &life.terms);
    if life.is_plain() {
        return;
    }
    out.push(life.is_closed.into());
    put_int(out, life.forgotten_seq);
    life.totals.iter().for_each(|total| put_int(out, *total));
}

fn read_life(reader: &mut Reader) -> Result<Life, Malformed> {
    let terms = read_terms(reader)?;
    let is_closed = match reader.byte("closed")? {
        0 => false,
        1 => true,
        _ => return Err(Malformed::new("closed")),
    };
    let forgotten_seq = reader.int_within("forgotten seq", 0, SEQ_MAX)?;
    let total = |_: &SkuTerms| reader.int_within("total", 0, TOTAL_UNITS_MAX);
    let totals = terms.skus.iter().map(total).collect::<Result<Vec<_>, _>>()?;
    let life = Life { terms, totals, is_closed, forgotten_seq };
    if life.is_plain() { Err(Malformed::new("life: it has a shorter form")) } else { Ok(life) }
}

pub(crate) fn put_terms(out: &mut Vec<u8>, terms: &Terms) {
    put_int(out, terms.skus.len() as u64);
    for sku in &terms.skus {
        put_bytes(out, sku.name.as_bytes());
        put_int(out, sku.total);
    }
    put_int(out, terms.limit.into());
    put_optional_int(out, terms.hold_ms);
    put_optional_int(out, terms.opens_at_ms);
    put_optional_int(out, terms.closes_at_ms);
    put_optional_int(out, terms.journal_events_max);
}

pub(crate) fn read_terms(reader: &mut Reader) -> Result<Terms, Malformed> {
    let count = reader.count("SKUs", SKUS_MAX)?;
    let mut skus = Vec::with_capacity(count);
    for _ in 0..count {
        let sku = reader.bytes("SKU name")?;
        skus.push(SkuTerms {
            name: name("SKU", sku, SKU_BYTES_MAX).map_err(|_| Malformed::new("SKU name"))?.to_owned(),
            total: reader.int_within("SKU total", 1, TOTAL_UNITS_MAX)?,
        });
    }
    let limit = reader.int_within("limit", 1, QUANTITY_UNITS_MAX.into())?;
    let terms = Terms {
        skus,
        limit: u32::try_from(limit).map_err(|_| Malformed::new("limit"))?,
        hold_ms: reader.optional_int("hold", TIME_MS_MAX)?,
        opens_at_ms: reader.optional_int("opens", TIME_MS_MAX)?,
        closes_at_ms: reader.optional_int("closes", TIME_MS_MAX)?,
        journal_events_max: reader.optional_int("journal", u64::MAX)?,
    };
    terms.check().map_err(|_| Malformed::new("terms"))
}

fn put_reserved(out: &mut Vec<u8>, reserved: &Reserved) {
    out.push(reserved.slot);
    put_items(out, &reserved.items);
    put_optional_int(out, reserved.expires_at_ms);
    put_bytes(out, reserved.buyer.as_bytes());
    reserved.details.put(out);
}

fn read_reserved<'a>(reader: &mut Reader<'a>) -> Result<Reserved<'a>, Malformed> {
    Ok(Reserved {
        slot: read_slot(reader)?,
        items: read_items(reader)?,
        expires_at_ms: reader.optional_int("expiry", TIME_MS_MAX)?,
        buyer: read_buyer(reader)?,
        details: Details::read(reader)?,
    })
}

pub(crate) fn read_slot(reader: &mut Reader) -> Result<u8, Malformed> {
    let slot = reader.byte("slot")?;
    if usize::from(slot) < RESERVATIONS_PER_BUYER_MAX {
        return Ok(slot);
    }
    Err(Malformed::new("slot"))
}

pub(crate) fn read_buyer<'a>(reader: &mut Reader<'a>) -> Result<&'a str, Malformed> {
    name("buyer", reader.bytes("buyer")?, BUYER_BYTES_MAX).map_err(|_| Malformed::new("buyer"))
}

pub(crate) fn put_items(out: &mut Vec<u8>, items: &Items) {
    put_int(out, items.count() as u64);
    for item in items.iter() {
        put_int(out, item.sku.into());
        put_int(out, item.quantity.into());
    }
}

pub(crate) fn read_items(reader: &mut Reader) -> Result<Items, Malformed> {
    let malformed = Malformed::new("items");
    let count = reader.count("items", SKUS_MAX)?;
    if count == 1 {
        let item = read_item(reader)?;
        return Items::one(item.sku, item.quantity).map_err(|_| malformed);
    }
    let items = (0..count).map(|_| read_item(reader)).collect::<Result<Vec<_>, _>>()?;
    let items = Items::summed(items).map_err(|_| malformed)?;
    if items.count() == count {
        return Ok(items);
    }
    Err(malformed)
}

fn read_item(reader: &mut Reader) -> Result<Item, Malformed> {
    let sku = read_sku(reader)?;
    let quantity = reader.int_within("item", 1, QUANTITY_UNITS_MAX.into())?;
    Ok(Item { sku, quantity: u32::try_from(quantity).map_err(|_| Malformed::new("item"))? })
}

fn read_sku(reader: &mut Reader) -> Result<u16, Malformed> {
    let sku = reader.int_within("SKU", 0, SKUS_MAX as u64 - 1)?;
    u16::try_from(sku).map_err(|_| Malformed::new("SKU"))
}

fn read_id(reader: &mut Reader) -> Result<u64, Malformed> {
    reader.int_within("reservation id", 1, SEQ_MAX)
}

fn read_ids(reader: &mut Reader) -> Result<Vec<u64>, Malformed> {
    let count = reader.count("expired ids", EXPIRED_PER_EVENT_MAX)?;
    let ids = (0..count).map(|_| read_id(reader)).collect::<Result<Vec<_>, _>>()?;
    if !ids.is_empty() && ids.is_sorted_by(|a, b| a < b) {
        return Ok(ids);
    }
    Err(Malformed::new("expired ids"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(change: Change) -> Event {
        Event { epoch: 3, seq: 300, at_ms: 1_790_000_000_000, change }
    }

    fn reserved() -> Change<'static> {
        Change::Reserved(Reserved {
            buyer: "ada",
            slot: 2,
            items: Items::summed(vec![Item { sku: 1, quantity: 2 }, Item { sku: 0, quantity: 300 }]).unwrap(),
            expires_at_ms: Some(1_790_000_060_000),
            details: Details { request: Some("r-1"), data: Some("{\"size\":42}") },
        })
    }

    fn every_change() -> Vec<Change<'static>> {
        let terms = Terms {
            hold_ms: Some(60_000),
            opens_at_ms: Some(5),
            closes_at_ms: Some(9),
            journal_events_max: Some(1_000),
            ..Terms::simple(100)
        };
        let bare = Change::Reserved(Reserved {
            buyer: "b",
            slot: 0,
            items: Items::one(0, 1).unwrap(),
            expires_at_ms: None,
            details: Details::NONE,
        });
        vec![
            Change::Warmed(terms.clone().into()),
            Change::Warmed(Terms::simple(1).into()),
            reserved(),
            bare,
            Change::Confirmed { id: 7 },
            Change::Released { id: 1 << 39 },
            Change::Expired { ids: vec![1, 5, 9] },
            Change::Restocked { sku: 63, total: 0 },
            Change::Opened,
            Change::Closed,
            Change::Warmed(Life { totals: vec![0], ..Life::from(Terms::simple(1)) }),
            Change::Warmed(Life { is_closed: true, forgotten_seq: 300, ..Life::from(terms) }),
        ]
    }

    #[test]
    fn every_event_reads_back() {
        for change in every_change() {
            let event = event(change);
            let mut bytes = Vec::new();
            event.encode(&mut bytes);
            assert_eq!(Event::decode(&bytes).as_ref(), Ok(&event));
        }
    }

    #[test]
    fn an_event_cut_short_or_overlong_is_refused() {
        for change in every_change() {
            let mut bytes = Vec::new();
            event(change).encode(&mut bytes);
            for end in 0..bytes.len() {
                assert!(Event::decode(&bytes[..end]).is_err(), "{end} of {bytes:?} was taken");
            }
            bytes.push(0);
            assert!(Event::decode(&bytes).is_err(), "{bytes:?} was taken");
        }
    }

    #[test]
    fn an_unknown_version_or_kind_is_a_clear_error() {
        let mut bytes = Vec::new();
        event(reserved()).encode(&mut bytes);
        bytes[0] = 9;
        let error = Event::decode(&bytes).unwrap_err().to_string();
        assert_eq!(error, "malformed event: its version is not 1, written by another release");
        (bytes[0], bytes[1]) = (EVENT_VERSION, 99);
        assert_eq!(Event::decode(&bytes), Err(Malformed::new("event kind")));
    }

    #[test]
    fn a_plain_reservation_takes_few_bytes() {
        let mut bytes = Vec::new();
        event(every_change().remove(3)).encode(&mut bytes);
        assert_eq!(bytes.len(), 20);
    }
}
