//! Replies, read from a connection's bytes as they come (RESP2). The library's own reader begins each reply anew with
//! every piece that comes, and took a fifth of the instructions of a reservation (callgrind).

use std::io;

use bytes::{Buf, BytesMut};
use memchr::memchr;
use redis::Value;

/// The longest string that a reply may hold: what Redis itself allows is eight times that.
const STRING_BYTES_MAX: usize = 64 * 1024 * 1024;
/// The longest line: a number, a status or an error.
const LINE_BYTES_MAX: usize = 64 * 1024;
/// How deep lists may stand in lists.
const DEPTH_MAX: usize = 8;
/// Room that a list gets before its values have come: what it says of its length is not believed beyond that.
const LIST_ROOM_MAX: usize = 1_024;

/// What has come, up to the reply that is not whole yet.
#[derive(Debug, Default)]
pub(crate) struct Replies {
    pub(crate) bytes: BytesMut,
    /// The lists that are not whole, from the outermost.
    lists: Vec<List>,
}

#[derive(Debug)]
struct List {
    values: Vec<Value>,
    left: usize,
}

enum Item {
    Value(Value),
    List(usize),
}

impl Replies {
    /// The next reply that is whole.
    ///
    /// # Errors
    /// When what comes is no reply. The connection is of no use any more.
    pub(crate) fn next(&mut self) -> io::Result<Option<Value>> {
        while let Some(item) = self.item()? {
            let value = match item {
                Item::Value(value) => value,
                Item::List(0) => Value::Array(Vec::new()),
                Item::List(left) => {
                    if self.lists.len() == DEPTH_MAX {
                        return Err(broken("lists too deep in lists"));
                    }
                    self.lists.push(List { values: Vec::with_capacity(left.min(LIST_ROOM_MAX)), left });
                    continue;
                }
            };
            if let Some(reply) = self.put(value) {
                return Ok(Some(reply));
            }
        }
        Ok(None)
    }

    /// Puts a value where it belongs; gives the reply that is whole by it.
    fn put(&mut self, mut value: Value) -> Option<Value> {
        while let Some(list) = self.lists.last_mut() {
            list.values.push(value);
            list.left -= 1;
            if list.left > 0 {
                return None;
            }
            value = Value::Array(self.lists.pop()?.values);
        }
        Some(value)
    }

    fn item(&mut self) -> io::Result<Option<Item>> {
        let Some(end) = memchr(b'\n', &self.bytes) else {
            return if self.bytes.len() > LINE_BYTES_MAX { Err(broken("a line without an end")) } else { Ok(None) };
        };
        let (line, whole) = (&self.bytes[..end], end + 1);
        let Some((kind, text)) = line.strip_suffix(b"\r").and_then(<[u8]>::split_first) else {
            return Err(broken("a line of nothing"));
        };
        let value = match kind {
            b'*' => match length(text, usize::MAX)? {
                Some(length) => Item::List(length),
                None => Item::Value(Value::Nil),
            },
            b'$' => match length(text, STRING_BYTES_MAX)? {
                Some(length) => return self.string(whole, length),
                None => Item::Value(Value::Nil),
            },
            b':' => Item::Value(Value::Int(number(text)?)),
            b'+' if text == b"OK" => Item::Value(Value::Okay),
            b'+' => Item::Value(Value::SimpleString(utf8(text)?.to_owned())),
            // Errors are rare, and the library knows what they mean.
            b'-' => Item::Value(redis::parse_redis_value(&self.bytes[..whole]).map_err(io::Error::other)?),
            _ => return Err(broken("a type that RESP2 has not")),
        };
        self.bytes.advance(whole);
        Ok(Some(value))
    }

    /// The string of `length` bytes after a line that ends at `start`.
    fn string(&mut self, start: usize, length: usize) -> io::Result<Option<Item>> {
        let end = start + length;
        let Some(tail) = self.bytes.get(end..end + 2) else { return Ok(None) };
        if tail != b"\r\n" {
            return Err(broken("a string of another length"));
        }
        let string = self.bytes[start..end].to_vec();
        self.bytes.advance(end + 2);
        Ok(Some(Item::Value(Value::BulkString(string))))
    }
}

/// A length; none: there is nothing.
fn length(text: &[u8], max: usize) -> io::Result<Option<usize>> {
    match number(text)? {
        -1 => Ok(None),
        length => {
            usize::try_from(length).ok().filter(|length| *length <= max).map(Some).ok_or_else(|| broken("a length"))
        }
    }
}

fn number(text: &[u8]) -> io::Result<i64> {
    utf8(text)?.parse().map_err(|_| broken("a number"))
}

fn utf8(text: &[u8]) -> io::Result<&str> {
    std::str::from_utf8(text).map_err(|_| broken("a text"))
}

fn broken(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("what Redis answered cannot be read: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read where all comes at once, and where each byte comes alone.
    fn check(bytes: &[u8], want: &[Value]) {
        let whole = read(&[bytes]).unwrap();
        let bytewise = read(&bytes.chunks(1).collect::<Vec<_>>()).unwrap();
        assert_eq!((&whole[..], &bytewise[..]), (want, want), "{}", String::from_utf8_lossy(bytes));
    }

    fn read(pieces: &[&[u8]]) -> io::Result<Vec<Value>> {
        let (mut replies, mut read) = (Replies::default(), Vec::new());
        for piece in pieces {
            replies.bytes.extend_from_slice(piece);
            while let Some(reply) = replies.next()? {
                read.push(reply);
            }
        }
        Ok(read)
    }

    #[test]
    fn replies_are_read_however_they_are_cut() {
        let string = |text: &str| Value::BulkString(text.as_bytes().to_vec());
        let status = |text: &str| Value::SimpleString(text.to_owned());
        check(b"", &[]);
        check(
            b"+OK\r\n+RESERVED\r\n:-7\r\n$-1\r\n*-1\r\n",
            &[Value::Okay, status("RESERVED"), Value::Int(-7), Value::Nil, Value::Nil],
        );
        check(b"$0\r\n\r\n$4\r\na\r\nb\r\n", &[string(""), string("a\r\nb")]);
        let inner = Value::Array(vec![status("s"), Value::Array(vec![])]);
        check(
            b"*3\r\n*2\r\n+s\r\n*0\r\n:1\r\n$1\r\nx\r\n:2\r\n",
            &[Value::Array(vec![inner, Value::Int(1), string("x")]), Value::Int(2)],
        );
        check(b"*2\r\n$1\r\nx\r\n", &[]);
    }

    #[test]
    fn an_error_is_what_the_library_makes_of_it() {
        let error = b"-INVALID id must be 1 to 9\r\n";
        check(error, &[redis::parse_redis_value(error).unwrap()]);
        assert!(matches!(redis::parse_redis_value(error).unwrap(), Value::ServerError(_)));
    }

    #[test]
    fn what_is_no_reply_breaks_the_connection_and_nothing_else() {
        let deep = "*1\r\n".repeat(DEPTH_MAX + 1);
        let long = "+".repeat(LINE_BYTES_MAX + 1);
        let bad =
            ["\r\n", "+OK\n", "x\r\n", ":\r\n", ":1x\r\n", ":9223372036854775808\r\n", "$-2\r\n", "$67108865\r\n"];
        for bytes in bad.into_iter().chain(["$1\r\nxy\r\n", "*-2\r\n", "*x\r\n", &deep, &long]) {
            assert!(read(&[bytes.as_bytes()]).is_err(), "{bytes}");
        }
        // No room is made for what has not come.
        assert_eq!(read(&[b"*9223372036854775807\r\n:1\r\n"]).unwrap(), []);
    }
}
