//! The header `Host`: there is one, and it is a host. Where there are two, whoever stands in front of this gateway may have
//! gone by the other one.

use hyper::Version;
use hyper::header::HOST;
use hyper::http::request::Parts;

use super::problem::{Kind, Problem};

/// Passes a request that says to which host it goes, as HTTP/1.1 demands (RFC 9112, 3.2).
///
/// # Errors
/// When it says so not at all, twice, or in letters that no host has.
pub(crate) fn check_host(head: &Parts) -> Result<(), Problem> {
    let bad = |rule| Err(Problem::new(Kind::BadRequest, rule));
    let mut hosts = head.headers.get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (None, _) if head.version < Version::HTTP_11 => Ok(()),
        (None, _) => bad("Host is missing"),
        (Some(_), Some(_)) => bad("Host must stand there once"),
        (Some(host), None) if !host.as_bytes().iter().all(|byte| is_of_host(*byte)) => bad("Host must be a host"),
        (Some(_), None) => Ok(()),
    }
}

/// The letters of names, addresses and ports.
const fn is_of_host(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'%' | b':' | b'[' | b']')
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    fn check(version: Version, hosts: &[&str], want: Option<&str>) {
        let request = Request::builder().version(version);
        let request = hosts.iter().fold(request, |request, host| request.header(HOST, *host)).body(()).unwrap();
        let got = check_host(&request.into_parts().0).err().map(|problem| problem.detail.unwrap());
        assert_eq!(got.as_deref(), want, "{version:?} {hosts:?}");
    }

    #[test]
    fn a_request_goes_to_one_host() {
        let check_11 = |hosts: &[&str], want| check(Version::HTTP_11, hosts, want);
        for host in ["shop.example", "shop.example:8080", "127.0.0.1", "[2001:db8::1]:80", "a_b", ""] {
            check_11(&[host], None);
        }
        check_11(&[], Some("Host is missing"));
        check_11(&["a", "a"], Some("Host must stand there once"));
        for host in ["a b", "a,b", "a/b", "ada@a", "a?b", "a#b", "\u{e4}"] {
            check_11(&[host], Some("Host must be a host"));
        }
        check(Version::HTTP_10, &[], None);
        check(Version::HTTP_10, &["a", "b"], Some("Host must stand there once"));
    }
}
