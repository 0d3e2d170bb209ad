//! Which keys are good, and what is known of them while PostgreSQL is away. No server listens where these ask.

use flash_vault::Role;

use super::*;
use crate::postgres::PostgresError;

/// A buyer's key, as it is shown.
pub(crate) fn shown(secret: char) -> String {
    format!("{ID}_{}", secret.to_string().repeat(64))
}

const ID: &str = "flash_buyer_0123456789abcdef";

const HERE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn row() -> ApiKey {
    let hash = key_hash(&shown('a'));
    ApiKey {
        id: ID.to_owned(),
        hash,
        role: Role::Buyer,
        holder: "ada".to_owned(),
        expires_at_ms: None,
        is_revoked: false,
    }
}

fn keys() -> ApiKeys {
    ApiKeys::new(Postgres::with("postgres://127.0.0.1:1/db".to_owned(), 1), Arc::new(Strikes::new()))
}

async fn check(keys: &ApiKeys, shown: &str, want: Result<&str, &'static str>) {
    let got = keys.find(shown, HERE).await.map(|key| key.holder.clone());
    assert_eq!(got, want.map(str::to_owned).map_err(Doubt::Unproven), "{shown}");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_good_until_it_is_revoked_or_expires() {
    let later = now_ms() + 1_000_000;
    let rows = [
        (row(), Ok("ada")),
        (ApiKey { expires_at_ms: Some(later), ..row() }, Ok("ada")),
        (ApiKey { expires_at_ms: Some(1), ..row() }, Err("the key has expired")),
        (ApiKey { is_revoked: true, expires_at_ms: Some(1), ..row() }, Err("the key was revoked")),
        (ApiKey { hash: key_hash(&shown('b')), ..row() }, Err("the key is not known")),
    ];
    for (row, want) in rows {
        let keys = keys();
        keys.learn(ID, Some(Arc::new(row)));
        check(&keys, &shown('a'), want).await;
        // Only the holder of a key learns what is wrong with it.
        check(&keys, &shown('c'), Err("the key is not known")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn garbage_is_no_key_and_is_not_asked_for() {
    let long = "a".repeat(10_000);
    for garbage in ["", "_", ID, "flash_buyer__", "eyJhbGciOiJub25lIn0.e30.", "\u{eb}_\u{eb}", &long] {
        check(&keys(), garbage, Err("the key is not known")).await;
    }
}

#[tokio::test(start_paused = true)]
async fn while_postgresql_is_away_only_those_who_were_known_are_known_and_not_for_ever() {
    let keys = keys();
    assert_eq!(keys.find(&shown('a'), HERE).await.unwrap_err(), Doubt::Unknown(PostgresError::Away), "unknown");
    keys.learn(ID, Some(Arc::new(row())));
    for wait_ms in [KEY_KNOWN_MS_MAX, KEY_KNOWN_AWAY_MS_MAX - 2 * KEY_KNOWN_MS_MAX] {
        tokio::time::advance(Duration::from_millis(wait_ms)).await;
        check(&keys, &shown('a'), Ok("ada")).await;
        check(&keys, &shown('b'), Err("the key is not known")).await;
    }
    tokio::time::advance(Duration::from_millis(KEY_KNOWN_MS_MAX)).await;
    assert_eq!(keys.find(&shown('a'), HERE).await.unwrap_err(), Doubt::Unknown(PostgresError::Away));
}

#[tokio::test(start_paused = true)]
async fn that_there_is_no_such_key_is_remembered_for_a_while_too() {
    let keys = keys();
    keys.learn(ID, None);
    check(&keys, &shown('a'), Err("the key is not known")).await;
    tokio::time::advance(Duration::from_millis(KEY_KNOWN_MS_MAX)).await;
    assert_eq!(keys.find(&shown('a'), HERE).await.unwrap_err(), Doubt::Unknown(PostgresError::Away));
}
