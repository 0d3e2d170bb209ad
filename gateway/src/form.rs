//! A form: the JSON Schema (2020-12) that a sale has for the `data` of its reservations.
//!
//! A schema is a program that runs on every buyer's data, so it is held to what is quick: nothing outside of it is
//! read, its patterns take linear time, and it is small even with each `$ref` replaced by its target. What it costs
//! to check data is counted before it is checked, for two small things may have a large product. `format` only
//! annotates, as the specification has it.

mod bounds;
mod limits;
mod steps;

use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

use self::limits::{DETAIL_CHARS_MAX, EXPLAINED_STEPS_MAX, PATTERN_BYTES_MAX, QUICK_STEPS_MAX};

pub(crate) use self::limits::{CHECK_STEPS_MAX, ERRORS_MAX, FORM_BYTES_MAX};

/// A schema, compiled.
#[derive(Debug)]
pub(crate) struct Form {
    text: String,
    rules: Option<FormRules>,
}

#[derive(Debug)]
struct FormRules {
    schema: Value,
    validator: Validator,
}

/// What is wrong, and where: a JSON pointer (RFC 6901) into the schema, or into the data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Breach {
    pub(crate) path: String,
    pub(crate) detail: String,
}

/// Why data is not taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DataRefused {
    /// At least one rule is broken; the answer has at most [`ERRORS_MAX`] of them.
    Breaks(Vec<Breach>),
    /// The form cannot be used: see [`Form::broken`].
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
        Ok(Self { text: text.to_owned(), rules: Some(FormRules { schema, validator }) })
    }

    /// In the place of a schema that cannot be compiled any more. It takes no data, for nothing can check it.
    pub(crate) fn broken(text: &str) -> Self {
        Self { text: text.to_owned(), rules: None }
    }

    /// The schema, as it was given.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Whether [`Form::check`] is quick enough with this data for a thread that others wait for.
    pub(crate) fn is_quick(&self, data: &Value) -> bool {
        let Some(rules) = &self.rules else { return true };
        steps::count(&rules.schema, data, QUICK_STEPS_MAX).is_ok()
    }

    /// Whether data follows the form. A form describes an object: nothing else follows it, whatever the schema says of
    /// other types.
    ///
    /// # Errors
    /// Names the rules that the data breaks. It repeats no value of the data.
    pub(crate) fn check(&self, data: &Value) -> Result<(), DataRefused> {
        let Some(FormRules { schema, validator }) = &self.rules else { return Err(DataRefused::Unknown) };
        if !data.is_object() {
            return Err(Breach::whole("must be an object, because the sale has a form").into());
        }
        let Ok(steps) = steps::count(schema, data, CHECK_STEPS_MAX) else {
            let detail =
                format!("is too large for the sale's form: to check it takes more than {CHECK_STEPS_MAX} steps");
            return Err(Breach::whole(detail).into());
        };
        if validator.is_valid(data) {
            return Ok(());
        }
        // The library collects all errors before it gives the first one.
        if steps > EXPLAINED_STEPS_MAX {
            return Err(Breach::whole("does not follow the sale's form, and is too large to say where").into());
        }
        let breaks = validator.iter_errors(data).take(ERRORS_MAX).map(|error| Breach::of(&error));
        Err(DataRefused::Breaks(breaks.collect()))
    }
}

impl From<Breach> for DataRefused {
    fn from(breach: Breach) -> Self {
        Self::Breaks(vec![breach])
    }
}

impl Breach {
    pub(crate) fn whole(detail: impl Into<String>) -> Self {
        Self { path: String::new(), detail: detail.into() }
    }

    fn of(error: &ValidationError<'_>) -> Self {
        let detail = error.masked().to_string().chars().take(DETAIL_CHARS_MAX).collect();
        Self { path: error.instance_path().as_str().to_owned(), detail }
    }
}

#[cfg(test)]
mod tests;
