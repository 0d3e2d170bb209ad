//! The query of a URL: `name=value` as a form writes it, each name at most once.

use std::borrow::Cow;

use super::problem::{Kind, Problem};

/// The largest number that a row can have: what PostgreSQL's bigint holds.
pub(crate) const NUMBER_MAX: u64 = i64::MAX.cast_unsigned();

/// The values of the names that there may be, in their order.
///
/// # Errors
/// When there is another name, or one twice, or a value that is not percent-encoded UTF-8 or has a NUL.
pub(crate) fn read<'a, const N: usize>(
    query: Option<&'a str>,
    names: [&str; N],
) -> Result<[Option<Cow<'a, str>>; N], Problem> {
    let query = query.unwrap_or_default();
    let mut values = [const { None }; N];
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        let at = names.iter().position(|of| *of == name).filter(|at| values[*at].is_none());
        let Some(at) = at else { return Err(bad(format!("the query may have {}, once each", names.join(", ")))) };
        // What is no UTF-8 is replaced by this character.
        if value.contains(char::REPLACEMENT_CHARACTER) || !is_encoded(query) {
            return Err(bad(format!("{name} must be percent-encoded UTF-8")));
        }
        // PostgreSQL's text cannot hold it.
        if value.contains('\0') {
            return Err(bad(format!("{name} must not contain NUL (%00)")));
        }
        values[at] = Some(value);
    }
    Ok(values)
}

/// Whether two hexadecimal digits follow each `%`.
fn is_encoded(query: &str) -> bool {
    let is_escape = |rest: &str| rest.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2;
    query.split('%').skip(1).all(is_escape)
}

/// A whole number within `min..=max`; `default`, if it is not given.
///
/// # Errors
/// When it is not such a number.
pub(crate) fn int(
    name: &str,
    value: Option<Cow<'_, str>>,
    (min, max): (u64, u64),
    default: u64,
) -> Result<u64, Problem> {
    let Some(value) = value else { return Ok(default) };
    let number = value.parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| bad(format!("{name} must be {min} to {max}")))
}

fn bad(detail: String) -> Problem {
    Problem::new(Kind::BadRequest, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(query: Option<&str>, want: Result<[Option<&str>; 2], &str>) {
        let got = read(query, ["after", "limit"]).map_err(|problem| problem.detail.unwrap_or_default());
        let got = got.as_ref().map(|values| values.each_ref().map(Option::as_deref));
        assert_eq!(got.map_err(AsRef::as_ref), want, "{query:?}");
    }

    #[test]
    fn a_query_has_the_names_that_it_may_have() {
        const MAY: Result<[Option<&str>; 2], &str> = Err("the query may have after, limit, once each");
        check(None, Ok([None, None]));
        check(Some(""), Ok([None, None]));
        check(Some("limit=5&after=x"), Ok([Some("x"), Some("5")]));
        check(Some("after"), Ok([Some(""), None]));
        check(Some("after=a=b"), Ok([Some("a=b"), None]));
        check(Some("after=%61%2B+b"), Ok([Some("a+ b"), None]));
        check(Some("after=x&after=y"), MAY);
        check(Some("before=x"), MAY);
        for broken in ["after=%", "after=%2", "after=%zz", "after=%+1", "after=%ff", "after=%c3"] {
            check(Some(broken), Err("after must be percent-encoded UTF-8"));
        }
        check(Some("after=a%00b"), Err("after must not contain NUL (%00)"));
    }

    #[test]
    fn a_number_has_its_bounds() {
        for (value, want) in [(None, Some(7)), (Some("1"), Some(1)), (Some("9"), Some(9))] {
            assert_eq!(int("limit", value.map(Cow::from), (1, 9), 7).ok(), want);
        }
        for bad in ["", "0", "10", "-1", "x", "99999999999999999999"] {
            assert_eq!(int("limit", Some(bad.into()), (1, 9), 7).unwrap_err().kind, Kind::BadRequest, "{bad}");
        }
    }
}
