//! What travels through the broker: a run of consecutive events of one sale, as versioned JSON.
//!
//! Here SKUs go by their names, so that a message can be read without anything else.

use std::borrow::Cow;
use std::fmt;

use flash_sale::invalid::{in_range, name};
use flash_sale::limits::{EPOCH_MAX, EXPIRED_PER_EVENT_MAX, SEQ_MAX, SKU_BYTES_MAX, TIME_MS_MAX, TOTAL_UNITS_MAX};
use flash_sale::{Change, Event, Invalid, Malformed, SkuTerms, Terms};
use serde::{Deserialize, Serialize};

pub use crate::reserved::{MessageItem, MessageReserved, Shown};

/// The version of the JSON. Another one is refused by [`Message::decode`].
pub const MESSAGE_VERSION: u64 = 1;
/// Events in one message.
pub const MESSAGE_EVENTS_MAX: usize = 1_000;
/// A sale's id: it is part of a Redis key, of URLs and of messages.
pub const SALE_BYTES_MAX: usize = 64;

/// A run of consecutive events of one sale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct Message<'a> {
    /// [`MESSAGE_VERSION`].
    pub version: u64,
    /// The sale's id.
    #[serde(borrow)]
    pub sale: Cow<'a, str>,
    /// Which life of the sale the events belong to.
    pub epoch: u64,
    /// When the relay gave it to the transport, Unix milliseconds. None: it did not, or an older release did. A
    /// transport carries it beside the JSON, so that what is sent again is the same bytes; an event that is kept has it
    /// in its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published_at_ms: Option<u64>,
    /// At least one; the seq grows by one from event to event.
    pub events: Vec<MessageEvent<'a>>,
}

/// One event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct MessageEvent<'a> {
    /// The event's seq.
    pub seq: u64,
    /// When it was decided, Unix milliseconds.
    pub at_ms: u64,
    /// What happened.
    pub change: MessageChange<'a>,
}

/// What happened: a [`Change`] with names for SKUs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", bound(deserialize = "'de: 'a"))]
pub enum MessageChange<'a> {
    /// The sale came to be.
    Warmed(MessageTerms),
    /// A buyer got a reservation; its id is the event's seq.
    Reserved(MessageReserved<'a>),
    /// The hold was paid for.
    Confirmed {
        /// The reservation.
        id: u64,
    },
    /// The hold was given back.
    Released {
        /// The reservation.
        id: u64,
    },
    /// The pay window of these holds ran out.
    Expired {
        /// The reservations.
        ids: Vec<u64>,
    },
    /// The operator changed how many units of a SKU are on sale.
    Restocked(MessageSku),
    /// The operator let the closed sale go on.
    Opened,
    /// The operator stopped the sale.
    Closed,
}

/// The terms of a sale, as in [`Terms`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageTerms {
    /// In the order of the terms.
    pub skus: Vec<MessageSku>,
    /// Units per buyer.
    pub limit: u32,
    /// The pay window.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hold_ms: Option<u64>,
    /// Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opens_at_ms: Option<u64>,
    /// Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closes_at_ms: Option<u64>,
    /// Unacknowledged events that the journal takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub journal_events_max: Option<u64>,
}

/// One SKU and its units.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MessageSku {
    /// Its name.
    pub sku: String,
    /// Units put on sale.
    pub total: u64,
}

/// Characters of what a JSON reader says that are kept: PostgreSQL's quarantine and the log repeat it.
const REASON_CHARS_MAX: usize = 200;

/// A message that is unreadable or breaks a rule: one for the quarantine, for it will not get better.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BadMessage {
    /// Not the JSON of a message.
    Json(String),
    /// Written by another release.
    Version(u64),
    /// A field breaks its rule.
    Invalid(Invalid),
}

impl fmt::Display for BadMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(error) => write!(f, "not a message: {error}"),
            Self::Version(version) => write!(f, "message version {version} is not {MESSAGE_VERSION}"),
            Self::Invalid(invalid) => invalid.fmt(f),
        }
    }
}

impl std::error::Error for BadMessage {}

/// Why no message can be made of a journal's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UnreadableJournal {
    /// The bytes are no event of this release.
    Event(Malformed),
    /// The events are no run.
    Message(BadMessage),
}

impl fmt::Display for UnreadableJournal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Event(error) => fmt::Display::fmt(error, f),
            Self::Message(error) => fmt::Display::fmt(error, f),
        }
    }
}

impl std::error::Error for UnreadableJournal {}

impl From<Malformed> for UnreadableJournal {
    fn from(error: Malformed) -> Self {
        Self::Event(error)
    }
}

impl From<BadMessage> for UnreadableJournal {
    fn from(error: BadMessage) -> Self {
        Self::Message(error)
    }
}

