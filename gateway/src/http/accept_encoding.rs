//! In which coding a client takes an answer (RFC 9110, section 12.5.3).

use hyper::header::{ACCEPT_ENCODING, HeaderMap};

/// Whether it takes gzip, and would not rather have the answer as it is.
pub(crate) fn takes_gzip(headers: &HeaderMap) -> bool {
    let values = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let codings: Vec<(&str, f32)> = values.flat_map(|value| value.split(',')).filter_map(coding).collect();
    let weight = |names: &[&str]| {
        let is_named = |coding: &str| names.iter().any(|name| coding.eq_ignore_ascii_case(name));
        codings.iter().find(|(coding, _)| is_named(coding)).map(|(_, weight)| *weight)
    };
    let gzip = weight(&["gzip", "x-gzip"]).or_else(|| weight(&["*"])).unwrap_or(0.0);
    gzip > 0.0 && gzip >= weight(&["identity"]).unwrap_or(0.0)
}

/// A coding and its weight. One that breaks the rule is not there.
fn coding(text: &str) -> Option<(&str, f32)> {
    let Some((coding, parameter)) = text.split_once(';') else { return Some((text.trim(), 1.0)) };
    let (name, weight) = parameter.split_once('=')?;
    let weight = weight.trim().parse().ok().filter(|weight| (0.0..=1.0).contains(weight))?;
    name.trim().eq_ignore_ascii_case("q").then_some((coding.trim(), weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(values: &[&str], want: bool) {
        let headers = values.iter().map(|value| (ACCEPT_ENCODING, value.parse().unwrap())).collect();
        assert_eq!(takes_gzip(&headers), want, "{values:?}");
    }

    #[test]
    fn gzip_is_taken_where_it_is_named_and_not_weighed_less_than_the_answer_as_it_is() {
        for taken in ["gzip", "gzip, deflate, br, zstd", "br;q=1.0, GZIP ; Q=0.2", "x-gzip", "*", "deflate, *;q=0.1"] {
            check(&[taken], true);
        }
        for refused in ["", "br", "identity", "gzip;q=0", "gzip;q=0.000, *", "*;q=0", "gzip;q=0.4, identity;q=0.5"] {
            check(&[refused], false);
        }
        check(&["br", "gzip;q=0.5"], true);
        check(&[], false);
    }

    #[test]
    fn a_coding_that_breaks_the_rule_is_not_there() {
        for broken in ["gzip;q=2", "gzip;q=-1", "gzip;q=NaN", "gzip;q=", "gzip;q", "gzip;level=1", ";q=1", "gzip q=1"] {
            check(&[broken], false);
        }
        check(&["gzip;q=high, *;q=0.1"], true);
    }
}
