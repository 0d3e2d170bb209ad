//! Where a webhook is, and whether this gateway may go there.
//!
//! An operator's URL is fetched from within the network: it must not reach what only that network is to reach. So the
//! addresses of a name are checked each time, and the connection goes to one that was checked.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use hyper::Uri;
use hyper::http::uri::Scheme;

use crate::limits::WEBHOOK_URL_BYTES_MAX;

/// A URL, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub struct Target {
    pub(crate) is_https: bool,
    /// The name or the address, without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    /// What the header `Host` says.
    pub(crate) authority: String,
    pub(crate) path: String,
}

/// Why a URL is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TargetError {
    /// It is not absolute, not of HTTP, or too long.
    #[error("must be an absolute http or https URL of at most {WEBHOOK_URL_BYTES_MAX} bytes")]
    Unreadable,
    /// It names a user.
    #[error("must not hold a user or a password")]
    User,
    /// Its port is none.
    #[error("must have a port of 1 to 65535, or none")]
    Port,
    /// Only this network reaches it.
    #[error("must not lead to a private address")]
    Private,
}

impl Target {
    /// Takes a URL apart. An address in it must be public unless `private` is allowed; a name is resolved when it is
    /// used.
    ///
    /// # Errors
    /// See [`TargetError`].
    pub fn read(url: &str, private: bool) -> Result<Self, TargetError> {
        if url.len() > WEBHOOK_URL_BYTES_MAX {
            return Err(TargetError::Unreadable);
        }
        let uri: Uri = url.parse().map_err(|_| TargetError::Unreadable)?;
        let is_https = match uri.scheme() {
            Some(scheme) if *scheme == Scheme::HTTPS => true,
            Some(scheme) if *scheme == Scheme::HTTP => false,
            _ => return Err(TargetError::Unreadable),
        };
        let authority = uri.authority().ok_or(TargetError::Unreadable)?;
        if authority.as_str().contains('@') {
            return Err(TargetError::User);
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() {
            return Err(TargetError::Unreadable);
        }
        if !private && host.parse().is_ok_and(|address| !is_public(address)) {
            return Err(TargetError::Private);
        }
        let port = match port_of(authority.as_str()) {
            None => {
                if is_https {
                    443
                } else {
                    80
                }
            }
            Some(port) => number(port).ok_or(TargetError::Port)?,
        };
        let path = uri.path_and_query().map_or("/", |path| path.as_str());
        Ok(Self { is_https, host, port, authority: authority.as_str().to_owned(), path: path.to_owned() })
    }

    /// The first of the addresses that may be gone to.
    pub(crate) fn choose(found: impl Iterator<Item = SocketAddr>, private: bool) -> Result<SocketAddr, TargetError> {
        let mut found = found.filter(|address| private || is_public(address.ip()));
        found.next().ok_or(TargetError::Private)
    }
}

/// What an authority says after its host: a port, or what is none. (`Uri` takes what is none for nothing.)
fn port_of(authority: &str) -> Option<&str> {
    let host_end = authority.rfind(']').unwrap_or(0);
    authority[host_end..].split_once(':').map(|(_, port)| port)
}

/// A port, in digits and nothing else.
fn number(port: &str) -> Option<u16> {
    let is_plain = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| is_plain && *port > 0)
}

/// Whether an address is on the public internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// By the registries of special addresses (RFC 6890 and its successors).
const fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            | (100, 64..=127, _)
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    );
    !is_special
}

/// Only what is handed out (2000::/3), and of that nothing that wraps another address or is for documents.
fn is_public_v6(address: Ipv6Addr) -> bool {
    if let Some(wrapped) = address.to_ipv4_mapped() {
        return is_public_v4(wrapped);
    }
    match address.segments() {
        // Teredo and others for protocols; documents; 6to4.
        [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        let check = |url: &str, is_https: bool, host: &str, port, authority: &str, path: &str| {
            let [host, authority, path] = [host, authority, path].map(str::to_owned);
            assert_eq!(Target::read(url, false), Ok(Target { is_https, host, port, authority, path }), "{url}");
        };
        check("https://example.com", true, "example.com", 443, "example.com", "/");
        check("http://example.com:81/a?b=c", false, "example.com", 81, "example.com:81", "/a?b=c");
        check("http://[2606:4700::1111]/a", false, "2606:4700::1111", 80, "[2606:4700::1111]", "/a");
    }

    #[test]
    fn what_is_no_such_url_is_refused() {
        for url in
            ["", "/a", "example.com", "ftp://example.com", "file:///etc/passwd", "http://", "http:///a", "http://a b/"]
        {
            assert_eq!(Target::read(url, true), Err(TargetError::Unreadable), "{url}");
        }
        for port in ["", "0", "65536", "99999", "999999999999", "+80", "-1", "8a", "80:81"] {
            for host in ["example.com", "127.0.0.1", "[::1]"] {
                let got = Target::read(&format!("http://{host}:{port}/"), true);
                assert!(matches!(got, Err(TargetError::Port | TargetError::Unreadable)), "{host}:{port}: {got:?}");
            }
        }
        let long = format!("http://example.com/{}", "a".repeat(WEBHOOK_URL_BYTES_MAX));
        assert_eq!(Target::read(&long, true), Err(TargetError::Unreadable));
        assert_eq!(Target::read("http://ada:secret@example.com", true), Err(TargetError::User));
    }

    #[test]
    fn what_only_this_network_reaches_is_refused_unless_it_is_allowed() {
        for address in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.1",
            "198.18.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "[::]",
            "[::1]",
            "[fe80::1]",
            "[fc00::1]",
            "[fd12::1]",
            "[ff02::1]",
            "[::ffff:10.0.0.1]",
            "[64:ff9b::a00:1]",
            "[2002:a00:1::]",
            "[2001:db8::1]",
            "[2001::1]",
        ] {
            let url = format!("http://{address}/");
            assert_eq!(Target::read(&url, false), Err(TargetError::Private), "{url}");
            assert!(Target::read(&url, true).is_ok(), "{url}");
        }
        for address in ["1.1.1.1", "172.32.0.1", "100.128.0.1", "[2606:4700::1111]", "[::ffff:1.1.1.1]"] {
            assert!(Target::read(&format!("http://{address}/"), false).is_ok(), "{address}");
        }
    }

    #[test]
    fn a_name_leads_to_a_public_address_or_nowhere() {
        let found = ["10.0.0.1:80", "1.1.1.1:80"].map(|address| address.parse().unwrap());
        assert_eq!(Target::choose(found.into_iter(), false), Ok(found[1]));
        assert_eq!(Target::choose(found.into_iter(), true), Ok(found[0]));
        assert_eq!(Target::choose(found.into_iter().take(1), false), Err(TargetError::Private));
    }
}
