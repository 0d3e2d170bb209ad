//! A reservation as it was made, with SKUs by name: in messages, in what a rebuilding takes, in STATUS, and as the rows
//! of PostgreSQL. A field that is only carried is named here and where a request brings it
//! ([`Reserve`](crate::Reserve)).

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use flash_sale::invalid::{in_range, name};
use flash_sale::limits::{
    BUYER_BYTES_MAX, QUANTITY_UNITS_MAX, REQUEST_BYTES_MAX, RESERVATIONS_PER_BUYER_MAX, SKU_BYTES_MAX, SKUS_MAX,
    TIME_MS_MAX,
};
use flash_sale::{Details, Invalid, Reserved, Sale};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::map::Map;
use crate::value::{Fields, Sink, Unreadable};

/// A reservation as it was made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct MessageReserved<'a> {
    /// Who reserved.
    #[serde(borrow)]
    pub buyer: Cow<'a, str>,
    /// The buyer's lowest free slot at the time.
    pub slot: u8,
    /// What was reserved: at least one, each SKU once.
    pub items: Vec<MessageItem<'a>>,
    /// When the hold ends, Unix milliseconds; none: confirmed at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at_ms: Option<u64>,
    /// The id of the request that made it.
    #[serde(default, borrow, skip_serializing_if = "Option::is_none")]
    pub request: Option<Cow<'a, str>>,
    /// What the buyer sent along: any JSON; what was not JSON is a JSON string here. Redis does not keep it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<Cow<'a, RawValue>>,
}

/// What is shown of a reservation to those who may see it, beside its items and its times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown<'a> {
    /// Who reserved.
    pub buyer: Cow<'a, str>,
}

/// Units of one SKU.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Hash)]
#[serde(bound(deserialize = "'de: 'a"))]
pub struct MessageItem<'a> {
    /// The SKU's name.
    #[serde(borrow)]
    pub sku: Cow<'a, str>,
    /// Units.
    pub quantity: u32,
}

impl<'a> MessageReserved<'a> {
    /// A reservation of the core, with the names that `sku` gives.
    ///
    /// # Errors
    /// That of `sku`.
    pub fn of<E>(reserved: &Reserved<'a>, sku: impl Fn(u16) -> Result<&'a str, E>) -> Result<Self, E> {
        let items = reserved.items.iter();
        let items = items.map(|item| Ok(MessageItem { sku: sku(item.sku)?.into(), quantity: item.quantity }));
        let Details { request, data } = reserved.details;
        Ok(Self {
            buyer: reserved.buyer.into(),
            slot: reserved.slot,
            items: items.collect::<Result<_, E>>()?,
            expires_at_ms: reserved.expires_at_ms,
            request: request.map(Cow::from),
            data: data.map(json),
        })
    }

    /// A reservation of `sale`.
    #[must_use]
    pub fn of_sale(sale: &'a Sale, reserved: &Reserved<'a>) -> Self {
        let name = |sku: u16| Ok(sale.terms().skus.get(usize::from(sku)).map_or("", |sku| sku.name.as_str()));
        let Ok(named) = Self::of::<std::convert::Infallible>(reserved, name);
        named
    }

