//! The keys that tokens are signed with, and what a token must be to be believed.
//!
//! A key has one algorithm, which is its own and not the token's to choose. What a token says about where to find a key
//! (`jku`, `jwk`, `x5u`, `x5c`) is not looked at: keys are those that the operator gave.

use std::collections::HashSet;
use std::io::{self, Read};
use std::ops::RangeInclusive;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use flash_wire::invalid::name;
use flash_wire::limits::BUYER_BYTES_MAX;
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use super::{Jwt, signatures};
use crate::limits::{JWKS_BYTES_MAX, JWKS_KEYS_MAX, TOKEN_LEEWAY_S, TOKEN_SECRET_BYTES_MIN};

/// Why there are no keys to verify tokens with.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    File(#[from] io::Error),
    /// It is larger than [`JWKS_BYTES_MAX`].
    #[error("must be at most {JWKS_BYTES_MAX} bytes")]
    TooLarge,
    /// It is not a JWKS.
    #[error("is not a valid JWKS: {0}")]
    Json(#[from] serde_json::Error),
    /// It has no key, or more than [`JWKS_KEYS_MAX`].
    #[error("must have 1 to {JWKS_KEYS_MAX} signing keys, not {0}")]
    Count(usize),
    /// One of its keys cannot be used.
    #[error("key {kid:?} {what}")]
    Key {
        /// Which one.
        kid: String,
        /// What is the matter with it.
        what: &'static str,
    },
    /// The secret is too short.
    #[error("the secret for tokens must have at least {TOKEN_SECRET_BYTES_MIN} bytes")]
    ShortSecret,
}

/// Keys, and what else a token must have.
pub(crate) struct TokenKeys {
    keys: Vec<Key>,
    /// Other keys have another number: what was verified with these is not known to those.
    pub(super) number: u64,
}

struct Key {
    id: Option<String>,
    key: DecodingKey,
    rules: Validation,
}

/// What a token says that was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) buyer: Arc<str>,
    /// Unix seconds.
    pub(super) expires_at_s: u64,
}

impl TokenKeys {
    /// No keys: no token is good.
    pub(super) const fn none() -> Self {
        Self { keys: Vec::new(), number: 0 }
    }

    /// Keys that are secrets.
    ///
    /// # Errors
    /// When one is too short.
    pub(super) fn of_secrets(jwt: &Jwt, secrets: &[String]) -> Result<Self, KeysError> {
        signatures::install();
        if secrets.iter().any(|secret| secret.len() < TOKEN_SECRET_BYTES_MIN) {
            return Err(KeysError::ShortSecret);
        }
        let key = |secret: &String| Key {
            id: None,
            key: DecodingKey::from_secret(secret.as_bytes()),
            rules: rules(jwt, Algorithm::HS256),
        };
        Ok(Self { keys: secrets.iter().map(key).collect(), number: 0 })
    }

    /// Public keys; `number` tells them from others.
    ///
    /// # Errors
    /// See [`KeysError`].
    pub(super) fn of_jwks(jwt: &Jwt, json: &[u8], number: u64) -> Result<Self, KeysError> {
        signatures::install();
        let set: JwkSet = serde_json::from_slice(json)?;
        let signs =
            |key: &&Jwk| !matches!(&key.common.public_key_use, Some(other) if *other != PublicKeyUse::Signature);
        let signing: Vec<_> = set.keys.iter().filter(signs).collect();
        if !(1..=JWKS_KEYS_MAX).contains(&signing.len()) {
            return Err(KeysError::Count(signing.len()));
        }
        let mut ids = HashSet::new();
        if let Some(twice) = signing.iter().map(|key| &key.common.key_id).find(|id| !ids.insert(*id)) {
            return Err(KeysError::Key { kid: twice.clone().unwrap_or_default(), what: "is listed twice" });
        }
        let keys = signing.into_iter().map(|key| read(jwt, key)).collect::<Result<_, _>>()?;
        Ok(Self { keys, number })
    }

