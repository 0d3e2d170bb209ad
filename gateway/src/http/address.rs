//! The client address of a request: the connection's peer, unless that is a trusted proxy, which names the client.
//!
//! Anybody can send such a header, so it is believed only as far as those are known who wrote it: read from its end,
//! each address is believed because the one before it, which added it, is on the list.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use hyper::HeaderMap;
use hyper::header::{FORWARDED, HeaderName};
use ipnet::IpNet;

/// Proxies that a request may have come through. Names beyond them are not read.
const HOPS_MAX: usize = 16;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// A network: `10.0.0.0/8`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network(IpNet);

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let broken = || format!("{text:?} is no network like 10.0.0.0/8 or 2001:db8::/32");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(address, prefix)| (address, Some(prefix)));
        // Not ipnet's: to that, 010.0.0.1 is an address.
        let address: IpAddr = address.parse().map_err(|_| broken())?;
        match prefix {
            None => Ok(Self(address.into())),
            Some(_) => text.parse().map(Self).map_err(|_| broken()),
        }
    }
}

/// The header in which the proxies say from whom they have a request. Only one is read: what they do not write
/// themselves, they may pass on as the client sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For: 203.0.113.7, 10.0.0.1`
    #[default]
    XForwardedFor,
    /// `Forwarded: for=203.0.113.7, for=10.0.0.1` (RFC 7239)
    Forwarded,
}

/// Proxies trusted for the client address.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// The proxies' own addresses.
    pub trusted: Vec<Network>,
    /// Where they say it.
    pub header: ForwardedHeader,
}

impl Proxies {
    /// Whether a connection comes from a proxy of ours.
    pub(crate) fn trusts(&self, peer: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.0.contains(&peer.to_canonical()))
    }

    /// The address of the client of our first proxy. An unreadable one counts as none: then the
    /// proxy that passed it on counts as the sender.
    pub(crate) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut nearest = peer.to_canonical();
        for hop in self.hops(headers).take(HOPS_MAX) {
            if !self.trusts(nearest) {
                break;
            }
            match hop {
                Some(address) => nearest = address.to_canonical(),
                None => break,
            }
        }
        nearest
    }

    /// What the header says, the nearest first.
    fn hops<'a>(&self, headers: &'a HeaderMap) -> impl Iterator<Item = Option<IpAddr>> + use<'a> {
        let (name, read): (_, fn(&str) -> Option<IpAddr>) = match self.header {
            ForwardedHeader::XForwardedFor => (X_FORWARDED_FOR, address),
            ForwardedHeader::Forwarded => (FORWARDED, forwarded_for),
        };
        let values = headers.get_all(name).iter().rev();
        // Of bytes, for what a client put in front need be no text.
        let hops = values.flat_map(|value| value.as_bytes().rsplit(|byte| *byte == b','));
        hops.map(move |hop| read(std::str::from_utf8(hop).ok()?.trim()))
    }
}

/// An address, in brackets or not, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()))
}

/// The same of an element of `Forwarded`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    let mut said = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for")).map(|(_, value)| value.trim());
    let value = said.next().filter(|_| said.next().is_none())?;
    address(value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value))
}

#[cfg(test)]
mod tests {
    use hyper::header::HeaderValue;

    use super::*;

    const NGINX: &str = "10.0.0.9";

    fn check(header: ForwardedHeader, peer: &str, values: &[&str], want: &str) {
        let trusted = ["10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48"].map(|network| network.parse().unwrap());
        let name = if header == ForwardedHeader::Forwarded { FORWARDED } else { X_FORWARDED_FOR };
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let proxies = Proxies { trusted: trusted.to_vec(), header };
        assert_eq!(proxies.client(peer.parse().unwrap(), &headers).to_string(), want, "{peer} {values:?}");
    }

    #[test]
    fn a_peer_that_is_no_proxy_of_ours_is_who_asks_whatever_it_says() {
        let check = |peer, values, want| check(ForwardedHeader::XForwardedFor, peer, values, want);
        check("203.0.113.7", &[], "203.0.113.7");
        check("203.0.113.7", &["1.2.3.4"], "203.0.113.7");
        check("192.0.2.2", &["10.0.0.1"], "192.0.2.2");
        check("2001:db8:2::1", &["1.2.3.4"], "2001:db8:2::1");
        check("::ffff:203.0.113.7", &["1.2.3.4"], "203.0.113.7");
    }

