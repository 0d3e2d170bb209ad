//! Who calls: what tokens and API keys prove.

mod file;
mod jwks;
mod keys;
mod recent;
mod signatures;
mod strikes;
mod tokens;

use std::path::PathBuf;

pub(crate) use self::file::TokenKeysFile;
pub use self::jwks::KeysError;
pub(crate) use self::jwks::TokenKeys;
pub(crate) use self::keys::ApiKeys;
pub(crate) use self::strikes::Strikes;
pub(crate) use self::tokens::Tokens;
use crate::postgres::PostgresError;

/// How buyers prove who they are.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Not at all: any caller may be any buyer. For development only.
    None,
    /// By a token that somebody else signed; its subject is the buyer.
    Jwt(Jwt),
    /// By an API key; its holder is the buyer.
    ApiKey,
}

/// Which tokens are good.
#[derive(Debug, Clone)]
pub struct Jwt {
    /// Who makes them: `iss`.
    pub issuer: String,
    /// Whom they are for: one of `aud`.
    pub audience: String,
    /// What they are signed with.
    pub keys: JwtKeys,
}

/// What tokens are signed with.
#[derive(Clone)]
pub enum JwtKeys {
    /// Public keys, in a file of JWKS. It is read again when it changes.
    File(PathBuf),
    /// Secrets that the maker of the tokens shares: HS256. One, or two while it goes over from one to the other.
    Secrets(Vec<String>),
}

/// The secret is not shown.
impl std::fmt::Debug for JwtKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(file) => f.debug_tuple("File").field(file).finish(),
            Self::Secrets(_) => f.debug_tuple("Secrets").finish_non_exhaustive(),
        }
    }
}

/// Why a caller is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// What was shown proves nothing, and what is wrong with it.
    Unproven(&'static str),
    /// This address has shown too many bad keys; after so many seconds another is looked at.
    TooMany(u64),
    /// It cannot be checked now.
    Unknown(PostgresError),
}