impl From<Invalid> for BadMessage {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl<'a> Message<'a> {
    /// A message of `events`, which refer to `skus` by place.
    ///
    /// # Errors
    /// When the events refer to a SKU that is not among `skus`, or the message would not pass [`Message::decode`].
    pub fn new(sale: &'a str, epoch: u64, skus: &'a [String], events: &[Event<'a>]) -> Result<Self, BadMessage> {
        let events = events.iter().map(|event| {
            let change = change(&event.change, skus)?;
            Ok(MessageEvent { seq: event.seq, at_ms: event.at_ms, change })
        });
        let message = Self {
            version: MESSAGE_VERSION,
            sale: sale.into(),
            epoch,
            published_at_ms: None,
            events: events.collect::<Result<_, Invalid>>()?,
        };
        message.check()?;
        Ok(message)
    }

    /// The message, as it is given to the transport at this time. A clock that is beyond every time says nothing.
    #[must_use]
    pub fn published(self, at_ms: u64) -> Self {
        Self { published_at_ms: Some(at_ms).filter(|at_ms| *at_ms <= TIME_MS_MAX), ..self }
    }

    /// The message as JSON.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // Strings, numbers and lists into memory: nothing here can fail.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// Reads a message from JSON and checks every field, for a broker is outside.
    ///
    /// # Errors
    /// Says what makes the message unreadable.
    pub fn decode(json: &'a [u8]) -> Result<Self, BadMessage> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u64,
        }
        let not_json = |error: serde_json::Error| BadMessage::Json(legible(&error.to_string()));
        match serde_json::from_slice::<Self>(json) {
            Ok(message) if message.version == MESSAGE_VERSION => {
                message.check()?;
                Ok(message)
            }
            // Another version may also look different: its number says more than the field that is missing.
            result => match serde_json::from_slice::<Versioned>(json) {
                Ok(Versioned { version }) if version != MESSAGE_VERSION => Err(BadMessage::Version(version)),
                _ => Err(result.err().map_or(BadMessage::Version(0), not_json)),
            },
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        name("sale", self.sale.as_bytes(), SALE_BYTES_MAX)?;
        in_range("epoch", self.epoch, 1, EPOCH_MAX)?;
        in_range("published_at_ms", self.published_at_ms.unwrap_or(0), 0, TIME_MS_MAX)?;
        in_range("events", self.events.len() as u64, 1, MESSAGE_EVENTS_MAX as u64)?;
        for event in &self.events {
            in_range("seq", event.seq, 1, SEQ_MAX)?;
            in_range("at_ms", event.at_ms, 0, TIME_MS_MAX)?;
            check_change(&event.change)?;
        }
        if self.events.windows(2).all(|pair| pair[0].seq + 1 == pair[1].seq) {
            return Ok(());
        }
        Err(Invalid::new("seq", "must grow by one from event to event"))
    }
}

fn change<'a>(change: &Change<'a>, skus: &'a [String]) -> Result<MessageChange<'a>, Invalid> {
    Ok(match change {
        Change::Warmed(life) => MessageChange::Warmed((&life.terms).into()),
        Change::Reserved(made) => MessageChange::Reserved(MessageReserved::of(made, |sku| sku_name(sku, skus))?),
        Change::Confirmed { id } => MessageChange::Confirmed { id: *id },
        Change::Released { id } => MessageChange::Released { id: *id },
        Change::Expired { ids } => MessageChange::Expired { ids: ids.clone() },
        Change::Restocked { sku, total } => {
            MessageChange::Restocked(MessageSku { sku: sku_name(*sku, skus)?.to_owned(), total: *total })
        }
        Change::Opened => MessageChange::Opened,
        Change::Closed => MessageChange::Closed,
    })
}

fn sku_name(sku: u16, skus: &[String]) -> Result<&str, Invalid> {
    let name = skus.get(usize::from(sku)).map(String::as_str);
    name.ok_or_else(|| Invalid::new("sku", "must be one of the sale's"))
}

fn check_change(change: &MessageChange) -> Result<(), Invalid> {
    match change {
        MessageChange::Warmed(terms) => Terms::from(terms).check().map(|_| ()),
        MessageChange::Reserved(reserved) => reserved.check(),
        MessageChange::Confirmed { id } | MessageChange::Released { id } => in_range("id", *id, 1, SEQ_MAX).map(|_| ()),
        MessageChange::Expired { ids } => {
            in_range("ids", ids.len() as u64, 1, EXPIRED_PER_EVENT_MAX as u64)?;
            ids.iter().try_for_each(|id| in_range("ids", *id, 1, SEQ_MAX).map(|_| ()))
        }
        MessageChange::Restocked(MessageSku { sku, total }) => {
            name("sku", sku.as_bytes(), SKU_BYTES_MAX)?;
            in_range("total", *total, 0, TOTAL_UNITS_MAX).map(|_| ())
        }
        MessageChange::Opened | MessageChange::Closed => Ok(()),
    }
}

impl From<&Terms> for MessageTerms {
    fn from(terms: &Terms) -> Self {
        let sku = |sku: &SkuTerms| MessageSku { sku: sku.name.clone(), total: sku.total };
        Self {
            skus: terms.skus.iter().map(sku).collect(),
            limit: terms.limit,
            hold_ms: terms.hold_ms,
            opens_at_ms: terms.opens_at_ms,
            closes_at_ms: terms.closes_at_ms,
            journal_events_max: terms.journal_events_max,
        }
    }
}

impl From<&MessageTerms> for Terms {
    fn from(terms: &MessageTerms) -> Self {
        let sku = |sku: &MessageSku| SkuTerms { name: sku.sku.clone(), total: sku.total };
        Self {
            skus: terms.skus.iter().map(sku).collect(),
            limit: terms.limit,
            hold_ms: terms.hold_ms,
            opens_at_ms: terms.opens_at_ms,
            closes_at_ms: terms.closes_at_ms,
            journal_events_max: terms.journal_events_max,
        }
    }
}

/// An error repeats what the JSON holds: any characters, any number of them.
fn legible(error: &str) -> String {
    let plain = |character: char| if character.is_control() { char::REPLACEMENT_CHARACTER } else { character };
    error.chars().take(REASON_CHARS_MAX).map(plain).collect()
}

#[cfg(test)]
mod tests;