    /// The same for the core, with the SKUs by their places in the terms of `sale`.
    ///
    /// # Errors
    /// When an item is none of the sale's.
    pub fn for_sale(&self, sale: &Sale) -> Result<Reserved<'_>, Invalid> {
        let named: Vec<_> = self.items.iter().map(|item| (item.sku.as_ref(), item.quantity)).collect();
        Ok(Reserved {
            buyer: &self.buyer,
            slot: self.slot,
            items: sale.items(&named)?,
            expires_at_ms: self.expires_at_ms,
            details: self.details(),
        })
    }

    /// Units over all SKUs.
    #[must_use]
    pub fn units(&self) -> u64 {
        self.items.iter().map(|item| u64::from(item.quantity)).sum()
    }

    /// What is shown of it everywhere.
    #[must_use]
    pub fn shown(&self) -> Shown<'_> {
        Shown { buyer: Cow::Borrowed(&self.buyer) }
    }

    /// What came with it.
    #[must_use]
    pub fn details(&self) -> Details<'_> {
        Details { request: self.request.as_deref(), data: self.data.as_deref().map(RawValue::get) }
    }

    /// The same without anything borrowed.
    #[must_use]
    pub fn into_owned(self) -> MessageReserved<'static> {
        let owned = |text: Cow<str>| Cow::Owned(text.into_owned());
        let items = self.items.into_iter().map(|item| MessageItem { sku: owned(item.sku), quantity: item.quantity });
        MessageReserved {
            buyer: owned(self.buyer),
            slot: self.slot,
            items: items.collect(),
            expires_at_ms: self.expires_at_ms,
            request: self.request.map(owned),
            data: self.data.map(|data| Cow::Owned(data.into_owned())),
        }
    }

    /// Checks every field: what comes from outside may hold anything.
    pub(crate) fn check(&self) -> Result<(), Invalid> {
        name("buyer", self.buyer.as_bytes(), BUYER_BYTES_MAX)?;
        in_range("slot", self.slot.into(), 0, RESERVATIONS_PER_BUYER_MAX as u64 - 1)?;
        in_range("items", self.items.len() as u64, 1, SKUS_MAX as u64)?;
        for item in &self.items {
            name("sku", item.sku.as_bytes(), SKU_BYTES_MAX)?;
            in_range("quantity", item.quantity.into(), 1, QUANTITY_UNITS_MAX.into())?;
        }
        in_range("expires_at_ms", self.expires_at_ms.unwrap_or(0), 0, TIME_MS_MAX)?;
        if let Some(request) = &self.request {
            name("request", request.as_bytes(), REQUEST_BYTES_MAX)?;
        }
        Ok(())
    }

    /// How many pairs [`MessageReserved::write_pairs`] writes.
    pub(crate) const PAIRS: usize = 5;

    /// Writes what Redis keeps as pairs of a STATUS map.
    pub(crate) fn write_pairs(&self, sink: &mut impl Sink) {
        sink.text_pair("buyer", Some(&self.buyer));
        sink.uint_pair("slot", Some(self.slot.into()));
        sink.uint_pair("expires_at_ms", self.expires_at_ms);
        sink.text_pair("request", self.request.as_deref());
        sink.code("items");
        sink.map(self.items.len());
        for item in &self.items {
            sink.bytes(item.sku.as_bytes());
            sink.uint(item.quantity.into());
        }
    }

    /// Reads what [`MessageReserved::write_pairs`] wrote.
    pub(crate) fn read_pairs(map: &mut Map) -> Result<MessageReserved<'static>, Unreadable> {
        Ok(MessageReserved {
            buyer: map.text("buyer")?.into(),
            slot: u8::try_from(map.optional_uint("slot")?.unwrap_or(0)).map_err(|_| Unreadable { what: "slot" })?,
            items: read_items(map.list("items")?)?,
            expires_at_ms: map.optional_uint("expires_at_ms")?,
            request: map.optional_text("request")?.map(Cow::Owned),
            data: None,
        })
    }
}

impl Shown<'_> {
    /// The same without anything borrowed.
    #[must_use]
    pub fn into_owned(self) -> Shown<'static> {
        Shown { buyer: Cow::Owned(self.buyer.into_owned()) }
    }
}

impl PartialEq for MessageReserved<'_> {
    fn eq(&self, other: &Self) -> bool {
        (&self.buyer, self.slot, &self.items, self.expires_at_ms, self.details())
            == (&other.buyer, other.slot, &other.items, other.expires_at_ms, other.details())
    }
}

impl Hash for MessageReserved<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.buyer, self.slot, &self.items, self.expires_at_ms, &self.request).hash(state);
        self.data.as_ref().map(|data| data.get()).hash(state);
    }
}

impl Eq for MessageReserved<'_> {}

fn read_items(mut list: Fields) -> Result<Vec<MessageItem<'static>>, Unreadable> {
    let mut items = Vec::new();
    while let Some(sku) = list.try_next_text("sku")? {
        let quantity = u32::try_from(list.uint("quantity")?).map_err(|_| Unreadable { what: "quantity" })?;
        items.push(MessageItem { sku: sku.into(), quantity });
    }
    Ok(items)
}

/// JSON as it is, anything else as a JSON string. JSON nested deeper than serde_json reads (128) counts as text too:
/// PostgreSQL has such a bound as well.
pub(crate) fn json(data: &str) -> Cow<'_, RawValue> {
    let nested_shallowly = serde_json::from_str::<serde_json::Value>(data).is_ok();
    if nested_shallowly && let Ok(raw) = serde_json::from_str::<&RawValue>(data) {
        return Cow::Borrowed(raw);
    }
    let quoted = serde_json::value::to_raw_value(data);
    Cow::Owned(quoted.unwrap_or_else(|_| RawValue::NULL.to_owned()))
}
