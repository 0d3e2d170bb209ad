//! A JSON body, field by field, so that whatever is refused is refused by its own name and place.
//!
//! The values of an object are split off as raw JSON first, and each is read by its own rule after.

use std::borrow::Cow;
use std::fmt;

use flash_wire::invalid::{in_range, text};
use flash_wire::key::check_id;
use flash_wire::limits::{DATA_BYTES_MAX, TIME_MS_MAX};
use flash_wire::message::SALE_BYTES_MAX;
use flash_wire::{Invalid, Name};
use serde::de::{DeserializeSeed, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::problem::{FieldError, Kind, Problem};
use crate::data;
use crate::limits::TIME_MS_MIN;

/// What some editors write before a text. No JSON begins with it (RFC 8259, 8.1).
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
/// The largest whole number up to which a double tells each from the next.
const WHOLE_MAX: f64 = 9_007_199_254_740_991.0;

/// How much of an unknown field's name an answer repeats.
const UNKNOWN_NAME_CHARS_MAX: usize = 64;

/// Splits a body, which must be an object, into the fields that it may have.
///
/// # Errors
/// When the body is not a JSON object, or has another field, or one twice.
pub(crate) fn body<'a, const N: usize>(body: &'a [u8], names: [&'static str; N]) -> Result<[Field<'a>; N], Problem> {
    if body.starts_with(BYTE_ORDER_MARK) {
        return Err(Problem::new(Kind::Malformed, "the body must begin with {, without a byte order mark"));
    }
    let text = std::str::from_utf8(body).map_err(|_| Problem::new(Kind::Malformed, "the body must be UTF-8"))?;
    match object(text, names) {
        Ok(fields) => Ok(fields?),
        Err(error) => Err(Problem::new(Kind::Malformed, error.to_string())),
    }
}

/// One field of an object; it may be missing. `null` counts as missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Field<'a> {
    name: &'static str,
    json: Option<&'a str>,
}

impl<'a> Field<'a> {
    pub(crate) const fn is_given(self) -> bool {
        self.json.is_some()
    }

    /// The field, which must not be missing.
    pub(crate) fn required(self) -> Result<Given<'a>, FieldError> {
        match self.json {
            Some(json) => Ok(Given { name: self.name, json }),
            None => Err(self.refused("must be given")),
        }
    }

    /// The field as `read` reads it, if it is there.
    pub(crate) fn optional<T>(
        self,
        read: impl FnOnce(Given<'a>) -> Result<T, FieldError>,
    ) -> Result<Option<T>, FieldError> {
        self.json.map(|json| read(Given { name: self.name, json })).transpose()
    }

    /// The field broke `rule`.
    pub(crate) fn refused(self, rule: &str) -> FieldError {
        FieldError { pointer: format!("/{}", self.name), detail: format!("{} {rule}", self.name) }
    }
}

/// One field that is there.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Given<'a> {
    name: &'static str,
    json: &'a str,
}

