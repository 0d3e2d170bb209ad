//! Arguments of FLASH.* commands, in both directions.

use std::fmt;

use flash_sale::Invalid;
use flash_sale::invalid::in_range;

/// Where a client's arguments go: a pipeline's buffer, a list in a test.
pub trait ArgSink {
    /// Appends one argument.
    fn arg(&mut self, bytes: &[u8]);

    /// Appends a number in decimal.
    fn int(&mut self, value: u64) {
        self.arg(value.to_string().as_bytes());
    }

    /// Appends a keyword and a number, if there is one.
    fn option(&mut self, keyword: &str, value: Option<u64>) {
        if let Some(value) = value {
            self.arg(keyword.as_bytes());
            self.int(value);
        }
    }
}

impl ArgSink for Vec<Vec<u8>> {
    fn arg(&mut self, bytes: &[u8]) {
        self.push(bytes.to_vec());
    }
}

/// Arguments that cannot be taken. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ArgError {
    /// Too few or too many.
    Arity,
    /// One that breaks its rule.
    Invalid(Invalid),
}

impl From<Invalid> for ArgError {
    fn from(invalid: Invalid) -> Self {
        Self::Invalid(invalid)
    }
}

impl fmt::Display for ArgError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Arity => f.write_str("wrong number of arguments"),
            Self::Invalid(invalid) => invalid.fmt(f),
        }
    }
}

impl std::error::Error for ArgError {}

/// The first word of the error reply to bad input; the field's name and its rule follow.
pub const INVALID: &str = "INVALID";

/// Takes arguments from the front. They stay bytes: nothing is believed to be text before it is checked.
#[derive(Debug)]
pub struct Args<'s, 'a> {
    left: &'s [&'a [u8]],
}

impl<'s, 'a> Args<'s, 'a> {
    /// The arguments that follow the command's name, or its name and key.
    #[must_use]
    pub const fn new(args: &'s [&'a [u8]]) -> Self {
        Self { left: args }
    }

    /// The next argument, if there is one.
    pub fn try_next(&mut self) -> Option<&'a [u8]> {
        let (&first, rest) = self.left.split_first()?;
        self.left = rest;
        Some(first)
    }

    /// The next argument.
    ///
    /// # Errors
    /// When there is none.
    #[expect(clippy::should_implement_trait, reason = "a missing argument is an error here, not an end")]
    pub fn next(&mut self) -> Result<&'a [u8], ArgError> {
        self.try_next().ok_or(ArgError::Arity)
    }

    /// Takes the next argument if it is `keyword`, in any case.
    pub fn keyword(&mut self, keyword: &str) -> bool {
        let found = self.left.first().is_some_and(|arg| is(arg, keyword));
        if found {
            self.left = &self.left[1..];
        }
        found
    }

    /// The next argument as a number within `min..=max`.
    ///
    /// # Errors
    /// Names `field` and its bounds.
    pub fn int(&mut self, field: &'static str, min: u64, max: u64) -> Result<u64, ArgError> {
        let value = decimal(self.next()?);
        let value = value.ok_or_else(|| Invalid::new(field, format!("must be a whole number, {min} to {max}")))?;
        Ok(in_range(field, value, min, max)?)
    }

    /// The next argument as a number within `min..=max` that may be negative: `+5`, `5` or `-5`.
    ///
    /// # Errors
    /// Names `field` and its bounds.
    pub fn signed(&mut self, field: &'static str, min: i32, max: i32) -> Result<i32, ArgError> {
        let value = signed_decimal(self.next()?).and_then(|value| i32::try_from(value).ok());
        let value = value.filter(|value| (min..=max).contains(value));
        value.ok_or_else(|| Invalid::new(field, format!("must be a whole number, {min} to {max}")).into())
    }

    /// The next argument as a change of a number: `+5`, `5` or `-5`, but not 0, and by at most `max`.
    ///
    /// # Errors
    /// Names `field` and its bounds.
    pub fn delta(&mut self, field: &'static str, max: u64) -> Result<i64, ArgError> {
        let delta = signed_decimal(self.next()?).filter(|delta| (1..=max).contains(&delta.unsigned_abs()));
        delta.ok_or_else(|| Invalid::new(field, format!("must be a whole number, -{max} to {max}, and not 0")).into())
    }

    /// Nothing may be left.
    ///
    /// # Errors
    /// When something is.
    pub const fn end(&self) -> Result<(), ArgError> {
        if self.left.is_empty() { Ok(()) } else { Err(ArgError::Arity) }
    }
}

/// Whether `arg` is `keyword`, in any case.
pub(crate) fn is(arg: &[u8], keyword: &str) -> bool {
    arg.eq_ignore_ascii_case(keyword.as_bytes())
}

/// Keeps the value of an option that may be given once.
pub(crate) fn once<T>(slot: &mut Option<T>, option: &'static str, value: T) -> Result<(), ArgError> {
    if slot.replace(value).is_none() {
        return Ok(());
    }
    Err(Invalid::new(option, "must be given once").into())
}

/// The error for an argument where an option was expected.
pub(crate) fn unknown_option(expected: &str) -> ArgError {
    Invalid::new("option", format!("must be one of {expected}")).into()
}

fn decimal(arg: &[u8]) -> Option<u64> {
    let append = |value: u64, byte: &u8| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    };
    if arg.is_empty() { None } else { arg.iter().try_fold(0, append) }
}

fn signed_decimal(arg: &[u8]) -> Option<i64> {
    let (is_negative, digits) = match arg.split_first() {
        Some((b'-', digits)) => (true, digits),
        Some((b'+', digits)) => (false, digits),
        _ => (false, arg),
    };
    let value = i64::try_from(decimal(digits)?).ok()?;
    Some(if is_negative { -value } else { value })
}
