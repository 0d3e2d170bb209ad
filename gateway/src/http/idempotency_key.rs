//! The `Idempotency-Key` header: a quoted string by its draft, bare by custom.

use std::borrow::Cow;

use flash_wire::invalid::name;
use flash_wire::limits::REQUEST_BYTES_MAX;
use hyper::HeaderMap;
use hyper::header::HeaderName;

use super::problem::{Kind, Problem};

const HEADER: &str = "Idempotency-Key";
const NAME: HeaderName = HeaderName::from_static("idempotency-key");

/// The id that the client gave its request, if it gave one.
///
/// # Errors
/// When the header occurs twice, or is not 1 to [`REQUEST_BYTES_MAX`] readable bytes.
pub(crate) fn of(headers: &HeaderMap) -> Result<Option<Cow<'_, str>>, Problem> {
    let mut values = headers.get_all(NAME).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(bad("must be given once"));
    }
    let key = match value.as_bytes().strip_prefix(b"\"") {
        Some(quoted) => unquoted(quoted).ok_or_else(|| bad("must end with the quote that it begins with"))?,
        None => Cow::Borrowed(value.as_bytes()),
    };
    match key {
        Cow::Borrowed(key) => name(HEADER, key, REQUEST_BYTES_MAX).map(Cow::from),
        Cow::Owned(key) => name(HEADER, &key, REQUEST_BYTES_MAX).map(|key| key.to_owned().into()),
    }
    .map(Some)
    .map_err(|invalid| Problem::new(Kind::BadRequest, invalid.to_string()))
}

fn bad(rule: &str) -> Problem {
    Problem::new(Kind::BadRequest, format!("{HEADER} {rule}"))
}

/// The text before the closing quote, which must be the end. A backslash takes the next byte as it is.
fn unquoted(quoted: &[u8]) -> Option<Cow<'_, [u8]>> {
    let plain = quoted.strip_suffix(b"\"")?;
    if !plain.iter().any(|byte| b"\"\\".contains(byte)) {
        return Some(plain.into());
    }
    let mut bytes = quoted.iter();
    let mut key = Vec::with_capacity(plain.len());
    loop {
        match bytes.next()? {
            b'"' => return bytes.next().is_none().then_some(key.into()),
            b'\\' => key.push(*bytes.next()?),
            byte => key.push(*byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    fn check(values: &[&[u8]], want: Result<Option<&str>, &str>) {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(HEADER, HeaderValue::from_bytes(value).unwrap());
        }
        let got = of(&headers).map_err(|problem| problem.detail.unwrap_or_default());
        let got = got.as_ref().map(Option::as_deref).map_err(AsRef::as_ref);
        assert_eq!(got, want, "{values:?}");
    }

    #[test]
    fn a_key_may_be_quoted_or_bare() {
        check(&[], Ok(None));
        check(&[b"8e03978e-40d5"], Ok(Some("8e03978e-40d5")));
        check(&[b"\"8e03978e-40d5\""], Ok(Some("8e03978e-40d5")));
        check(&[br#""a \"b\" \\c""#], Ok(Some(r#"a "b" \c"#)));
        check(&["Zo\u{eb}".as_bytes()], Ok(Some("Zo\u{eb}")));
        check(&[&[b'k'; REQUEST_BYTES_MAX]], Ok(Some(&"k".repeat(REQUEST_BYTES_MAX))));
    }

    #[test]
    fn a_bad_key_is_refused_with_its_rule() {
        const LENGTH: &str = "Idempotency-Key must be 1 to 128 bytes";
        const QUOTE: &str = "Idempotency-Key must end with the quote that it begins with";
        check(&[b""], Err(LENGTH));
        check(&[b"\"\""], Err(LENGTH));
        check(&[&[b'k'; REQUEST_BYTES_MAX + 1]], Err(LENGTH));
        check(&[b"\"a"], Err(QUOTE));
        check(&[b"\""], Err(QUOTE));
        check(&[b"\"a\\\""], Err(QUOTE));
        check(&[b"\"a\";b=1"], Err(QUOTE));
        check(&[b"\"a\" \"b\""], Err(QUOTE));
        check(&[b"a\tb"], Err("Idempotency-Key must not contain control characters"));
        check(&[b"\xff"], Err("Idempotency-Key must be UTF-8"));
        check(&[b"a", b"a"], Err("Idempotency-Key must be given once"));
    }
}
