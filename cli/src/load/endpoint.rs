//! Where a gateway is, and how it is reached.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use bytes::Bytes;
use http_body_util::Full;
use hyper::Uri;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

/// How long a connection may take to stand.
const CONNECT_TIMEOUT_MS: u64 = 10_000;

/// A gateway's address.
#[derive(Clone)]
pub(crate) struct Endpoint {
    /// What the header `Host` says.
    pub(super) authority: String,
    host: String,
    port: u16,
    /// By whom it is trusted, and under which name; none: it speaks plain text.
    tls: Option<(TlsConnector, ServerName<'static>)>,
}

pub(super) type Connection = SendRequest<Full<Bytes>>;

impl Endpoint {
    /// Takes a URL apart. The authorities are a PEM file; without one, the public ones are trusted.
    pub(crate) fn read(url: &str, authorities: Option<&Path>) -> Result<Self> {
        let uri: Uri = url.parse().context("invalid gateway URL")?;
        let (is_https, port) = match uri.scheme_str() {
            Some("http") => (false, 80),
            Some("https") => (true, 443),
            _ => bail!("the gateway's URL must begin with http:// or https://"),
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let Some(authority) = authority.filter(|authority| !authority.host().is_empty()) else {
            bail!("the gateway's URL must have a host and no user name")
        };
        if uri.path() != "/" || uri.query().is_some() {
            bail!("the gateway's URL must have no path");
        }
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = if is_https {
            Some((flash_tls::trust(authorities)?.into(), ServerName::try_from(host.clone())?))
        } else {
            None
        };
        Ok(Self { authority: authority.to_string(), host, port: authority.port_u16().unwrap_or(port), tls })
    }

    pub(super) async fn connect(&self) -> Result<Connection> {
        let connected = timeout(Duration::from_millis(CONNECT_TIMEOUT_MS), self.try_connect()).await;
        let connected = connected.unwrap_or_else(|_| Err(anyhow!("no connection within {CONNECT_TIMEOUT_MS} ms")));
        connected.context("cannot connect to the gateway")
    }

    /// A connection without HTTP yet.
    pub(super) async fn connect_plain(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    async fn try_connect(&self) -> Result<Connection> {
        let stream = self.connect_plain().await?;
        match &self.tls {
            Some((tls, name)) => speak(tls.connect(name.clone(), stream).await?).await,
            None => speak(stream).await,
        }
    }
}

async fn speak<S>(stream: S) -> Result<Connection>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (connection, driver) = handshake(TokioIo::new(stream)).await?;
    // Ends with the connection; what goes wrong on it, the next request says.
    tokio::spawn(async move {
        let _ = driver.await;
    });
    Ok(connection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str, want: Option<(&str, u16, &str, bool)>) {
        let got = Endpoint::read(url, None).ok();
        let got = got.as_ref().map(|at| (at.host.as_str(), at.port, at.authority.as_str(), at.tls.is_some()));
        assert_eq!(got, want, "{url}");
    }

    #[test]
    fn a_gateway_is_named_by_scheme_host_and_port() {
        check("http://127.0.0.1:8080", Some(("127.0.0.1", 8080, "127.0.0.1:8080", false)));
        check("http://shop.example/", Some(("shop.example", 80, "shop.example", false)));
        check("https://shop.example", Some(("shop.example", 443, "shop.example", true)));
        check("https://[::1]:8443", Some(("::1", 8443, "[::1]:8443", true)));
        for url in
            ["", "shop.example", "ftp://shop.example", "http://", "http://ada@shop.example", "http://shop.example/v1"]
        {
            check(url, None);
        }
        check("https://shop.example/?sale=drop", None);
    }
}
