//! A reply that is a map: its fields are found by name, so that peers of two releases understand each other. A field
//! that the reader does not know is passed over, and the order does not matter.

use crate::value::{Fields, Unreadable, Value};

/// The pairs of a map that were not taken yet.
#[derive(Debug)]
pub struct Map {
    pairs: Vec<(Vec<u8>, Value)>,
}

impl Map {
    /// The map that begins with `first` and goes on with `rest`; none: `first` is a code, not the name of a field.
    /// Codes are upper case, the names of fields lower case.
    ///
    /// # Errors
    /// When a name has no value, or is no string.
    pub fn begun(first: &str, rest: &mut Fields) -> Result<Option<Self>, Unreadable> {
        if !first.starts_with(|letter: char| letter.is_ascii_lowercase()) {
            return Ok(None);
        }
        let mut pairs = vec![(first.as_bytes().to_vec(), rest.value("field")?)];
        while !rest.is_empty() {
            pairs.push((rest.bytes("field")?, rest.value("field")?));
        }
        Ok(Some(Self { pairs }))
    }

    /// The map that `value` is.
    ///
    /// # Errors
    /// Names `what` when it is none.
    pub fn of(value: Value, what: &'static str) -> Result<Self, Unreadable> {
        let mut fields = Fields::of(value, what)?;
        let first = fields.text(what)?;
        Self::begun(&first, &mut fields)?.ok_or(Unreadable { what })
    }

    /// Takes a number that may be missing.
    ///
    /// # Errors
    /// Names the field when it is something else, or negative.
    pub fn optional_uint(&mut self, name: &'static str) -> Result<Option<u64>, Unreadable> {
        self.field(name).optional_uint(name)
    }

    /// Takes a number.
    ///
    /// # Errors
    /// Names the field when there is none, or it is something else, or negative.
    pub fn uint(&mut self, name: &'static str) -> Result<u64, Unreadable> {
        self.field(name).uint(name)
    }

    /// Takes text that may be missing.
    ///
    /// # Errors
    /// Names the field when it is something else, or not UTF-8.
    pub fn optional_text(&mut self, name: &'static str) -> Result<Option<String>, Unreadable> {
        self.field(name).optional_text(name)
    }

    /// Takes text.
    ///
    /// # Errors
    /// Names the field when there is none, or it is something else, or not UTF-8.
    pub fn text(&mut self, name: &'static str) -> Result<String, Unreadable> {
        self.field(name).text(name)
    }

    /// Takes a list, or a map as a list of its keys and values in turn.
    ///
    /// # Errors
    /// Names the field when there is none, or it is something else.
    pub fn list(&mut self, name: &'static str) -> Result<Fields, Unreadable> {
        self.field(name).array(name)
    }

    /// The field alone; where it is missing, as nothing.
    fn field(&mut self, name: &'static str) -> Fields {
        let place = self.pairs.iter().position(|(key, _)| key == name.as_bytes());
        Fields::one(place.map_or(Value::Null, |place| self.pairs.swap_remove(place).1))
    }
}
