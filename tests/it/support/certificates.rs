//! Certificates made for one test.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};

/// The user that PostgreSQL runs as when root starts it: it wants its key to be its own.
const NOBODY: u32 = 65_534;

/// An authority, what it has signed for `localhost`, and another authority that has signed nothing.
pub(crate) struct Certificates {
    dir: PathBuf,
}

impl Certificates {
    pub(crate) fn make(dir: &Path) -> Self {
        let (ours, other) = (authority("ours"), authority("another"));
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["localhost".to_owned()]).expect("a name");
        let signed = params.signed_by(&key, &ours).expect("signed");
        let certificates = Self { dir: dir.to_owned() };
        for (path, text) in [
            (certificates.authority(), ours.pem()),
            (certificates.other_authority(), other.pem()),
            (certificates.certificate(), signed.pem()),
            (certificates.key(), key.serialize_pem()),
            (certificates.postgres_key(), key.serialize_pem()),
        ] {
            fs::write(path, text).expect("writable");
        }
        for key in [certificates.key(), certificates.postgres_key()] {
            fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).expect("ours");
        }
        let key = certificates.postgres_key();
        if rustix::process::geteuid().is_root() {
            chown(&key, Some(NOBODY), Some(NOBODY)).expect("root may");
        }
        certificates
    }

    pub(crate) fn authority(&self) -> PathBuf {
        self.dir.join("ca.pem")
    }

    pub(crate) fn other_authority(&self) -> PathBuf {
        self.dir.join("other-ca.pem")
    }

    pub(crate) fn certificate(&self) -> PathBuf {
        self.dir.join("server.pem")
    }

    pub(crate) fn key(&self) -> PathBuf {
        self.dir.join("server.key")
    }

    /// The same, of PostgreSQL's user.
    pub(crate) fn postgres_key(&self) -> PathBuf {
        self.dir.join("postgres.key")
    }
}

fn authority(name: &str) -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).expect("no names");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(rcgen::DnType::CommonName, name);
    CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key")).expect("signed")
}
