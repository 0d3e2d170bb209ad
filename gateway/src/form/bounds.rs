//! What a schema may be, besides a schema: small, finite, and sufficient to itself.
//!
//! The walk knows no vocabulary: a word counts in every place, in an example too. That refuses a few schemas that
//! would do no harm, and overlooks none that would.

use serde_json::Value;

use super::Breach;
use super::limits::{DEPTH_LEVELS_MAX, PATTERNS_MAX, VALUES_MAX};

const DRAFT: &str = "https://json-schema.org/draft/2020-12/schema";
/// Words that give a part of the schema another name than its place, so that a `$ref` might mean anything.
const NAMES: [&str; 5] = ["$id", "$anchor", "$dynamicAnchor", "$dynamicRef", "$recursiveRef"];

/// Checks a schema.
///
/// # Errors
/// Names the rule and the place.
pub(super) fn check(schema: &Value) -> Result<(), Breach> {
    if !schema.is_object() {
        return Err(Breach::whole("must be an object"));
    }
    if !may_be_an_object(&schema["type"]) {
        return Err(Breach {
            path: "/type".to_owned(),
            detail: "must allow an object, because data with a form is one".to_owned(),
        });
    }
    let mut walk = Walk { schema, path: String::new(), depth: 0, values: 0, patterns: 0 };
    walk.value(schema)
}

/// Whether a schema's `type` allows an object. What is no type is refused as such later.
fn may_be_an_object(of: &Value) -> bool {
    const TYPES: [&str; 6] = ["array", "boolean", "integer", "null", "number", "string"];
    let is_another = |of: &Value| of.as_str().is_some_and(|of| TYPES.contains(&of));
    match of {
        Value::Array(types) => types.is_empty() || !types.iter().all(is_another),
        of => !is_another(of),
    }
}

struct Walk<'a> {
    schema: &'a Value,
    path: String,
    depth: usize,
    values: usize,
    patterns: usize,
}

impl<'a> Walk<'a> {
    fn value(&mut self, value: &'a Value) -> Result<(), Breach> {
        self.values += 1;
        if self.values > VALUES_MAX {
            return self.refuse(format!("is beyond the {VALUES_MAX} values that a form may have, each $ref replaced"));
        }
        if self.depth >= DEPTH_LEVELS_MAX {
            return self.refuse(format!("is nested deeper than {DEPTH_LEVELS_MAX}, or refers to itself"));
        }
        self.depth += 1;
        match value {
            Value::Object(fields) => {
                for (name, value) in fields {
                    self.within(&name.replace('~', "~0").replace('/', "~1"), |walk| walk.field(name, value))?;
                }
            }
            Value::Array(entries) => {
                for (at, value) in entries.iter().enumerate() {
                    self.within(&at.to_string(), |walk| walk.value(value))?;
                }
            }
            _ => {}
        }
        self.depth -= 1;
        Ok(())
    }

    fn field(&mut self, name: &str, value: &'a Value) -> Result<(), Breach> {
        match (name, value) {
            ("$schema", Value::String(draft)) if draft.trim_end_matches('#') != DRAFT => {
                return self.refuse(format!("must be {DRAFT}"));
            }
            ("$ref", Value::String(target)) => return self.target(target),
            ("pattern", Value::String(_)) => self.count_patterns(1)?,
            ("patternProperties", Value::Object(patterns)) => self.count_patterns(patterns.len())?,
            (name, Value::String(_)) if NAMES.contains(&name) => return self.refuse("is not taken"),
            _ => {}
        }
        self.value(value)
    }

    fn target(&mut self, target: &str) -> Result<(), Breach> {
        let Some(value) = target.strip_prefix('#').and_then(|pointer| self.schema.pointer(pointer)) else {
            return self.refuse("must be a place in this form, as in #/$defs/name");
        };
        // Whatever is wrong with what it names, this is its place in the text.
        let path = self.path.clone();
        self.value(value).map_err(|breach| Breach { path, ..breach })
    }

    fn count_patterns(&mut self, count: usize) -> Result<(), Breach> {
        self.patterns += count;
        if self.patterns > PATTERNS_MAX {
            return self.refuse(format!("is beyond the {PATTERNS_MAX} patterns that a form may have"));
        }
        Ok(())
    }

    fn within(&mut self, part: &str, look: impl FnOnce(&mut Self) -> Result<(), Breach>) -> Result<(), Breach> {
        let length = self.path.len();
        self.path.push('/');
        self.path.push_str(part);
        look(self)?;
        self.path.truncate(length);
        Ok(())
    }

    fn refuse(&self, detail: impl Into<String>) -> Result<(), Breach> {
        Err(Breach { path: self.path.clone(), detail: detail.into() })
    }
}
