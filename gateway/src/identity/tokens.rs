//! Tokens that buyers show. Verifying one takes as long as some reservations, so what was verified is remembered.

use std::sync::{Arc, Mutex, PoisonError};

use flash_wire::Name;
use flash_wire::limits::BUYER_BYTES_MAX;
use flash_worker::now_ms;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::recent::Recent;
use super::{Doubt, TokenKeys};
use crate::limits::{CALLERS_KNOWN_MAX, TOKEN_BYTES_MAX, TOKEN_KNOWN_S_MAX, TOKEN_LEEWAY_S};

/// One thread's.
pub(crate) struct Tokens {
    keys: watch::Receiver<Arc<TokenKeys>>,
    /// By the token's hash: this memory contains no token.
    known: Mutex<Recent<[u8; 32], KnownToken>>,
}

#[derive(Debug, Clone)]
struct KnownToken {
    buyer: Arc<str>,
    until_s: u64,
    /// Which keys verified it.
    number: u64,
}

impl Tokens {
    /// Verifies with the keys that are the newest.
    pub(crate) fn new(keys: watch::Receiver<Arc<TokenKeys>>) -> Self {
        Self { keys, known: Mutex::new(Recent::new(CALLERS_KNOWN_MAX)) }
    }

    /// The buyer that a token proves its bearer to be.
    ///
    /// # Errors
    /// When it proves nothing.
    pub(crate) fn buyer(&self, token: &str) -> Result<Arc<str>, Doubt> {
        self.buyer_at(token, now_ms() / 1_000)
    }

    fn buyer_at(&self, token: &str, now_s: u64) -> Result<Arc<str>, Doubt> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Doubt::Unproven("the token is too long"));
        }
        let keys = self.keys.borrow().clone();
        let hash: [u8; 32] = Sha256::digest(token).into();
        let mut table = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let known = table.get(&hash).filter(|known| known.number == keys.number && now_s < known.until_s);
        if let Some(known) = known {
            return Ok(known.buyer);
        }
        let claims = keys.verify(token).map_err(Doubt::Unproven)?;
        let name = Name::new("sub", &*claims.buyer, BUYER_BYTES_MAX);
        name.map_err(|_| Doubt::Unproven("the token's sub must be a buyer's name: see the rule for buyer"))?;
        let until_s = claims.expires_at_s.saturating_add(TOKEN_LEEWAY_S).min(now_s + TOKEN_KNOWN_S_MAX);
        table.insert(hash, KnownToken { buyer: claims.buyer.clone(), until_s, number: keys.number });
        Ok(claims.buyer)
    }
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::identity::tests::{secret, token};
    use crate::identity::{Jwt, JwtKeys};
    use crate::limits::TOKEN_SECRET_BYTES_MIN;

    fn keys(secret: &str, number: u64) -> Arc<TokenKeys> {
        let keys = JwtKeys::Secrets(Vec::new());
        let jwt = Jwt { issuer: "shop".to_owned(), audience: "flash".to_owned(), keys };
        let mut keys = TokenKeys::of_secrets(&jwt, &[secret.to_owned()]).unwrap();
        keys.number = number;
        Arc::new(keys)
    }

    #[test]
    fn a_token_is_believed_for_a_while_without_a_look_and_never_beyond_its_keys() {
        const WRONG: Doubt = Doubt::Unproven("the token's signature is wrong");
        let other = "o".repeat(TOKEN_SECRET_BYTES_MIN);
        let (sender, receiver) = watch::channel(keys(&secret(), 0));
        let (tokens, now_s) = (Tokens::new(receiver), now_ms() / 1_000);
        assert_eq!(tokens.buyer_at(&token(), now_s).as_deref(), Ok("ada"));
        // Keys that do not know it, and count as the same: a token that is still trusted was not checked.
        sender.send_replace(keys(&other, 0));
        assert_eq!(tokens.buyer_at(&token(), now_s + TOKEN_KNOWN_S_MAX - 1).as_deref(), Ok("ada"));
        assert_eq!(tokens.buyer_at(&token(), now_s + TOKEN_KNOWN_S_MAX), Err(WRONG));
        sender.send_replace(keys(&other, 1));
        assert_eq!(tokens.buyer_at(&token(), now_s), Err(WRONG), "other keys begin anew");
    }
}
