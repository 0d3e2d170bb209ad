//! Whether the audit log is as it was written: each row has a hash of itself and the one before.
//!
//! Who may add rows can change none. Who owns the tables can, and can make the chain anew: so the newest hash is
//! printed, to be kept out of the operator's reach, and checked later.

use sha2::{Digest, Sha256};
use tokio_postgres::{Client, Row};

use crate::error::Error;
use crate::number::{from_sql, to_sql};
use crate::sql::audit_log as sql;

/// Rows that one question gives.
const PAGE_ROWS: u64 = 1_000;

/// What a look at the whole log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chain {
    /// Every row is as it was written.
    Whole {
        /// Rows in it.
        rows: u64,
        /// The newest row's hash, in hexadecimal digits; empty: there is no row.
        hash: String,
        /// Whether one of the rows has the hash that was looked for.
        has_expected: bool,
    },
    /// From this place on it is not.
    Broken {
        /// The first place, from 1, that is wrong.
        place: u64,
        /// What is wrong there.
        what: &'static str,
    },
}

/// Reads the whole log, and checks it. `expected`: a hash that one of its rows had, in hexadecimal digits.
///
/// # Errors
/// When PostgreSQL is in trouble.
pub async fn verify_log(client: &Client, expected: Option<&str>) -> Result<Chain, Error> {
    // Read first: what is added meanwhile lies beyond it.
    let head = client.query_one(sql::AUDIT_HEAD, &[]).await?;
    let (head_place, head_hash): (u64, Vec<u8>) = (from_sql(head.get(0)), head.get(1));
    let (mut place, mut hash, mut has_expected) = (0, Vec::new(), expected.is_none());
    while place < head_place {
        let rows = client.query(sql::AUDIT_CHAIN, &[&to_sql(place), &to_sql(head_place), &to_sql(PAGE_ROWS)]).await?;
        if rows.is_empty() {
            break;
        }
        for row in &rows {
            if from_sql(row.get(0)) != place + 1 {
                return Ok(Chain::Broken { place: place + 1, what: "a row is missing" });
            }
            place += 1;
            hash = hash_of(&hash, row);
            if hash != row.get::<_, Vec<u8>>(1) {
                return Ok(Chain::Broken { place, what: "a row was changed, inserted, or put in another's place" });
            }
            has_expected |= expected.is_some_and(|expected| expected.eq_ignore_ascii_case(&hex(&hash)));
        }
    }
    if place != head_place {
        return Ok(Chain::Broken { place: place + 1, what: "the newest rows are missing" });
    }
    if hash != head_hash {
        return Ok(Chain::Broken { place, what: "the chain does not end in its head" });
    }
    Ok(Chain::Whole { rows: place, hash: hex(&hash), has_expected })
}

/// As the function `audit_hash` of the migrations reckons it.
fn hash_of(before: &[u8], row: &Row) -> Vec<u8> {
    let mut hash = Sha256::new();
    hash.update(before);
    for column in 2..12 {
        match row.get::<_, Option<&str>>(column) {
            Some(field) => hash.update(format!("{}:{field}", field.len())),
            None => hash.update("-"),
        }
    }
    hash.finalize().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
