//! From the client library's values to the wire's.

use flash_wire::{Unreadable, Value};
use redis::Value as Reply;

/// Moves what FLASH.* replies are made of; RESP3's maps, sets and booleans become what RESP2 shows in their place.
pub(crate) fn of_reply(reply: Reply) -> Result<Value, Unreadable> {
    Ok(match reply {
        Reply::Nil => Value::Null,
        Reply::Int(value) => Value::Int(value),
        Reply::Boolean(value) => Value::Int(value.into()),
        Reply::BulkString(bytes) => Value::Bytes(bytes),
        Reply::SimpleString(text) => Value::Bytes(text.into_bytes()),
        Reply::Okay => Value::Bytes(b"OK".to_vec()),
        Reply::Array(values) | Reply::Set(values) => array(values.into_iter())?,
        Reply::Map(pairs) => array(pairs.into_iter().flat_map(|(key, value)| [key, value]))?,
        _ => return Err(Unreadable { what: "type" }),
    })
}

fn array(values: impl Iterator<Item = Reply>) -> Result<Value, Unreadable> {
    values.map(of_reply).collect::<Result<_, _>>().map(Value::Array)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reply: Reply, want: Result<Value, Unreadable>) {
        assert_eq!(of_reply(reply), want);
    }

    #[test]
    fn replies_of_both_protocols_mean_the_same() {
        let bytes = |text: &str| Value::Bytes(text.as_bytes().to_vec());
        check(Reply::Nil, Ok(Value::Null));
        check(Reply::Int(-1), Ok(Value::Int(-1)));
        check(Reply::SimpleString("RESERVED".to_owned()), Ok(bytes("RESERVED")));
        check(Reply::Okay, Ok(bytes("OK")));
        let list = vec![Reply::BulkString(b"held".to_vec()), Reply::Int(2)];
        let want = Value::Array(vec![bytes("held"), Value::Int(2)]);
        check(Reply::Array(list.clone()), Ok(want.clone()));
        check(Reply::Map(vec![(list[0].clone(), list[1].clone())]), Ok(want));
    }

    #[test]
    fn what_no_reply_holds_is_unreadable() {
        check(Reply::Array(vec![Reply::Double(1.0)]), Err(Unreadable { what: "type" }));
    }
}
