//! A reply as a tree of RESP values, and the two ways across it: a [`Sink`] that the module writes replies into, and
//! [`Fields`], which the clients read them from.

use std::fmt;

/// One RESP value, as far as FLASH.* replies use them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing.
    Null,
    /// A number.
    Int(i64),
    /// A string, simple or bulk.
    Bytes(Vec<u8>),
    /// A list. A map is a list of its keys and values in turn, as RESP2 shows it.
    Array(Vec<Self>),
}

/// Where the module writes a reply. An array or a map announces its length, then its parts follow.
pub trait Sink {
    /// Begins an array of `length` values.
    fn array(&mut self, length: usize);
    /// Begins a map of `length` pairs.
    fn map(&mut self, length: usize);
    /// A number.
    fn int(&mut self, value: i64);
    /// A string.
    fn bytes(&mut self, bytes: &[u8]);
    /// A code: a short string known beforehand.
    fn code(&mut self, code: &'static str);
    /// Nothing.
    fn null(&mut self);

    /// A count, an id or a time. All of them have limits far below 2^63.
    fn uint(&mut self, value: u64) {
        self.int(i64::try_from(value).unwrap_or(i64::MAX));
    }

    /// A number or nothing.
    fn optional_uint(&mut self, value: Option<u64>) {
        match value {
            Some(value) => self.uint(value),
            None => self.null(),
        }
    }

    /// A pair of a map: a number or nothing.
    fn uint_pair(&mut self, key: &'static str, value: Option<u64>) {
        self.code(key);
        self.optional_uint(value);
    }

    /// A pair of a map: text or nothing.
    fn text_pair(&mut self, key: &'static str, value: Option<&str>) {
        self.code(key);
        match value {
            Some(text) => self.bytes(text.as_bytes()),
            None => self.null(),
        }
    }
}

/// A peer's answer that does not say what it should.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    /// What could not be read.
    pub what: &'static str,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "unreadable {} in the module's answer: do the module and this program have the same version?",
            self.what
        )
    }
}

impl std::error::Error for Unreadable {}

/// Takes the values of an array from the front.
#[derive(Debug)]
pub struct Fields {
    left: std::vec::IntoIter<Value>,
}

impl Fields {
    /// The values of `value`, which must be an array.
    ///
    /// # Errors
    /// Names `what` when it is something else.
    pub fn of(value: Value, what: &'static str) -> Result<Self, Unreadable> {
        match value {
            Value::Array(values) => Ok(Self { left: values.into_iter() }),
            _ => Err(Unreadable { what }),
        }
    }

    /// One value alone.
    pub(crate) fn one(value: Value) -> Self {
        Self { left: vec![value].into_iter() }
    }

