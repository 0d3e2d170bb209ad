//! The header `Host`: there is one, and it is a host. Where there are two, a server in front of this gateway may have
//! gone by the other one.
//!
//! A gateway that asks nothing of a caller serves only hosts that it knows ([`Hosts`]). To a browser, a page whose own
//! name leads to this machine (DNS rebinding) is one of this gateway's; what it cannot change is the name.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

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

/// A host by whose name a gateway is served: `shop.example` or an address, without a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Host(String);

impl FromStr for Host {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        let is_name =
            !bare.is_empty() && bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if is_name || bare.parse::<IpAddr>().is_ok() {
            return Ok(Self(canonical(bare)));
        }
        Err(format!("{text:?} is not a host name or address without a port, like shop.example or 192.0.2.7"))
    }
}

/// The hosts that a gateway without authentication serves.
#[derive(Debug, Clone, Default)]
pub(crate) struct Hosts(Vec<Host>);

impl Hosts {
    /// Those that are configured, and the address that the gateway listens on. This machine is always among them.
    pub(crate) fn new(configured: &[Host], listen: SocketAddr) -> Self {
        let own = Some(listen.ip()).filter(|address| !address.is_unspecified());
        let own = own.map(|address| Host(canonical(&address.to_string())));
        Self(configured.iter().cloned().chain(own).collect())
    }

    /// Passes a request that goes to one of them. One that names no host (HTTP/1.0) is no browser's.
    ///
    /// # Errors
    /// When it goes to another one.
    pub(crate) fn check(&self, head: &Parts) -> Result<(), Problem> {
        let said = head.headers.get(HOST).map(|host| host.to_str().unwrap_or_default());
        let asked = head.uri.authority().map(|authority| authority.as_str());
        match said.into_iter().chain(asked).all(|host| self.has(host)) {
            true => Ok(()),
            false => Err(Kind::Misdirected.into()),
        }
    }

    fn has(&self, authority: &str) -> bool {
        let name = canonical(name_of(authority));
        let is_here = name == "localhost" || name.parse().is_ok_and(|address: IpAddr| address.is_loopback());
        is_here || self.0.iter().any(|host| host.0 == name)
    }
}

/// What of a host with a port is the host, without brackets.
fn name_of(authority: &str) -> &str {
    if let Some((name, _)) = authority.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return name;
    }
    authority.split_once(':').map_or(authority, |(name, _)| name)
}

/// The same for every way to write it.
fn canonical(name: &str) -> String {
    match name.parse::<IpAddr>() {
        Ok(address) => address.to_canonical().to_string(),
        Err(_) => name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase(),
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
    fn a_gateway_that_asks_nothing_of_a_caller_serves_hosts_that_it_knows() {
        let configured = ["Shop.example", "192.0.2.7", "[2001:db8::1]"].map(|host| host.parse().unwrap());
        let check = |listen: &str, target: &str, host: Option<&str>, want: bool| {
            let hosts = Hosts::new(&configured, listen.parse().unwrap());
            let request = Request::builder().uri(target);
            let request = host.into_iter().fold(request, |request, host| request.header(HOST, host));
            let got = hosts.check(&request.body(()).unwrap().into_parts().0);
            assert_eq!(
                got.map_err(|problem| problem.kind),
                if want { Ok(()) } else { Err(Kind::Misdirected) },
                "{host:?}"
            );
        };
        let own = ["localhost", "LocalHost:8080", "localhost.", "127.0.0.1:9", "127.3.2.1", "[::1]", "[::1]:80"];
        let told = ["shop.example", "SHOP.example:8443", "192.0.2.7:80", "[2001:db8::1]", "[2001:DB8:0::1]:80"];
        for host in own.into_iter().chain(told) {
            check("0.0.0.0:8080", "/", Some(host), true);
        }
        check("10.0.0.5:8080", "/", Some("10.0.0.5:8080"), true);
        check("10.0.0.5:8080", "/", None, true);
        for host in [
            "",
            "rebind.evil.example",
            "evil.example:8080",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "10.0.0.6",
            "shop.example.evil.example",
            "notlocalhost",
            "[::2]",
            "0.0.0.0",
            "[::]",
            "2130706433",
            "0x7f000001",
            "127.1",
        ] {
            check("0.0.0.0:8080", "/", Some(host), false);
            check("10.0.0.5:8080", "/", Some(host), false);
        }
        check("0.0.0.0:8080", "http://evil.example/", Some("localhost"), false);
        check("0.0.0.0:8080", "http://localhost/", Some("localhost"), true);
        for bad in ["", "a b", "shop.example:80", "http://a", "*"] {
            assert!(bad.parse::<Host>().is_err(), "{bad}");
        }
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