    /// What the token proves.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(super) fn verify(&self, token: &str) -> Result<Claims, &'static str> {
        // The library takes a list of issuers as well, and looks at nothing else here.
        #[derive(Deserialize)]
        struct Said {
            sub: String,
            #[serde(rename = "iss")]
            _iss: String,
            /// Seconds, of which there may be fractions (RFC 7519, NumericDate).
            exp: f64,
        }
        let header = decode_header(token).map_err(|error| wrong(&error))?;
        // What must be understood and is not makes a token mean something else.
        if header.crit.is_some() {
            return Err("the token has an unknown critical header parameter");
        }
        let mut decoded = Err("the token's signing key is unknown");
        for key in self.keys(header.kid.as_deref()) {
            match decode::<Said>(token, &key.key, &key.rules) {
                Err(error) if matches!(error.kind(), ErrorKind::InvalidSignature) => decoded = Err(wrong(&error)),
                // The key has signed it: no other one is asked.
                outcome => {
                    decoded = outcome.map_err(|error| wrong(&error));
                    break;
                }
            }
        }
        let said = decoded?.claims;
        let buyer =
            name("sub", said.sub.as_bytes(), BUYER_BYTES_MAX).map_err(|_| "the token's sub cannot be a buyer")?;
        let expires = Duration::try_from_secs_f64(said.exp).map_err(|_| "the token's exp is no time")?;
        Ok(Claims { buyer: buyer.into(), expires_at_s: expires.as_secs() })
    }

    /// The keys that may have signed a token: the one of that name. Secrets have none, so each of them may, and a token
    /// need not name the only key that there is.
    fn keys(&self, id: Option<&str>) -> &[Key] {
        match (self.keys.as_slice(), id) {
            (keys, _) if keys.iter().all(|key| key.id.is_none()) => keys,
            (only @ [_], None) => only,
            (keys, Some(id)) => keys.iter().find(|key| key.id.as_deref() == Some(id)).map_or(&[], std::slice::from_ref),
            _ => &[],
        }
    }
}

/// The file, which is not read further than it may be long.
pub(super) fn bytes(file: &Path) -> Result<Vec<u8>, KeysError> {
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(JWKS_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > JWKS_BYTES_MAX { Err(KeysError::TooLarge) } else { Ok(bytes) }
}

fn read(jwt: &Jwt, key: &Jwk) -> Result<Key, KeysError> {
    let id = key.common.key_id.clone();
    let bad = |what| KeysError::Key { kid: id.clone().unwrap_or_default(), what };
    let algorithm = algorithm(key).map_err(bad)?;
    if let AlgorithmParameters::RSA(rsa) = &key.algorithm {
        let modulus = URL_SAFE_NO_PAD.decode(&rsa.n).map_err(|_| bad("cannot be read"))?;
        if !RSA_BITS.contains(&bits(&modulus)) {
            return Err(bad("is an RSA key of fewer than 2048 bits, or of more than 8192"));
        }
    }
    let decoding = DecodingKey::from_jwk(key).map_err(|_| bad("cannot be read"))?;
    if decoding.family() != algorithm.family() {
        return Err(bad("does not match its alg"));
    }
    Ok(Key { id, key: decoding, rules: rules(jwt, algorithm) })
}

/// What an RSA key may have: shorter ones can be broken (NIST SP 800-131A), longer ones the library verifies nothing
/// by.
const RSA_BITS: RangeInclusive<usize> = 2_048..=8_192;

/// How long a number is that these bytes are, the highest first.
fn bits(number: &[u8]) -> usize {
    let first = number.iter().position(|byte| *byte != 0).unwrap_or(number.len());
    let number = &number[first..];
    number.len() * 8 - number.first().map_or(0, |first| first.leading_zeros() as usize)
}

/// The one algorithm of a key: what it says, or what its kind is used with.
fn algorithm(key: &Jwk) -> Result<Algorithm, &'static str> {
    let usual = match &key.algorithm {
        AlgorithmParameters::RSA(_) => Algorithm::RS256,
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => Algorithm::ES256,
        AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P384 => Algorithm::ES384,
        AlgorithmParameters::OctetKeyPair(point) if point.curve == EllipticCurve::Ed25519 => Algorithm::EdDSA,
        AlgorithmParameters::OctetKey(_) => return Err("is a secret, which does not belong in a JWKS"),
        _ => return Err("has an unsupported type"),
    };
    match key.common.key_algorithm {
        None => Ok(usual),
        Some(said) => said.to_string().parse().map_err(|_| "has an alg that is not known here"),
    }
}

fn rules(jwt: &Jwt, algorithm: Algorithm) -> Validation {
    let mut rules = Validation::new(algorithm);
    rules.leeway = TOKEN_LEEWAY_S;
    rules.validate_nbf = true;
    rules.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    rules.set_issuer(&[&jwt.issuer]);
    rules.set_audience(&[&jwt.audience]);
    rules
}

/// What is wrong with a token, in words that say nothing of what is in it.
fn wrong(error: &Error) -> &'static str {
    match error.kind() {
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::ImmatureSignature => "the token is not valid yet",
        ErrorKind::InvalidIssuer => "the token is another issuer's",
        ErrorKind::InvalidAudience => "the token is for another audience",
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::InvalidAlgorithm => "the token's alg is not its key's",
        ErrorKind::MissingRequiredClaim(_) => "the token must have exp, iss, aud and sub",
        _ => "the token cannot be read",
    }
}

#[cfg(test)]
mod tests;
