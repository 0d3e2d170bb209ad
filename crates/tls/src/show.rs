//! What we show to those who connect to us.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// A certificate with its authorities, or a key, is small. What is larger is another file, named by mistake.
pub const PEM_BYTES_MAX: u64 = 256 * 1024;
/// The permission of everyone to read a file.
const OTHERS_READ: u32 = 0o004;

/// Where a certificate and its key are, both PEM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PairFiles {
    /// The certificate, followed by those that lead from it to an authority.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// Why nothing can be shown.
#[derive(Debug, thiserror::Error)]
pub enum ShowError {
    /// A file cannot be read.
    #[error("{file} cannot be read: {source}")]
    Unreadable {
        /// Which file.
        file: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A file is too large to be what it should be.
    #[error("{0} must be at most {PEM_BYTES_MAX} bytes")]
    TooLarge(PathBuf),
    /// A file does not hold what it should.
    #[error("there is no {what} in {file}: {source}")]
    Empty {
        /// What it should hold.
        what: &'static str,
        /// Which file.
        file: PathBuf,
        /// What is wrong with it.
        source: pem::Error,
    },
    /// The two cannot be used, or not together.
    #[error("the certificate in {certificate} and the key in {key} cannot be used together: {source}")]
    Unfit {
        /// Where the certificate is.
        certificate: PathBuf,
        /// Where the key is.
        key: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
}

/// What both files held when they were read. The key is in it: it is not shown.
#[derive(PartialEq, Eq)]
pub struct Pair {
    certificate: Vec<u8>,
    key: Vec<u8>,
    /// Whether everyone may read the key.
    pub is_exposed: bool,
}

impl Pair {
    /// Reads both files.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn read(files: &PairFiles) -> Result<Self, ShowError> {
        let (certificate, _) = bytes(&files.certificate)?;
        let (key, mode) = bytes(&files.key)?;
        Ok(Self { certificate, key, is_exposed: mode & OTHERS_READ != 0 })
    }

    /// Shows the pair to each client, by TLS 1.2 or 1.3, and speaks nothing but `protocol` within.
    ///
    /// # Errors
    /// When the files, named by `files`, hold no pair.
    pub fn show(&self, files: &PairFiles, protocol: &str) -> Result<Arc<ServerConfig>, ShowError> {
        let empty = |what, file: &Path| {
            let file = file.to_owned();
            move |source| ShowError::Empty { what, file, source }
        };
        let unfit =
            |source| ShowError::Unfit { certificate: files.certificate.clone(), key: files.key.clone(), source };
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&self.certificate).collect();
        let chain = chain.and_then(|chain| if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) });
        let chain = chain.map_err(empty("certificate", &files.certificate))?;
        let key = PrivateKeyDer::from_pem_slice(&self.key).map_err(empty("private key", &files.key))?;
        // Said outright: with two providers in one program, none is the default.
        let builder = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(unfit)?;
        let mut config = builder.with_no_client_auth().with_single_cert(chain, key).map_err(unfit)?;
        config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
        Ok(Arc::new(config))
    }
}

/// What is in a file, and who may read it.
fn bytes(path: &Path) -> Result<(Vec<u8>, u32), ShowError> {
    let unreadable = |source| ShowError::Unreadable { file: path.to_owned(), source };
    let file = File::open(path).map_err(unreadable)?;
    let mode = file.metadata().map_err(unreadable)?.permissions().mode();
    let mut bytes = Vec::new();
    file.take(PEM_BYTES_MAX + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > PEM_BYTES_MAX { Err(ShowError::TooLarge(path.to_owned())) } else { Ok((bytes, mode)) }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rcgen::{CertifiedKey, generate_simple_self_signed};
    use tempfile::TempDir;

    use super::*;

    fn files(dir: &TempDir, certificate: &str, key: &str) -> PairFiles {
        let files = PairFiles { certificate: dir.path().join("server.pem"), key: dir.path().join("server.key") };
        fs::write(&files.certificate, certificate).unwrap();
        fs::write(&files.key, key).unwrap();
        files
    }

    fn error(files: &PairFiles) -> String {
        Pair::read(files).and_then(|pair| pair.show(files, "http/1.1")).unwrap_err().to_string()
    }

    fn make() -> (String, String) {
        let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (cert.pem(), signing_key.serialize_pem())
    }

    #[test]
    fn what_is_no_pair_is_refused_by_the_name_of_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let ((certificate, key), (_, other)) = (make(), make());
        let check = |certificate: &str, key: &str, told: &[&str]| {
            let error = error(&files(&dir, certificate, key));
            assert!(told.iter().all(|told| error.contains(told)), "{error} lacks one of {told:?}");
        };
        check("", &key, &["there is no certificate in", "server.pem"]);
        check(&key, &key, &["there is no certificate in", "server.pem"]);
        check(&certificate.replace("MII", "!!!"), &key, &["there is no certificate in", "server.pem"]);
        check(&certificate, "", &["there is no private key in", "server.key"]);
        check(&certificate, &certificate, &["there is no private key in", "server.key"]);
        check(&certificate, &other, &["server.pem", "server.key", "cannot be used together"]);
        check(&"-".repeat(300_000), &key, &["server.pem must be at most 262144 bytes"]);
        let nowhere = PairFiles { key: "/nowhere/server.key".into(), ..files(&dir, &certificate, &key) };
        assert!(error(&nowhere).starts_with("/nowhere/server.key cannot be read"), "{}", error(&nowhere));
    }

    #[test]
    fn only_authenticated_encryption_is_spoken() {
        let suites = ring::default_provider().cipher_suites;
        for suite in suites {
            let name = format!("{:?}", suite.suite());
            assert!(name.contains("GCM") || name.contains("CHACHA20_POLY1305"), "{name}");
            assert!(suite.tls13().is_some() || name.contains("ECDHE"), "{name} has forward secrecy");
        }
    }

    #[test]
    fn a_pair_is_shown_for_one_protocol_and_says_whether_everyone_may_read_its_key() {
        let dir = tempfile::tempdir().unwrap();
        let (certificate, key) = make();
        let files = files(&dir, &certificate, &key);
        for (mode, is_exposed) in [(0o600, false), (0o640, false), (0o644, true)] {
            fs::set_permissions(&files.key, fs::Permissions::from_mode(mode)).unwrap();
            let pair = Pair::read(&files).unwrap();
            assert_eq!(pair.is_exposed, is_exposed, "{mode:o}");
            assert_eq!(pair.show(&files, "http/1.1").unwrap().alpn_protocols, [b"http/1.1"]);
        }
    }
}
