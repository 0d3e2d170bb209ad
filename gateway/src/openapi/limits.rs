//! Limits by their names, so that the document never has a number that the code does not have.

use flash_vault::KEY_KEPT_S;
use flash_wire::DEFAULT_LIMIT;
use flash_wire::limits::{
    BUYER_BYTES_MAX, DATA_BYTES_MAX, QUANTITY_UNITS_MAX, REQUEST_BYTES_MAX, RESERVATIONS_PER_BUYER_MAX, SKU_BYTES_MAX,
    SKUS_MAX, TIME_MS_MAX,
};
use flash_wire::message::SALE_BYTES_MAX;
use serde_json::Value;

use crate::form::{ERRORS_MAX, FORM_BYTES_MAX};
use crate::limits::{
    AUDIT_FRESH_MS, AUDIT_MS_MAX, AUDIT_PART_MS_MAX, BODY_BYTES_MAX, DATA_DEPTH_LEVELS_MAX, EXAMINATION_FRESH_MS,
    JOURNAL_EVENTS_DEFAULT, PAGE_ROWS_MAX, QUARANTINED_BYTES_MAX, SIMULATION_S_MAX, TIME_MS_MIN, WAIT_S_MAX,
};

macro_rules! named {
    ($($limit:ident),* $(,)?) => { [$((concat!("{", stringify!($limit), "}"), $limit as u64)),*] };
}

/// What a text says in braces, and what it means.
#[rustfmt::skip]
const LIMITS: &[(&str, u64)] = &named![
    AUDIT_FRESH_MS, AUDIT_MS_MAX, AUDIT_PART_MS_MAX, BODY_BYTES_MAX, BUYER_BYTES_MAX, DATA_BYTES_MAX,
    DATA_DEPTH_LEVELS_MAX, DEFAULT_LIMIT, ERRORS_MAX, EXAMINATION_FRESH_MS, FORM_BYTES_MAX, JOURNAL_EVENTS_DEFAULT,
    KEY_KEPT_S, PAGE_ROWS_MAX,
    QUANTITY_UNITS_MAX, QUARANTINED_BYTES_MAX, REQUEST_BYTES_MAX, RESERVATIONS_PER_BUYER_MAX, SALE_BYTES_MAX,
    SIMULATION_S_MAX, SKUS_MAX, SKU_BYTES_MAX, TIME_MS_MAX, TIME_MS_MIN, WAIT_S_MAX,
];

/// Puts numbers in the places of names, in all strings of a document. A string that is nothing but a name, perhaps
/// after a minus, becomes a number.
pub(super) fn fill(value: &mut Value) {
    match value {
        Value::String(text) => *value = filled(text),
        Value::Array(list) => list.iter_mut().for_each(fill),
        Value::Object(fields) => fields.values_mut().for_each(fill),
        _ => {}
    }
}

fn filled(text: &str) -> Value {
    let is_name = |text: &str| LIMITS.iter().any(|(name, _)| *name == text);
    let said = LIMITS.iter().fold(text.to_owned(), |said, (name, limit)| said.replace(name, &limit.to_string()));
    match said.parse::<i64>() {
        Ok(number) if is_name(text.trim_start_matches('-')) => number.into(),
        _ => said.into(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_in_braces_becomes_its_number() {
        let mut value =
            json!({"max": "{BUYER_BYTES_MAX}", "min": "-{SKUS_MAX}", "list": ["{SKUS_MAX} of {sale}", "7"]});
        fill(&mut value);
        assert_eq!(value, json!({"max": 128, "min": -64, "list": ["64 of {sale}", "7"]}));
    }
}
