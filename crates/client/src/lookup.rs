//! Turns at looking up what Redis does not have, so that of many gateways one asks PostgreSQL and the others hear of
//! it.
//!
//! The ids are anyone's: a key for each would let strangers fill Redis. So there is a fixed number of buckets, each
//! with a lock and with what the last look-up in it has shown. Both keys go away by themselves.

use std::time::Duration;

use flash_wire::key::LOOKUP_KEY_PREFIX;
use redis::{Cmd, Value};

use crate::client::Client;
use crate::error::CallError;
use crate::plain::{millis, text};

/// How many buckets there are. Two ids of one bucket take turns.
pub const LOOKUP_BUCKETS: u64 = 16_384;

/// What a gateway finds that asks for its turn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The turn is the caller's: to be ended.
    pub is_ours: bool,
    /// What the bucket's last look-up has shown, if that was lately.
    pub seen: Option<String>,
}

impl Client {
    /// Asks for a bucket's turn. A holder that dies keeps it no longer than `life`.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn begin_lookup(&self, bucket: u64, token: &str, life: Duration) -> Result<Lookup, CallError> {
        let mut lock = Cmd::new();
        lock.arg("SET").arg(lock_key(bucket)).arg(token).arg("NX").arg("PX").arg(millis(life));
        let mut seen = Cmd::new();
        seen.arg("GET").arg(seen_key(bucket));
        let [lock, seen] = self.send([lock, seen]).await?;
        Ok(Lookup { is_ours: lock == Value::Okay, seen: text(seen)? })
    }

    /// Ends the turn, and says for so long what it has shown, if anything. A turn that is over is left to its next
    /// holder now. (Between the look at it and its end somebody else may get it in the last moment of its life; then
    /// two ask PostgreSQL at once.)
    ///
    /// # Errors
    /// See [`CallError`]. The turn ends by itself then.
    pub async fn end_lookup(&self, bucket: u64, token: &str, shown: Option<(&str, Duration)>) -> Result<(), CallError> {
        let mut holder = Cmd::new();
        holder.arg("GET").arg(lock_key(bucket));
        if let Some((what, life)) = shown {
            let mut seen = Cmd::new();
            seen.arg("SET").arg(seen_key(bucket)).arg(what).arg("PX").arg(millis(life));
            self.send([seen]).await?;
        }
        let [holder] = self.send([holder]).await?;
        if text(holder)?.as_deref() == Some(token) {
            let mut end = Cmd::new();
            end.arg("DEL").arg(lock_key(bucket));
            self.send([end]).await?;
        }
        Ok(())
    }
}

fn lock_key(bucket: u64) -> String {
    format!("{LOOKUP_KEY_PREFIX}{bucket}")
}

fn seen_key(bucket: u64) -> String {
    format!("{LOOKUP_KEY_PREFIX}{bucket}:seen")
}
