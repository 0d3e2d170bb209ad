//! Looks at the file of keys, and takes it when it changes. One that cannot be used is said so, and changes nothing.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use flash_worker::{Phase, reached};
use tokio::sync::watch::{Receiver, Sender, channel};
use tokio::time::sleep;

use super::{Auth, Jwt, JwtKeys, KeysError, TokenKeys, jwks};
use crate::limits::JWKS_LOOK_MS;

/// The keys that tokens are verified with, and where they come from.
pub(crate) struct TokenKeysFile {
    /// None: they do not come from a file, or there are no tokens.
    jwt: Option<Jwt>,
    /// What the keys were last made of, or could not be.
    bytes: Vec<u8>,
    keys: Sender<Arc<TokenKeys>>,
}

impl TokenKeysFile {
    /// Reads the keys that there are to begin with.
    ///
    /// # Errors
    /// When they cannot be used.
    pub(crate) fn open(auth: &Auth) -> Result<(Receiver<Arc<TokenKeys>>, Self), KeysError> {
        let Auth::Jwt(jwt) = auth else { return Ok(Self::with(TokenKeys::none(), None, Vec::new())) };
        match &jwt.keys {
            JwtKeys::Secrets(secrets) => Ok(Self::with(TokenKeys::of_secrets(jwt, secrets)?, None, Vec::new())),
            JwtKeys::File(file) => {
                let bytes = jwks::bytes(file)?;
                Ok(Self::with(TokenKeys::of_jwks(jwt, &bytes, 0)?, Some(jwt.clone()), bytes))
            }
        }
    }

    fn with(keys: TokenKeys, jwt: Option<Jwt>, bytes: Vec<u8>) -> (Receiver<Arc<TokenKeys>>, Self) {
        let (keys, receiver) = channel(Arc::new(keys));
        (receiver, Self { jwt, bytes, keys })
    }

    /// Looks at the file until the gateway stops.
    pub(crate) async fn watch(self, mut phase: Receiver<Phase>) {
        let Self { jwt: Some(jwt), mut bytes, keys } = self else { return };
        let JwtKeys::File(file) = &jwt.keys else { return };
        let looking = async {
            loop {
                sleep(Duration::from_millis(JWKS_LOOK_MS)).await;
                let Some(new) = changed(file, &bytes) else { continue };
                let number = keys.borrow().number + 1;
                match TokenKeys::of_jwks(&jwt, &new, number) {
                    Ok(new) => drop(keys.send_replace(Arc::new(new))),
                    Err(error) => tracing::error!(file = %file.display(), %error, "cannot load the JWKS; the previous \
                                                                                   keys stay in use"),
                }
                bytes = new;
            }
        };
        tokio::select! {
            () = looking => {}
            () = reached(&mut phase, Phase::Stopping) => {}
        }
    }
}

/// What the file has now, if that is not what it had. (A file that is not there for a moment is being replaced.)
fn changed(file: &Path, bytes: &[u8]) -> Option<Vec<u8>> {
    let new = jwks::bytes(file).inspect_err(|error| tracing::debug!(%error, "the keys for tokens cannot be read"));
    new.ok().filter(|new| new != bytes)
}

#[cfg(test)]
mod tests {
    use tokio::sync::watch;

    use super::*;

    /// A set of one key, which is of another number each time.
    fn jwks(kid: &str) -> String {
        let modulus = "_".repeat(341);
        format!("{{\"keys\":[{{\"kty\":\"RSA\",\"kid\":\"{kid}\",\"n\":\"{modulus}w\",\"e\":\"AQAB\"}}]}}")
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_changes_is_taken_and_one_that_is_bad_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("jwks.json");
        std::fs::write(&file, jwks("one")).unwrap();
        let keys = JwtKeys::File(file.clone());
        let auth = Auth::Jwt(Jwt { issuer: String::new(), audience: String::new(), keys });
        let (receiver, watched) = TokenKeysFile::open(&auth).unwrap();
        let (_phase, phase) = watch::channel(Phase::Serving);
        tokio::spawn(watched.watch(phase));
        let number = async || {
            for _ in 0..2 {
                tokio::time::advance(Duration::from_millis(JWKS_LOOK_MS)).await;
                tokio::task::yield_now().await;
            }
            receiver.borrow().number
        };
        assert_eq!(number().await, 0, "it has not changed");
        for (content, want) in [
            (jwks("two"), 1),
            (String::new(), 1),
            ("{\"keys\":[]}".to_owned(), 1),
            (jwks("two").replace(&"_".repeat(171), ""), 1),
            ("x".repeat(100_000), 1),
            (jwks("two"), 2),
            (jwks("three"), 3),
        ] {
            std::fs::write(&file, &content).unwrap();
            assert_eq!(number().await, want, "{}", &content[..content.len().min(80)]);
        }
        std::fs::remove_file(&file).unwrap();
        assert_eq!(number().await, 3, "it is being replaced");
        assert!(TokenKeysFile::open(&auth).is_err(), "without any keys nothing begins");
    }
}
