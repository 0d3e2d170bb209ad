//! What the gateway reads of what clients send, for the fuzz targets. The gateway's own files are taken as they are:
//! with the rest of the package, each run would build the clients of three servers.

#![allow(dead_code, unreachable_pub, missing_docs)]

#[path = "../../gateway/src"]
mod gateway {
    pub(crate) mod data;
    pub(crate) mod form;
    pub(crate) mod limits;
    pub(crate) mod http {
        pub(crate) mod framing;

        /// What is left of the bytes of a connection that come in these pieces: what breaks a rule is spoiled.
        pub(crate) fn looked_at(bytes: &[u8], pieces: impl Iterator<Item = usize>) -> Vec<u8> {
            let (mut framing, mut bytes) = (framing::Framing::new(), bytes.to_vec());
            let mut at = 0;
            for piece in pieces {
                let end = (at + piece).min(bytes.len());
                framing.look(&mut bytes[at..end]);
                at = end;
            }
            framing.look(&mut bytes[at..]);
            bytes
        }
    }
}

pub(crate) use gateway::{data, form, limits};
use serde_json::Value;
use serde_json::value::RawValue;

/// A head, or several, with bodies: however it comes, the same of it is spoiled.
pub fn head(input: &[u8]) {
    let whole = gateway::http::looked_at(input, std::iter::empty());
    let single = gateway::http::looked_at(input, std::iter::repeat_n(1, input.len()));
    let threes = gateway::http::looked_at(input, std::iter::repeat_n(3, input.len() / 3));
    assert!(whole == single && whole == threes, "the pieces matter: {:?}", String::from_utf8_lossy(input));
}

/// A body's `data`: whatever passes the rule is the same JSON for every reader.
pub fn body(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(raw) = serde_json::from_str::<&RawValue>(text) else { return };
    if data::check(raw.get()).is_err() {
        return;
    }
    let value: Value = serde_json::from_str(raw.get()).expect("what passes can be read");
    let again = serde_json::to_string(&value).expect("it can be written");
    assert_eq!(serde_json::from_str::<Value>(&again).expect("and read"), value);
    assert!(!again.contains("\\u0000"), "{again}");
}

/// A schema and data, apart by a NUL. What the steps allow ends soon; libFuzzer's own limit says when it did not.
pub fn form(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Some((schema, data)) = text.split_once('\0') else { return };
    let Ok(form) = form::Form::new(schema) else { return };
    let Ok(data) = serde_json::from_str::<Value>(data) else { return };
    let _ = form.is_quick(&data);
    if let Err(form::Refused::Breaks(breaks)) = form.check(&data) {
        assert!(!breaks.is_empty() && breaks.len() <= form::ERRORS_MAX);
    }
}