    #[test]
    fn a_trusted_proxy_names_the_client_and_forged_entries_do_not_count() {
        let check = |peer, values, want| check(ForwardedHeader::XForwardedFor, peer, values, want);
        check(NGINX, &["203.0.113.7"], "203.0.113.7");
        check("::ffff:10.0.0.9", &["203.0.113.7"], "203.0.113.7");
        check(NGINX, &["1.2.3.4, 203.0.113.7"], "203.0.113.7");
        check(NGINX, &["1.2.3.4", "203.0.113.7"], "203.0.113.7");
        check(NGINX, &["1.2.3.4", "203.0.113.7, 192.0.2.1,2001:db8:1::5"], "203.0.113.7");
        check(NGINX, &["\u{eb}, 203.0.113.7"], "203.0.113.7");
        check(NGINX, &["10.0.0.1, 10.0.0.2"], "10.0.0.1");
        check(NGINX, &["203.0.113.7:4711"], "203.0.113.7");
        check(NGINX, &["[2001:db8:2::1]:80"], "2001:db8:2::1");
        check(NGINX, &["[2001:db8:2::1]"], "2001:db8:2::1");
        check(NGINX, &["::ffff:203.0.113.7"], "203.0.113.7");
    }

    #[test]
    fn what_cannot_be_read_counts_as_the_proxy_s() {
        let check = |peer, values, want| check(ForwardedHeader::XForwardedFor, peer, values, want);
        check(NGINX, &[], NGINX);
        check(NGINX, &[""], NGINX);
        check(NGINX, &["203.0.113.7, unknown"], NGINX);
        check(NGINX, &["203.0.113.7, "], NGINX);
        check(NGINX, &["203.0.113.7, host"], NGINX);
        check(NGINX, &["1.2.3.4, 300.0.0.1, 10.0.0.2"], "10.0.0.2");
        let long = vec!["10.0.0.1"; 1_000].join(", ");
        check(NGINX, &["203.0.113.7", &long], "10.0.0.1");
    }

    #[test]
    fn the_standard_header_is_read_where_the_proxies_write_it() {
        let check = |peer, values, want| check(ForwardedHeader::Forwarded, peer, values, want);
        check("203.0.113.7", &["for=1.2.3.4"], "203.0.113.7");
        check(NGINX, &["for=203.0.113.7"], "203.0.113.7");
        check(NGINX, &["for=1.2.3.4, For=\"[2001:db8:2::1]:80\";proto=http;by=10.0.0.9"], "2001:db8:2::1");
        check(NGINX, &["for=\"", "for=203.0.113.7;host=h"], "203.0.113.7");
        check(NGINX, &["for=_hidden"], NGINX);
        check(NGINX, &["for=1.2.3.4;for=203.0.113.7"], NGINX);
        check(NGINX, &["proto=http"], NGINX);
    }

    #[test]
    fn a_network_is_an_address_and_how_much_of_it_counts() {
        let check = |network: &str, address: &str, want: bool| {
            let network: Network = network.parse().unwrap();
            assert_eq!(network.0.contains(&address.parse::<IpAddr>().unwrap()), want, "{network:?} {address}");
        };
        check("0.0.0.0/0", "203.0.113.7", true);
        check("0.0.0.0/0", "::1", false);
        check("::/0", "::1", true);
        check("10.1.0.0/16", "10.1.255.255", true);
        check("10.1.0.0/16", "10.2.0.0", false);
        check("10.1.2.3/16", "10.1.0.0", true);
        check("127.0.0.1", "127.0.0.1", true);
        check("127.0.0.1", "127.0.0.2", false);
        check("2001:db8::/33", "2001:db8:7fff::1", true);
        check("2001:db8::/33", "2001:db8:8000::1", false);
        for bad in [
            "",
            "host",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0/8",
            "::/129",
            "10.0.0.0/",
            "10.0.0.0/8/8",
            "010.0.0.0/8",
            " 10.0.0.0/8",
            "10.0.0.0/+8",
        ] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }
}
