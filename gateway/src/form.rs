//! A form: the JSON Schema (2020-12) that a sale has for the `data` of its reservations.
//!
//! A schema is a program that runs on every buyer's data, so it is held to what is quick: nothing outside of it is read,
//! its patterns take linear time, and it is small even where each `$ref` stands for what it names. `format` only annotates,
//! as the specification has it.

mod bounds;
mod limits;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use self::limits::{DETAIL_CHARS_MAX, PATTERN_BYTES_MAX};

pub(crate) use self::limits::{ERRORS_MAX, FORM_BYTES_MAX};

/// A schema, compiled.
#[derive(Debug)]
pub(crate) struct Form {
    text: String,
    validator: Option<Validator>,
}

/// What is wrong, and where: a JSON pointer (RFC 6901) into the schema, or into the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) path: String,
    pub(crate) detail: String,
}

/// Why data is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// At least one rule is broken; at most [`ERRORS_MAX`] are told.
    Breaks(Vec<Breach>),
    /// Nobody can tell: see [`Form::broken`].
    Unknown,
}

impl Form {
    /// Compiles a schema.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, Breach> {
        if text.len() > FORM_BYTES_MAX {
            return Err(Breach::whole(format!("must be at most {FORM_BYTES_MAX} bytes")));
        }
        let schema = serde_json::from_str(text).map_err(|error| Breach::whole(error.to_string()))?;
        bounds::check(&schema)?;
        jsonschema::draft202012::meta::validate(&schema).map_err(|error| Breach::of(&error))?;
        let patterns = PatternOptions::regex().size_limit(PATTERN_BYTES_MAX).dfa_size_limit(PATTERN_BYTES_MAX);
        let options = jsonschema::draft202012::options().offline().with_pattern_options(patterns);
        let validator = options.build(&schema).map_err(|error| Breach::of(&error))?;
        Ok(Self { text: text.to_owned(), validator: Some(validator) })
    }

    /// In the place of a schema that cannot be compiled any more. Data that nobody can check is not taken.
    pub(crate) fn broken(text: &str) -> Self {
        Self { text: text.to_owned(), validator: None }
    }

    /// The schema, as it was given.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether data follows the form. None is taken for `null`.
    ///
    /// # Errors
    /// Says which rules it breaks. No value of it is repeated.
    pub(crate) fn check(&self, data: Option<&str>) -> Result<(), Refused> {
        let Some(validator) = &self.validator else { return Err(Refused::Unknown) };
        let data: Value = match data.map(serde_json::from_str).transpose() {
            Ok(data) => data.unwrap_or_default(),
            // It is JSON: what is left is a number that is too large, or nesting that is too deep.
            Err(error) => return Err(Refused::Breaks(vec![Breach::whole(error.to_string())])),
        };
        if validator.is_valid(&data) {
            return Ok(());
        }
        let breaks = validator.iter_errors(&data).take(ERRORS_MAX).map(|error| Breach::of(&error));
        Err(Refused::Breaks(breaks.collect()))
    }
}

impl Breach {
    fn whole(detail: impl Into<String>) -> Self {
        Self { path: String::new(), detail: detail.into() }
    }

    fn of(error: &ValidationError<'_>) -> Self {
        let detail = error.masked().to_string().chars().take(DETAIL_CHARS_MAX).collect();
        Self { path: error.instance_path().as_str().to_owned(), detail }
    }
}

#[cfg(test)]
mod tests;
