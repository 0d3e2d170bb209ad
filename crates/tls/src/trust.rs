//! Certificate authorities.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};
use rustls::{ClientConfig, RootCertStore};

/// Why no authority can be trusted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read, or is no PEM.
    #[error("the certificate authorities in {file} cannot be read: {source}")]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The file has no certificate.
    #[error("there is no certificate in {0}")]
    Empty(PathBuf),
    /// A certificate in the file is none.
    #[error(transparent)]
    Tls(#[from] rustls::Error),
}

/// Trusts only the authorities in a PEM file; without a file, those that Mozilla trusts. The file is read each
/// time, so that a connection made after it was replaced trusts the new ones.
///
/// # Errors
/// See [`Error`].
pub fn trust(authorities: Option<&Path>) -> Result<Arc<ClientConfig>, Error> {
    let roots = match authorities {
        Some(file) => read(file)?,
        None => RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() },
    };
    // Said outright: with two providers in one program, none is the default.
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

fn read(file: &Path) -> Result<RootCertStore, Error> {
    let unreadable = |source| Error::Unreadable { file: file.to_owned(), source };
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(file).map_err(unreadable)? {
        roots.add(certificate.map_err(unreadable)?)?;
    }
    if roots.is_empty() { Err(Error::Empty(file.to_owned())) } else { Ok(roots) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_of_no_use_is_said_to_be_so() {
        let error = |file: &str| trust(Some(Path::new(file))).unwrap_err().to_string();
        assert!(error("/nowhere/ca.pem").starts_with("the certificate authorities in /nowhere/ca.pem cannot be read"));
        assert_eq!(
            error(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).split(" in ").next(),
            Some("there is no certificate")
        );
    }

    #[test]
    fn without_a_file_public_authorities_are_trusted() {
        assert!(trust(None).is_ok());
    }
}
