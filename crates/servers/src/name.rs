//! Names that need no quoting: in SQL, in Erlang and in a url.

use crate::Error;

/// Is it 1 to `max` bytes of letters, digits, `_` and `-`?
pub(crate) fn check(kind: &'static str, name: &str, max: usize) -> Result<(), Error> {
    let is_plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if is_plain && (1..=max).contains(&name.len()) {
        return Ok(());
    }
    Err(Error::BadName { kind, name: name.into(), max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_pass() {
        let table = [("a-Z_09", true), ("", false), ("a b", false), ("a\"", false), ("é", false), ("a/b", false)];
        for (name, passes) in table {
            assert_eq!(check("database", name, 10).is_ok(), passes, "{name:?}");
        }
    }

    #[test]
    fn the_limit_counts() {
        assert!(check("vhost", "abc", 3).is_ok());
        let message = check("vhost", "abcd", 3).unwrap_err().to_string();
        assert!(message.contains("1 to 3 bytes"), "{message}");
    }
}