impl<'a> Given<'a> {
    /// Any JSON, as its text of at most `bytes_max` bytes.
    pub(crate) fn json(self, bytes_max: usize) -> Result<&'a str, FieldError> {
        text(self.name, self.json.as_bytes(), bytes_max).map_err(|invalid| self.refused(invalid.rule))
    }

    /// What a buyer sends along: JSON that is the same to every reader.
    pub(crate) fn data(self) -> Result<&'a str, FieldError> {
        let json = self.json(DATA_BYTES_MAX)?;
        data::check(json).map_err(|breach| FieldError::within(&format!("/{}", self.name), breach))?;
        Ok(json)
    }

    /// The same, to be read as JSON again.
    pub(crate) fn raw(self, bytes_max: usize) -> Result<&'a RawValue, FieldError> {
        // It was read as JSON already: nothing here can fail.
        serde_json::from_str(self.json(bytes_max)?).map_err(|_| self.refused("must be JSON"))
    }

    /// An id, by the rule of a sale's.
    pub(crate) fn id(self) -> Result<Cow<'a, str>, FieldError> {
        let id = self.name(SALE_BYTES_MAX)?;
        check_id(self.name, &id).map_err(|invalid| self.refused(invalid.rule))?;
        Ok(id)
    }

    /// A whole number within `min..=max`.
    pub(crate) fn int(self, min: u64, max: u64) -> Result<u64, FieldError> {
        let Some(value) = self.json.parse().ok().or_else(|| self.whole()?.try_into().ok()) else {
            return Err(self.refused(format!("must be a whole number, {min} to {max}")));
        };
        in_range(self.name, value, min, max).map_err(|invalid| self.refused(invalid.rule))
    }

    /// The same, in 32 bits.
    pub(crate) fn int32(self, min: u32, max: u32) -> Result<u32, FieldError> {
        self.int(min.into(), max.into()).map(|value| u32::try_from(value).unwrap_or(max))
    }

    /// A whole number within `-max..=max` that is not 0.
    pub(crate) fn delta(self, max: u64) -> Result<i64, FieldError> {
        let number = self
            .json
            .parse::<i64>()
            .ok()
            .or_else(|| self.whole())
            .filter(|number| *number != 0 && number.unsigned_abs() <= max);
        number.ok_or_else(|| self.refused(format!("must be a whole number, -{max} to {max}, and not 0")))
    }

    /// A number that is written with a fraction or an exponent and is still whole (`1.0`, `1e3`), as JSON Schema
    /// has it.
    fn whole(self) -> Option<i64> {
        let number: f64 =
            self.json.parse().ok().filter(|number: &f64| number.fract() == 0.0 && number.abs() <= WHOLE_MAX)?;
        format!("{number:.0}").parse().ok()
    }

    /// A time, as Unix milliseconds. What is so small was meant in seconds.
    pub(crate) fn time(self) -> Result<u64, FieldError> {
        let time = self.int(0, TIME_MS_MAX)?;
        if time < TIME_MS_MIN {
            return Err(self.refused(format!("must be Unix milliseconds, {TIME_MS_MIN} to {TIME_MS_MAX}, not seconds")));
        }
        Ok(time)
    }

    /// One of at least two words, each with its meaning.
    pub(crate) fn one_of<T, const N: usize>(self, words: [(&'static str, T); N]) -> Result<T, FieldError> {
        let names = words.each_ref().map(|(name, _)| *name);
        let said = serde_json::from_str::<Text>(self.json).ok();
        let meant = words.into_iter().find(|(name, _)| said.as_ref().is_some_and(|said| said.0 == *name));
        let rule = || format!("must be {} or {}", names[..N - 1].join(", "), names[N - 1]);
        meant.map(|(_, meaning)| meaning).ok_or_else(|| self.refused(rule()))
    }

    /// A readable name of 1 to `bytes_max` bytes.
    pub(crate) fn name(self, bytes_max: usize) -> Result<Cow<'a, str>, FieldError> {
        let Ok(Text(text)) = serde_json::from_str(self.json) else {
            return Err(self.refused(format!("must be a string of 1 to {bytes_max} bytes")));
        };
        Name::new(self.name, text, bytes_max).map(Name::into_inner).map_err(|invalid| self.refused(invalid.rule))
    }

    /// A list of 1 to `count_max` readable names of 1 to `bytes_max` bytes.
    pub(crate) fn names(self, count_max: usize, bytes_max: usize) -> Result<Vec<String>, FieldError> {
        let Ok(list) = serde_json::from_str::<Vec<Text>>(self.json) else {
            return Err(self.refused(format!("must be a list of 1 to {count_max} strings")));
        };
        let count = in_range(self.name, list.len() as u64, 1, count_max as u64);
        count.map_err(|invalid| self.refused(invalid.rule))?;
        let entry = |(at, Text(text)): (usize, Text)| match Name::new(self.name, text, bytes_max) {
            Ok(name) => Ok(name.into_inner().into_owned()),
            Err(invalid) => Err(FieldError { pointer: format!("/{}/{at}", self.name), detail: invalid.to_string() }),
        };
        list.into_iter().enumerate().map(entry).collect()
    }

    /// A list of 1 to `count_max` objects, each read by `read` from its fields.
    pub(crate) fn list<T, const N: usize>(
        self,
        count_max: usize,
        names: [&'static str; N],
        read: impl Fn([Field<'a>; N]) -> Result<T, FieldError>,
    ) -> Result<Vec<T>, FieldError> {
        let Ok(list) = serde_json::from_str::<Vec<&RawValue>>(self.json) else {
            return Err(self.refused(format!("must be a list of 1 to {count_max}")));
        };
        let count = in_range(self.name, list.len() as u64, 1, count_max as u64);
        count.map_err(|invalid| self.refused(invalid.rule))?;
        let entry = |(at, entry): (usize, &'a RawValue)| {
            // It was read as JSON already: only that it is no object can be wrong with it now.
            let fields = object(entry.get(), names).unwrap_or_else(|_| Err(not_an_object()));
            fields.and_then(&read).map_err(|error| FieldError {
                pointer: format!("/{}/{at}{}", self.name, error.pointer),
                detail: error.detail,
            })
        };
        list.into_iter().enumerate().map(entry).collect()
    }

    /// The field broke `rule`.
    pub(crate) fn refused(self, rule: impl Into<String>) -> FieldError {
        let invalid = Invalid::new(self.name, rule);
        FieldError { pointer: format!("/{}", self.name), detail: invalid.to_string() }
    }
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

fn not_an_object() -> FieldError {
    FieldError { pointer: String::new(), detail: "must be an object".to_owned() }
}

type FoundFields<'a, const N: usize> = Result<[Field<'a>; N], FieldError>;

/// Splits an object. The outer error says that the text is no JSON object, the inner one that it has a field which it
/// may not have.
fn object<'a, const N: usize>(json: &'a str, names: [&'static str; N]) -> serde_json::Result<FoundFields<'a, N>> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let fields = Object { names }.deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(fields)
}

/// Reads an object that may have `names`.
struct Object<const N: usize> {
    names: [&'static str; N],
}

impl<'de, const N: usize> DeserializeSeed<'de> for Object<N> {
    type Value = FoundFields<'de, N>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de, const N: usize> Visitor<'de> for Object<N> {
    type Value = FoundFields<'de, N>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut fields = self.names.map(|name| Field { name, json: None });
        let mut seen = [false; N];
        let mut bad = None;
        while let Some(Text(key)) = map.next_key()? {
            let value: &'de RawValue = map.next_value()?;
            match self.names.iter().position(|name| *name == key) {
                Some(at) if seen[at] => bad = bad.or_else(|| Some(fields[at].refused("must be given once"))),
                Some(at) => {
                    seen[at] = true;
                    fields[at].json = Some(value.get()).filter(|json| *json != "null");
                }
                None => bad = bad.or_else(|| Some(self.unknown(&key))),
            }
        }
        Ok(bad.map_or(Ok(fields), Err))
    }
}

impl<const N: usize> Object<N> {
    fn unknown(&self, key: &str) -> FieldError {
        let key: String = key.chars().take(UNKNOWN_NAME_CHARS_MAX).collect();
        FieldError {
            pointer: format!("/{}", key.replace('~', "~0").replace('/', "~1")),
            detail: format!("unknown field {key}; the fields are {}", self.names.join(", ")),
        }
    }
}

/// A currency's code.
pub(crate) fn currency(field: Field) -> Result<String, FieldError> {
    let given = field.required()?;
    let rule = "must be a currency's code, three capital letters";
    let code = given.name(3).map_err(|_| given.refused(rule))?;
    let is_code = code.len() == 3 && code.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_code { Ok(code.into_owned()) } else { Err(given.refused(rule)) }
}

#[cfg(test)]
mod tests;
