//! All that travels through the transport: messages, and barriers between them.

use std::borrow::Cow;

use flash_sale::Invalid;
use flash_sale::invalid::name;
use serde::{Deserialize, Serialize};

use crate::message::{BadMessage, MESSAGE_VERSION, Message};

/// A barrier's id.
pub const BARRIER_BYTES_MAX: usize = 64;

/// What a body holds.
#[derive(Debug, Clone, PartialEq)]
pub enum Envelope<'a> {
    /// A run of events.
    Events(Message<'a>),
    /// Everything that was published before it comes before it.
    Barrier(Barrier<'a>),
}

/// A mark in the stream of messages: once PostgreSQL has it, it has all that was queued before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Barrier<'a> {
    version: u64,
    #[serde(borrow, rename = "barrier")]
    id: Cow<'a, str>,
}

impl<'a> Barrier<'a> {
    /// A barrier by the name that its maker will look for.
    ///
    /// # Errors
    /// When the id is empty, longer than [`BARRIER_BYTES_MAX`], or holds control characters.
    pub fn new(id: &'a str) -> Result<Self, Invalid> {
        name("barrier", id.as_bytes(), BARRIER_BYTES_MAX)?;
        Ok(Self { version: MESSAGE_VERSION, id: id.into() })
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The barrier as JSON.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        // A string and a number into memory: nothing here can fail.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

impl<'a> Envelope<'a> {
    /// Reads a body and checks every field of it.
    ///
    /// # Errors
    /// Says what makes the body unreadable.
    pub fn decode(json: &'a [u8]) -> Result<Self, BadMessage> {
        let bad = match Message::decode(json) {
            Ok(message) => return Ok(Self::Events(message)),
            Err(bad) => bad,
        };
        // Nearly every body is a message, so that is what is tried first. What is neither is a bad message.
        match (bad, serde_json::from_slice::<Barrier>(json)) {
            (BadMessage::Json(_), Ok(barrier)) => {
                name("barrier", barrier.id.as_bytes(), BARRIER_BYTES_MAX)?;
                Ok(Self::Barrier(barrier))
            }
            (bad, _) => Err(bad),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, want: Result<&str, &str>) {
        match (Envelope::decode(json.as_bytes()), want) {
            (Ok(Envelope::Barrier(barrier)), Ok(id)) => assert_eq!(barrier.id(), id, "{json}"),
            (Ok(Envelope::Events(message)), Ok(sale)) => assert_eq!(message.sale, sale, "{json}"),
            (Err(bad), Err(want)) => assert!(bad.to_string().contains(want), "{json}: {bad} lacks {want}"),
            (got, _) => panic!("{json} is {got:?}, not {want:?}"),
        }
    }

    #[test]
    fn a_body_is_a_message_or_a_barrier_or_says_what_is_wrong() {
        let events = "\"events\":[{\"seq\":1,\"at_ms\":1,\"change\":\"closed\"}]";
        check("{\"version\":1,\"barrier\":\"b-1\"}", Ok("b-1"));
        check("{\"barrier\":\"\\u00fc\",\"version\":1}", Ok("ü"));
        check(&format!("{{\"version\":1,\"sale\":\"drop\",\"epoch\":1,{events}}}"), Ok("drop"));
        check("{\"version\":1,\"barrier\":\"\"}", Err("barrier must be 1 to 64 bytes"));
        check(&format!("{{\"version\":1,\"barrier\":\"{}\"}}", "b".repeat(65)), Err("barrier must be 1 to 64 bytes"));
        check("{\"version\":1,\"barrier\":\"a\\nb\"}", Err("barrier must not contain control characters"));
        check("{\"version\":2,\"barrier\":\"b\"}", Err("message version 2 is not 1"));
        check("{\"version\":1,\"barrier\":\"b\",\"sale\":\"drop\"}", Err("not a message"));
        check("{\"version\":1,\"barrier\":7}", Err("not a message"));
        check("{\"barrier\":\"b\"}", Err("not a message"));
        check("", Err("not a message"));
    }

    #[test]
    fn a_barrier_reads_back_and_a_bad_id_is_none() {
        let barrier = Barrier::new("b-1").unwrap();
        assert_eq!(String::from_utf8(barrier.encode()).unwrap(), "{\"version\":1,\"barrier\":\"b-1\"}");
        assert_eq!(Envelope::decode(&barrier.encode()), Ok(Envelope::Barrier(barrier.clone())));
        for id in ["", "a\nb", &"b".repeat(65)] {
            assert!(Barrier::new(id).is_err(), "{id:?}");
        }
    }
}
