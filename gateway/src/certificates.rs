//! What this gateway shows to those who connect by TLS: certificates and their keys, each pair taken anew when its
//! files change. One that cannot be used is said so, and changes nothing.

use std::sync::Arc;
use std::time::Duration;

use flash_tls::{Pair, PairFiles, ShowError};
use flash_worker::{Phase, reached};
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::time::sleep;
use tokio_rustls::rustls::ServerConfig;

use crate::limits::CERTIFICATE_LOOK_MS;

/// The protocol within TLS. A client that wants another one (ALPN) learns so in the handshake.
const PROTOCOL: &str = "http/1.1";

/// What a listener shows now.
pub(crate) type Shown = Receiver<Arc<ServerConfig>>;

/// All pairs of a gateway.
#[derive(Default)]
pub(crate) struct Certificates(Vec<Certificate>);

/// One pair, and where it comes from.
struct Certificate {
    files: PairFiles,
    /// What was last made of the files, or could not be.
    pair: Pair,
    shown: Sender<Arc<ServerConfig>>,
}

impl Certificates {
    /// Reads the pair that a listener shows to begin with.
    ///
    /// # Errors
    /// When it cannot be used.
    pub(crate) fn open(&mut self, files: &PairFiles) -> Result<Shown, ShowError> {
        let pair = Pair::read(files)?;
        let (shown, receiver) = channel(pair.show(files, PROTOCOL)?);
        // What is mounted into a container is often readable by all who are in it, so it is no error.
        if pair.is_exposed {
            tracing::warn!(key = %files.key.display(), "other users can read the private key");
        }
        self.0.push(Certificate { files: files.clone(), pair, shown });
        Ok(receiver)
    }

    /// Looks at the files until the gateway stops.
    pub(crate) async fn watch(mut self, mut phase: Receiver<Phase>) {
        let looking = async {
            while !self.0.is_empty() {
                sleep(Duration::from_millis(CERTIFICATE_LOOK_MS)).await;
                self.0.iter_mut().for_each(Certificate::look);
            }
        };
        tokio::select! {
            () = looking => {}
            () = reached(&mut phase, Phase::Stopping) => {}
        }
    }
}

impl Certificate {
    fn look(&mut self) {
        // A file that is not there for a moment is being replaced.
        let Ok(pair) = Pair::read(&self.files) else { return };
        if pair == self.pair {
            return;
        }
        let certificate = self.files.certificate.display();
        match pair.show(&self.files, PROTOCOL) {
            Ok(config) => {
                self.shown.send_replace(config);
                tracing::info!(%certificate, "new certificate in use");
            }
            Err(error) => tracing::error!(%error, "cannot load the certificate; the previous one stays in use"),
        }
        self.pair = pair;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use tokio::sync::watch;

    use super::*;
    use crate::http::tls_files;

    #[tokio::test(start_paused = true)]
    async fn a_pair_that_changes_is_taken_and_one_that_is_bad_changes_nothing() {
        let (dir, others) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (files, other) = (tls_files(&dir), tls_files(&others));
        let mut certificates = Certificates::default();
        let shown = certificates.open(&files).unwrap();
        let (_phase, phase) = watch::channel(Phase::Serving);
        tokio::spawn(certificates.watch(phase));
        let first = shown.borrow().clone();
        let is_first = async || {
            for _ in 0..2 {
                tokio::time::advance(Duration::from_millis(CERTIFICATE_LOOK_MS)).await;
                tokio::task::yield_now().await;
            }
            Arc::ptr_eq(&first, &shown.borrow())
        };
        assert!(is_first().await, "nothing has changed");
        fs::copy(&other.certificate, &files.certificate).unwrap();
        assert!(is_first().await, "the key is another's");
        fs::write(&files.certificate, "no certificate").unwrap();
        assert!(is_first().await, "it is none");
        fs::remove_file(&files.certificate).unwrap();
        assert!(is_first().await, "it is being replaced");
        fs::copy(&other.certificate, &files.certificate).unwrap();
        fs::copy(&other.key, &files.key).unwrap();
        assert!(!is_first().await, "a pair again");
    }
}
