//! What is said of a message beside its body. What somebody else has put there is none.

use flash_transport::{Outgoing, TIME_MS_MAX, TraceParent};
use lapin::types::{AMQPValue, FieldTable};

use crate::keys::MessageKeys;

/// The header that carries a trace, as the W3C's draft for AMQP calls it.
const TRACEPARENT: &str = "traceparent";

/// The header that says when the relay published the message, Unix milliseconds.
const PUBLISHED_AT_MS: &str = "published-at-ms";

/// The header that proves who published the message.
const MAC: &str = "flash-mac";

/// The headers of `message`, signed.
pub(crate) fn of(message: &Outgoing, keys: &MessageKeys) -> FieldTable {
    let mut headers = FieldTable::default();
    // What no header says is not signed either.
    let at_ms = message.published_at_ms.filter(|at_ms| *at_ms <= TIME_MS_MAX);
    if let Some(tag) = keys.sign(at_ms, &message.body) {
        headers.insert(MAC.into(), AMQPValue::LongString(tag.into()));
    }
    if let Some(at_ms) = message.published_at_ms.and_then(|at_ms| i64::try_from(at_ms).ok()) {
        headers.insert(PUBLISHED_AT_MS.into(), AMQPValue::LongLongInt(at_ms));
    }
    if let Some(trace) = &message.trace {
        headers.insert(TRACEPARENT.into(), AMQPValue::LongString(trace.as_str().into()));
    }
    headers
}

/// When a message was published, where its headers say it.
pub(crate) fn published_at_ms(headers: &FieldTable) -> Option<u64> {
    let at_ms = headers.inner().get(PUBLISHED_AT_MS)?.as_long_long_int()?;
    u64::try_from(at_ms).ok().filter(|at_ms| *at_ms <= TIME_MS_MAX)
}

/// What proves who published a message, where its headers have it.
pub(crate) fn mac(headers: &FieldTable) -> Option<&[u8]> {
    match headers.inner().get(MAC)? {
        AMQPValue::LongString(tag) => Some(tag.as_bytes()),
        _ => None,
    }
}

/// The trace of a message, where its headers name one.
pub(crate) fn trace(headers: &FieldTable) -> Option<TraceParent> {
    match headers.inner().get(TRACEPARENT)? {
        AMQPValue::LongString(value) => TraceParent::parse(value.as_bytes()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_time_says_when_a_message_was_published() {
        let check = |value: AMQPValue, want: Option<u64>| {
            let mut headers = FieldTable::default();
            headers.insert(PUBLISHED_AT_MS.into(), value);
            assert_eq!(published_at_ms(&headers), want, "{headers:?}");
        };
        assert_eq!(published_at_ms(&FieldTable::default()), None, "an older release says nothing");
        let latest = i64::try_from(TIME_MS_MAX).expect("a time");
        check(AMQPValue::LongLongInt(0), Some(0));
        check(AMQPValue::LongLongInt(latest), Some(TIME_MS_MAX));
        check(AMQPValue::LongLongInt(latest + 1), None);
        check(AMQPValue::LongLongInt(i64::MAX), None);
        check(AMQPValue::LongLongInt(-1), None);
        check(AMQPValue::Double(7.0), None);
        check(AMQPValue::LongString("7".into()), None);
        check(AMQPValue::Void, None);
    }

    #[test]
    fn a_clock_that_is_beyond_every_time_says_nothing() {
        let outgoing = |published_at_ms| Outgoing { id: String::new(), body: Vec::new(), published_at_ms, trace: None };
        for beyond in [None, Some(TIME_MS_MAX + 1), Some(u64::MAX)] {
            assert_eq!(published_at_ms(&of(&outgoing(beyond), &MessageKeys::default())), None, "{beyond:?}");
        }
        assert_eq!(published_at_ms(&of(&outgoing(Some(7)), &MessageKeys::default())), Some(7));
    }
}
