//! Where Redis is, as a URL says it.

use std::path::PathBuf;

use redis::{ConnectionInfo, IntoConnectionInfo};

use crate::error::UrlError;

/// Where Redis is.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) info: ConnectionInfo,
    /// None: in plain text.
    pub(crate) tls: Option<Tls>,
}

/// How a connection is encrypted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Tls {
    /// A file of the certificate authorities to trust; none: the public ones.
    pub(crate) authorities: Option<PathBuf>,
}

impl Target {
    /// Reads `redis://…`, `rediss://…?cacert=FILE` (with TLS) or `unix://…`.
    pub(crate) fn read(url: &str) -> Result<Self, UrlError> {
        let info = |url: &str| url.into_connection_info().map_err(|_| UrlError);
        let Some(rest) = url.strip_prefix("rediss://") else { return Ok(Self { info: info(url)?, tls: None }) };
        let (plain, authorities) = flash_tls::take_parameter(&format!("redis://{rest}"), "cacert");
        let tls = Tls { authorities: authorities.map(PathBuf::from) };
        Ok(Self { info: info(&plain)?, tls: Some(tls) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, address: &str, tls: Option<Option<&str>>) {
        let target = Target::read(url).unwrap();
        let tls = tls.map(|file| Tls { authorities: file.map(PathBuf::from) });
        assert_eq!((target.info.addr().to_string().as_str(), target.tls), (address, tls), "{url}");
    }

    #[test]
    fn a_url_says_where_redis_is_and_whom_to_trust() {
        check("redis://ada:secret@host:7/2", "host:7", None);
        check("rediss://ada:secret@host:7/2", "host:7", Some(None));
        check("rediss://host?cacert=/etc/ca.pem", "host:6379", Some(Some("/etc/ca.pem")));
    }
}
