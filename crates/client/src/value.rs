//! From the client library's values to the wire's.

use flash_wire::{Unreadable, Value};
use redis::Value as Reply;

/// Moves what FLASH.* replies are made of.
pub(crate) fn of_reply(reply: Reply) -> Result<Value, Unreadable> {
    Ok(match reply {
        Reply::Nil => Value::Null,
        Reply::Int(value) => Value::Int(value),
        Reply::BulkString(bytes) => Value::Bytes(bytes),
        Reply::SimpleString(text) => Value::Bytes(text.into_bytes()),
        Reply::Okay => Value::Bytes(b"OK".to_vec()),
        Reply::Array(values) => Value::Array(values.into_iter().map(of_reply).collect::<Result<_, _>>()?),
        _ => return Err(Unreadable { what: "type" }),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reply: Reply, want: Result<Value, Unreadable>) {
        assert_eq!(of_reply(reply), want);
    }

    #[test]
    fn a_reply_is_a_tree_of_the_same_shape() {
        let bytes = |text: &str| Value::Bytes(text.as_bytes().to_vec());
        check(Reply::Nil, Ok(Value::Null));
        check(Reply::Int(-1), Ok(Value::Int(-1)));
        check(Reply::SimpleString("RESERVED".to_owned()), Ok(bytes("RESERVED")));
        check(Reply::Okay, Ok(bytes("OK")));
        let list = vec![Reply::BulkString(b"held".to_vec()), Reply::Int(2)];
        let want = Value::Array(vec![bytes("held"), Value::Int(2)]);
        check(Reply::Array(list), Ok(want));
    }

    #[test]
    fn what_no_reply_holds_is_unreadable() {
        check(Reply::Array(vec![Reply::Double(1.0)]), Err(Unreadable { what: "type" }));
    }
}
