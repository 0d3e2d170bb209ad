//! A connection's bytes, encrypted or not.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;
use tokio_rustls::rustls::pki_types::ServerName;

use crate::socket::Socket;

/// A connection's bytes, encrypted or not.
#[derive(Debug)]
pub(crate) enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// Whom a connection by TLS trusts.
///
/// # Errors
/// When the file of `authorities` is of no use.
pub(crate) fn trust(authorities: Option<&Path>) -> Result<TlsConnector, flash_tls::Error> {
    let config: Arc<ClientConfig> = flash_tls::trust(authorities)?;
    Ok(config.into())
}

impl Stream {
    /// Connects, by TLS if there is a `tls`, and returns the socket beside it.
    pub(crate) async fn connect(host: &str, port: u16, tls: Option<&TlsConnector>) -> io::Result<(Self, Socket)> {
        let plain = TcpStream::connect((host, port)).await?;
        plain.set_nodelay(true)?;
        let socket = Socket::of(&plain)?;
        let Some(tls) = tls else { return Ok((Self::Plain(plain), socket)) };
        let name = ServerName::try_from(host.to_owned()).map_err(io::Error::other)?;
        Ok((Self::Tls(Box::new(tls.connect(name, plain).await?)), socket))
    }
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(context, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(context, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(context),
            Self::Tls(stream) => Pin::new(stream).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(context),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(context),
        }
    }
}
