//! Keys that buyers and operators show. Only its creator ever sees it whole.
//!
//! `flash_buyer_3fa9c2d1e0b74a55_…`: an id that may be read, listed and logged, followed by 256 random bits.

use std::fmt;

use sha2::{Digest, Sha256};
use tokio_postgres::{Client, GenericClient};

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql::identity as sql;

/// Random bytes of an id, and of the secret after it.
const ID_BYTES: usize = 8;
const SECRET_BYTES: usize = 32;
/// What every id begins with, besides its role.
const PREFIXES: [(Role, &str); 6] = [
    (Role::Buyer, "flash_buyer_"),
    (Role::Read, "flash_read_"),
    (Role::Sell, "flash_sell_"),
    (Role::Pay, "flash_pay_"),
    (Role::Admin, "flash_admin_"),
    (Role::Operate, "flash_operate_"),
];

/// What a key is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Acts as the buyer who holds it.
    Buyer,
    /// An operator who looks.
    Read,
    /// An operator who looks, and runs sales: restocks, opens, closes, reserves and releases for buyers.
    Sell,
    /// A payment service: looks, confirms, and reports refunds.
    Pay,
    /// An operator who may do everything.
    Admin,
    /// The same, by an older name.
    Operate,
}

impl Role {
    /// Every role by its name.
    pub const NAMES: [(&'static str, Self); 6] = [
        ("buyer", Self::Buyer),
        ("read", Self::Read),
        ("sell", Self::Sell),
        ("pay", Self::Pay),
        ("admin", Self::Admin),
        ("operate", Self::Operate),
    ];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Buyer => "buyer",
            Self::Read => "read",
            Self::Sell => "sell",
            Self::Pay => "pay",
            Self::Admin => "admin",
            Self::Operate => "operate",
        }
    }

    /// Whether a key of this role may do what takes the role `needed`.
    #[must_use]
    pub const fn may(self, needed: Self) -> bool {
        match (self, needed) {
            (Self::Buyer, needed) => matches!(needed, Self::Buyer),
            (_, Self::Buyer) => false,
            (Self::Admin | Self::Operate, _) | (_, Self::Read) => true,
            (Self::Sell, needed) => matches!(needed, Self::Sell),
            (Self::Pay, needed) => matches!(needed, Self::Pay),
            (Self::Read, _) => false,
        }
    }

    /// The role of that name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(of, _)| *of == name).map(|(_, role)| role)
    }
}

/// A key that is to be made.
#[derive(Debug, Clone)]
pub struct NewKey<'a> {
    /// What it is to be good for.
    pub role: Role,
    /// The buyer, or who the operator is.
    pub holder: &'a str,
    /// When it ends, Unix milliseconds; none: when it is revoked.
    pub expires_at_ms: Option<u64>,
}

/// A key as it is checked.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its readable part.
    pub id: String,
    /// [`key_hash`] of all of it.
    pub hash: [u8; 32],
    /// What it is good for.
    pub role: Role,
    /// The buyer, or who the operator is.
    pub holder: String,
    /// When it ends, Unix milliseconds.
    pub expires_at_ms: Option<u64>,
    /// Whether somebody has ended it.
    pub is_revoked: bool,
}

/// A key as it is listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyRow {
    /// Its readable part.
    pub id: String,
    /// The name of its role.
    pub role: String,
    /// The buyer, or who the operator is.
    pub holder: String,
    /// When it was made, as text.
    pub created_at: String,
    /// When it ends, Unix milliseconds.
    pub expires_at_ms: Option<u64>,
    /// When it was revoked, as text.
    pub revoked_at: Option<String>,
}

/// The readable part of what was shown; none, if it cannot be a key.
#[must_use]
pub fn key_id(shown: &str) -> Option<&str> {
    let (id, secret) = shown.rsplit_once('_')?;
    let digits = PREFIXES.iter().find_map(|(_, prefix)| id.strip_prefix(prefix))?;
    let is_hex = |text: &str, bytes: usize| {
        text.len() == 2 * bytes && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    };
    (is_hex(digits, ID_BYTES) && is_hex(secret, SECRET_BYTES)).then_some(id)
}

/// What is kept of a key.
#[must_use]
pub fn key_hash(key: &str) -> [u8; 32] {
    Sha256::digest(key).into()
}

