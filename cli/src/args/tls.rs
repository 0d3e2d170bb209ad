//! What a gateway shows to those who connect to it.

use std::path::PathBuf;

use clap::Args as ClapArgs;

/// Certificates and their keys: both or none of each pair.
#[derive(Debug, ClapArgs)]
pub(crate) struct Tls {
    /// A PEM file with the certificate for `--listen`, followed by the intermediate certificates. Without one, the
    /// gateway serves HTTP in plain text. It reads the file again when it changes.
    #[arg(long, value_name = "FILE", env = "FLASH_TLS_CERTIFICATE")]
    pub(crate) tls_certificate: Option<PathBuf>,
    /// A PEM file with its private key.
    #[arg(long, value_name = "FILE", env = "FLASH_TLS_KEY")]
    pub(crate) tls_key: Option<PathBuf>,
    /// The certificate for `--operator-listen`, if it is another.
    #[arg(long, value_name = "FILE", env = "FLASH_OPERATOR_TLS_CERTIFICATE")]
    pub(crate) operator_tls_certificate: Option<PathBuf>,
    /// Its private key.
    #[arg(long, value_name = "FILE", env = "FLASH_OPERATOR_TLS_KEY")]
    pub(crate) operator_tls_key: Option<PathBuf>,
}
