//! Both ends of a connection by TLS.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flash_tls::{Pair, PairFiles};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ALL_VERSIONS, ClientConfig, ClientConnection, RootCertStore, ServerConfig, StreamOwned};
use rustls::{SupportedProtocolVersion, version};

use super::certificates::Certificates;

/// Longer than anything here takes on a busy machine.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) type Stream = StreamOwned<ClientConnection, TcpStream>;

/// How a client shakes hands.
#[derive(Clone)]
pub(crate) struct Client {
    /// The authority that it trusts.
    pub(crate) authority: std::path::PathBuf,
    /// Whom it wants to speak to.
    pub(crate) name: &'static str,
    pub(crate) versions: &'static [&'static SupportedProtocolVersion],
    /// What it wants to speak (ALPN).
    pub(crate) protocols: &'static [&'static str],
}

pub(crate) const ONLY_1_2: &[&SupportedProtocolVersion] = &[&version::TLS12];
pub(crate) const ONLY_1_3: &[&SupportedProtocolVersion] = &[&version::TLS13];

impl Client {
    /// One that trusts the server of these certificates.
    pub(crate) fn of(certificates: &Certificates) -> Self {
        Self { authority: certificates.authority(), name: "localhost", versions: ALL_VERSIONS, protocols: &[] }
    }

    /// Connects, to the end of the handshake.
    pub(crate) fn connect(&self, address: SocketAddr) -> io::Result<Stream> {
        let mut roots = RootCertStore::empty();
        for authority in CertificateDer::pem_file_iter(&self.authority).expect("readable") {
            roots.add(authority.expect("PEM")).expect("an authority");
        }
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_protocol_versions(self.versions).expect("ring has them");
        let mut config = builder.with_root_certificates(roots).with_no_client_auth();
        config.alpn_protocols = self.protocols.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        let name = self.name.try_into().expect("a name");
        let session = ClientConnection::new(Arc::new(config), name).expect("a configuration");
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        let mut stream = StreamOwned::new(session, stream);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream)
    }
}

/// What a server with these certificates shows.
pub(crate) fn server(certificates: &Certificates) -> Arc<ServerConfig> {
    let files = PairFiles { certificate: certificates.certificate(), key: certificates.key() };
    Pair::read(&files).and_then(|pair| pair.show(&files, "http/1.1")).expect("a pair")
}

/// A path as an argument.
pub(crate) fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}
