//! How much work a form is with data: an upper bound, counted before the work is done.
//!
//! A check visits parts of the schema with parts of the data. The count visits the same pairs, asks nothing of them,
//! and stops at its limit. So the product of a schema and data is bounded, however small each of the two is.

use serde_json::{Map, Value};

use super::limits::{PATTERN_STEPS_PER_BYTE, TEXT_BYTES_PER_STEP, UNIQUE_STEPS_PER_VALUE};

/// The work is more than the limit.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Beyond;

/// Counts the steps of a check of `data` by `schema`.
///
/// # Errors
/// When there are more than `limit`.
pub(super) fn count(schema: &Value, data: &Value, limit: u64) -> Result<u64, Beyond> {
    let mut count = Count { root: schema, left: limit };
    count.schema(schema, data, 1)?;
    Ok(limit - count.left)
}

struct Count<'a> {
    root: &'a Value,
    left: u64,
}

impl<'a> Count<'a> {
    fn take(&mut self, steps: u64, times: u64) -> Result<(), Beyond> {
        self.left = self.left.checked_sub(steps.saturating_mul(times)).ok_or(Beyond)?;
        Ok(())
    }

    /// `times`: how often a check may come here with this part of the data.
    fn schema(&mut self, schema: &'a Value, data: &Value, times: u64) -> Result<(), Beyond> {
        self.take(1, times)?;
        let Value::Object(words) = schema else { return Ok(()) };
        // What marks the parts of the data that other rules have seen asks all of those rules once more.
        let marks = words.contains_key("unevaluatedProperties") || words.contains_key("unevaluatedItems");
        let times = if marks { times.saturating_mul(2) } else { times };
        words.iter().try_for_each(|(word, value)| self.word(word, value, data, times))
    }

    fn word(&mut self, word: &str, value: &'a Value, data: &Value, times: u64) -> Result<(), Beyond> {
        match (word, value, data) {
            ("$ref", Value::String(target), _) => {
                let target = target.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer));
                target.map_or(Ok(()), |schema| self.schema(schema, data, times))
            }
            // Each of them is asked whether it holds, and then, if none does, why not.
            ("anyOf" | "oneOf", Value::Array(schemas), _) => {
                schemas.iter().try_for_each(|schema| self.schema(schema, data, times.saturating_add(1)))
            }
            ("allOf", Value::Array(schemas), _) => {
                schemas.iter().try_for_each(|schema| self.schema(schema, data, times))
            }
            ("not" | "if" | "then" | "else", schema, _) => self.schema(schema, data, times.saturating_add(1)),
            ("dependentSchemas" | "dependencies", Value::Object(schemas), _) => {
                schemas.values().try_for_each(|schema| self.schema(schema, data, times))
            }
            (_, _, Value::Object(fields)) => self.word_of_object(word, value, fields, times),
            (_, _, Value::Array(entries)) => self.word_of_array(word, value, entries, times),
            ("pattern", _, Value::String(text)) => self.pattern(text, times),
            (_, _, Value::String(text)) => {
                self.take(1 + bytes(text) / TEXT_BYTES_PER_STEP + values(word, value), times)
            }
            _ => self.take(1 + values(word, value), times),
        }
    }

    fn word_of_object(
        &mut self,
        word: &str,
        value: &'a Value,
        fields: &Map<String, Value>,
        times: u64,
    ) -> Result<(), Beyond> {
        match (word, value) {
            ("properties", Value::Object(schemas)) => schemas.iter().try_for_each(|(name, schema)| {
                self.take(1, times)?;
                fields.get(name).map_or(Ok(()), |data| self.schema(schema, data, times))
            }),
            ("patternProperties", Value::Object(schemas)) => {
                for (schema, (name, data)) in
                    schemas.values().flat_map(|schema| fields.iter().map(move |field| (schema, field)))
                {
                    // What is left to other rules is found by the same pattern again.
                    self.pattern(name, times.saturating_mul(2))?;
                    self.schema(schema, data, times)?;
                }
                Ok(())
            }
            ("additionalProperties" | "unevaluatedProperties", schema) => {
                fields.values().try_for_each(|data| self.schema(schema, data, times))
            }
            ("propertyNames", schema) => {
                fields.keys().try_for_each(|name| self.schema(schema, &Value::String(name.clone()), times))
            }
            _ => self.take(1 + values(word, value), times),
        }
    }

    fn word_of_array(&mut self, word: &str, value: &'a Value, entries: &[Value], times: u64) -> Result<(), Beyond> {
        match (word, value) {
            ("items" | "contains" | "unevaluatedItems", schema) => {
                entries.iter().try_for_each(|data| self.schema(schema, data, times))
            }
            ("prefixItems", Value::Array(schemas)) => {
                schemas.iter().zip(entries).try_for_each(|(schema, data)| self.schema(schema, data, times))
            }
            ("uniqueItems", _) => {
                let entries = entries.iter().map(size).sum::<u64>();
                self.take(entries.saturating_mul(UNIQUE_STEPS_PER_VALUE), times)
            }
            _ => self.take(1 + values(word, value), times),
        }
    }

    fn pattern(&mut self, text: &str, times: u64) -> Result<(), Beyond> {
        self.take((1 + bytes(text)).saturating_mul(PATTERN_STEPS_PER_BYTE), times)
    }
}

/// The values that data is compared with, or the names that are looked for in it.
fn values(word: &str, value: &Value) -> u64 {
    match word {
        "const" | "enum" | "required" | "dependentRequired" => size(value),
        _ => 0,
    }
}

/// The values that there are in one.
fn size(value: &Value) -> u64 {
    1 + match value {
        Value::Array(entries) => entries.iter().map(size).sum(),
        Value::Object(fields) => fields.values().map(size).sum(),
        _ => 0,
    }
}

const fn bytes(text: &str) -> u64 {
    text.len() as u64
}
