//! Every bound of a recovery, in one place, each with its unit in its name.

/// For how long a recovery attempt keeps other gateways from its sale after it has said so in PostgreSQL. The vault
/// sets it.
pub const LEASE_MS: u64 = 3_000;
/// After how long an attempt renews its lease before its next step.
pub const RENEW_AFTER_MS: u64 = LEASE_MS / 3;
/// How long a sale waits whose events are on their way to PostgreSQL, before it is looked at again.
pub const WAIT_STEP_MS: u64 = 20;
/// How long a sale is left alone that another gateway recovers.
pub const AWAY_MS: u64 = 500;
/// How long a sale is left alone after a server could not be reached.
pub const RETRY_MS: u64 = 200;
/// How long a sale is left alone at first whose recovery has failed for a reason of its own.
pub const REST_MS: u64 = 250;
/// That rest doubles up to this.
pub const REST_MS_MAX: u64 = 15_000;
/// How many terms one attempt passes over to overtake the terms that Redis knows: PostgreSQL has lost that many at
/// most.
pub const OUTBIDS_MAX: u32 = 1_000;
/// How long after its creation a sale that never had an event is left to the request that creates it, seconds: longer
/// than that request can take.
pub const CREATION_GRACE_S: u64 = 10;

const _: () = assert!(RENEW_AFTER_MS * 2 < LEASE_MS && REST_MS < REST_MS_MAX);