    /// Whether nothing is left.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.left.as_slice().is_empty()
    }

    /// The next value, if there is one.
    pub fn try_next(&mut self) -> Option<Value> {
        self.left.next()
    }

    /// The next value.
    ///
    /// # Errors
    /// Names `what` when there is none.
    pub fn value(&mut self, what: &'static str) -> Result<Value, Unreadable> {
        self.left.next().ok_or(Unreadable { what })
    }

    /// The next value as an array's fields.
    ///
    /// # Errors
    /// Names `what` when there is none, or it is something else.
    pub fn array(&mut self, what: &'static str) -> Result<Self, Unreadable> {
        Self::of(self.value(what)?, what)
    }

    /// The next value as a number or nothing.
    ///
    /// # Errors
    /// Names `what` when there is no value, or it is something else, or negative.
    pub fn optional_uint(&mut self, what: &'static str) -> Result<Option<u64>, Unreadable> {
        match self.value(what)? {
            Value::Null => Ok(None),
            Value::Int(value) => u64::try_from(value).map(Some).map_err(|_| Unreadable { what }),
            _ => Err(Unreadable { what }),
        }
    }

    /// The next value as a number.
    ///
    /// # Errors
    /// Names `what` when there is none, or it is something else, or negative.
    pub fn uint(&mut self, what: &'static str) -> Result<u64, Unreadable> {
        self.optional_uint(what)?.ok_or(Unreadable { what })
    }

    /// The next value as bytes.
    ///
    /// # Errors
    /// Names `what` when there is none, or it is something else.
    pub fn bytes(&mut self, what: &'static str) -> Result<Vec<u8>, Unreadable> {
        match self.value(what)? {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(Unreadable { what }),
        }
    }

    /// The next value as text or nothing.
    ///
    /// # Errors
    /// Names `what` when there is no value, or it is something else, or not UTF-8.
    pub fn optional_text(&mut self, what: &'static str) -> Result<Option<String>, Unreadable> {
        match self.value(what)? {
            Value::Null => Ok(None),
            Value::Bytes(bytes) => String::from_utf8(bytes).map(Some).map_err(|_| Unreadable { what }),
            _ => Err(Unreadable { what }),
        }
    }

    /// The next value as a number, if there is a next one.
    ///
    /// # Errors
    /// Names `what` when it is something else, or negative.
    pub fn try_next_uint(&mut self, what: &'static str) -> Result<Option<u64>, Unreadable> {
        if self.is_empty() { Ok(None) } else { self.uint(what).map(Some) }
    }

    /// The next value as text, if there is a next one.
    ///
    /// # Errors
    /// Names `what` when it is something else, or not UTF-8.
    pub fn try_next_text(&mut self, what: &'static str) -> Result<Option<String>, Unreadable> {
        if self.is_empty() {
            return Ok(None);
        }
        self.text(what).map(Some)
    }

    /// The next value as text.
    ///
    /// # Errors
    /// Names `what` when there is none, or it is something else, or not UTF-8.
    pub fn text(&mut self, what: &'static str) -> Result<String, Unreadable> {
        String::from_utf8(self.bytes(what)?).map_err(|_| Unreadable { what })
    }

    /// The value that a reply begins with: a code, or a number where a command answers in numbers alone, in decimal.
    ///
    /// # Errors
    /// When there is none, or it is something else, or not UTF-8.
    pub fn code(&mut self) -> Result<String, Unreadable> {
        if let Some(Value::Int(number)) = self.left.as_slice().first() {
            let code = number.to_string();
            self.left.next();
            return Ok(code);
        }
        self.text("code")
    }
}

/// Builds a [`Value`] from what is written into it: the module's replies without a server.
#[derive(Debug, Default)]
pub struct Tree {
    open: Vec<(usize, Vec<Value>)>,
    done: Option<Value>,
}

impl Tree {
    /// What was written, once it is complete.
    #[must_use]
    pub fn finish(self) -> Option<Value> {
        self.done
    }

    fn begin(&mut self, length: usize) {
        self.open.push((length, Vec::new()));
        self.close_full();
    }

    fn push(&mut self, value: Value) {
        match self.open.last_mut() {
            Some((_, values)) => values.push(value),
            None => self.done = Some(value),
        }
        self.close_full();
    }

    fn close_full(&mut self) {
        while self.open.last().is_some_and(|(length, values)| values.len() == *length) {
            let Some((_, values)) = self.open.pop() else { return };
            match self.open.last_mut() {
                Some((_, parent)) => parent.push(Value::Array(values)),
                None => self.done = Some(Value::Array(values)),
            }
        }
    }
}

impl Sink for Tree {
    fn array(&mut self, length: usize) {
        self.begin(length);
    }

    fn map(&mut self, length: usize) {
        self.begin(length * 2);
    }

    fn int(&mut self, value: i64) {
        self.push(Value::Int(value));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        self.push(Value::Bytes(bytes.to_vec()));
    }

    fn code(&mut self, code: &'static str) {
        self.push(Value::Bytes(code.as_bytes().to_vec()));
    }

    fn null(&mut self) {
        self.push(Value::Null);
    }
}
