//! A gateway's settings about its certificates.

use std::path::PathBuf;

use anyhow::{Result, bail};
use flash_tls::PairFiles;

use crate::args;

/// The files for buyers' listener and for operators', which shows the same if nothing else is said.
pub(crate) fn pairs(args: &args::Tls) -> Result<(Option<PairFiles>, Option<PairFiles>)> {
    let buyers = pair(&args.tls_certificate, &args.tls_key, "--tls-certificate", "--tls-key")?;
    let (certificate, key) = (&args.operator_tls_certificate, &args.operator_tls_key);
    let operators = pair(certificate, key, "--operator-tls-certificate", "--operator-tls-key")?;
    Ok((buyers.clone(), operators.or(buyers)))
}

/// Both files or none of them; the flags are for the error that names them.
fn pair(
    certificate: &Option<PathBuf>,
    key: &Option<PathBuf>,
    certificate_flag: &str,
    key_flag: &str,
) -> Result<Option<PairFiles>> {
    match (certificate.clone(), key.clone()) {
        (Some(certificate), Some(key)) => Ok(Some(PairFiles { certificate, key })),
        (None, None) => Ok(None),
        _ => bail!("{certificate_flag} and {key_flag} must be given together"),
    }
}

/// What a URL of a listener begins with.
pub(crate) const fn scheme(pair: &Option<PairFiles>) -> &'static str {
    if pair.is_some() { "https" } else { "http" }
}