/// Makes a key, and gives it and its id: it is not to be seen again.
///
/// # Errors
/// When PostgreSQL is in trouble: whether the key works is unknown, and no one has it.
pub async fn create_key(client: &impl GenericClient, new: &NewKey<'_>) -> Result<(String, String), Error> {
    let prefix = PREFIXES.iter().find(|(role, _)| *role == new.role).map_or("", |(_, prefix)| prefix);
    let id = format!("{prefix}{}", Hex(&rand::random::<[u8; ID_BYTES]>()));
    let key = format!("{id}_{}", Hex(&rand::random::<[u8; SECRET_BYTES]>()));
    let (hash, expires) = (key_hash(&key), new.expires_at_ms.map(to_sql));
    client.execute(sql::CREATE_KEY, &[&id, &hash.as_slice(), &new.role.name(), &new.holder, &expires]).await?;
    Ok((id, key))
}

/// What a key is good for; none: there is no such key.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn api_key(client: &Client, id: &str) -> Result<Option<ApiKey>, Error> {
    let Some(row) = client.query_opt(sql::API_KEY, &[&id]).await? else { return Ok(None) };
    // A row that somebody wrote by hand is good for nothing.
    let (hash, role) = (row.get::<_, &[u8]>(0).try_into().ok(), Role::of(row.get(1)));
    let (Some(hash), Some(role)) = (hash, role) else { return Ok(None) };
    let expires_at_ms = row.get::<_, Option<i64>>(3).map(from_sql);
    Ok(Some(ApiKey { id: id.to_owned(), hash, role, holder: row.get(2), expires_at_ms, is_revoked: row.get(4) }))
}

/// The keys after the id `after`, by id, those that have ended too.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn keys(client: &Client, after: &str, limit: u64) -> Result<Vec<KeyRow>, Error> {
    let rows = client.query(sql::KEYS, &[&after, &to_sql(limit)]).await?;
    let row = |row: &tokio_postgres::Row| KeyRow {
        id: row.get(0),
        role: row.get(1),
        holder: row.get(2),
        created_at: row.get(3),
        expires_at_ms: row.get::<_, Option<i64>>(4).map(from_sql),
        revoked_at: row.get(5),
    };
    Ok(rows.iter().map(row).collect())
}

/// Ends a key. False: there is none of that id.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn revoke_key(client: &Client, id: &str) -> Result<bool, Error> {
    Ok(client.execute(sql::REVOKE_KEY, &[&id]).await? > 0)
}

struct Hex<'a>(&'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// Not even the hash is shown.
impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiKey").field("id", &self.id).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(shown: &str, want: Option<&str>) {
        assert_eq!(key_id(shown), want, "{shown}");
    }

    #[test]
    fn a_key_has_a_readable_part_and_a_secret() {
        let (id, secret) = ("flash_operate_00112233445566ff", "0a".repeat(SECRET_BYTES));
        check(&format!("{id}_{secret}"), Some(id));
        check(&format!("flash_owner_00112233445566ff_{secret}"), None);
        check(&format!("{id}_{}", &secret[1..]), None);
        check(&format!("{id}0_{secret}"), None);
        check(&format!("{id}_{}", secret.to_uppercase()), None);
        for garbage in ["", "_", "flash_buyer_", id, "\u{eb}_\u{eb}"] {
            check(garbage, None);
        }
    }

    #[test]
    fn every_role_has_its_name_and_its_prefix() {
        for (name, role) in Role::NAMES {
            assert_eq!((role.name(), Role::of(name)), (name, Some(role)));
            assert!(PREFIXES.contains(&(role, format!("flash_{name}_").as_str())));
        }
        assert_eq!(Role::of("owner"), None);
    }

    #[test]
    fn a_role_may_do_its_own_and_only_an_admin_all() {
        const NEEDED: [Role; 4] = [Role::Read, Role::Sell, Role::Pay, Role::Admin];
        for (role, want) in [
            (Role::Buyer, [false, false, false, false]),
            (Role::Read, [true, false, false, false]),
            (Role::Sell, [true, true, false, false]),
            (Role::Pay, [true, false, true, false]),
            (Role::Admin, [true; 4]),
            (Role::Operate, [true; 4]),
        ] {
            assert_eq!(NEEDED.map(|needed| role.may(needed)), want, "{role:?}");
            assert_eq!(role.may(Role::Buyer), role == Role::Buyer, "{role:?}");
            assert!(!role.may(Role::Operate) || want[3], "{role:?}");
        }
    }
}
