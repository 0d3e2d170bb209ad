//! Which durability a server can give, from what it says about itself.

use std::time::{Duration, Instant};

use flash_wire::{Throttle, ThrottleAnswer, ThrottleTerms, WindowTerms};
use redis::{Cmd, Value};

use crate::call::Call;
use crate::client::outcome;
use crate::durability::Durability;
use crate::error::{CallError, Lack};
use crate::multiplexed::Multiplexed;
use crate::plain::millis;

/// How long replicas may take to show that they live.
const LIVE_REPLICAS_TIMEOUT_MS: u64 = 100;
/// A look at the replicas that takes longer says nothing about them: the server itself was slow.
const SLOW_LOOK_MS: u64 = 2 * LIVE_REPLICAS_TIMEOUT_MS;

/// What a server can promise, as far as was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ability {
    /// It syncs its file before each reply. WAITAOF is no substitute: with `everysec`, Redis from 7.4 on (until
    /// redis/redis#13793) and Valkey 8.0 to 9.1 answer it before the sync, and other servers take up to a second.
    pub(crate) syncs: bool,
    /// Replicas that have all that was written.
    pub(crate) replicas: u8,
}

impl Ability {
    /// Looks, for so long at most.
    ///
    /// # Errors
    /// When the server does not answer.
    pub(crate) async fn look(connection: &Multiplexed, limit: Duration) -> Result<Self, CallError> {
        let end = Instant::now() + limit;
        let answers = connection.send_all(vec![redis::cmd("ROLE"), settings(), persistence()], limit).await?;
        let [role, settings, persistence] = &answers[..] else { return Ok(Self { syncs: false, replicas: 0 }) };
        let online = online_replicas(role);
        Ok(Self {
            syncs: syncs(settings, persistence),
            replicas: if online == 0 { 0 } else { live_replicas(connection, online, end).await? },
        })
    }

    /// Why the server cannot give what is wanted, and what would help.
    pub(crate) fn lacks(self, wanted: Durability) -> Option<Lack> {
        if wanted.fsync && !self.syncs {
            return Some(Lack::Fsync);
        }
        let lack = Lack::Replicas { answering: self.replicas, wanted: wanted.replicas };
        (wanted.replicas > self.replicas).then_some(lack)
    }
}

/// A replica whose machine is gone stays in ROLE's list for a minute; whether it lives, WAIT tells.
async fn live_replicas(connection: &Multiplexed, online: u8, end: Instant) -> Result<u8, CallError> {
    loop {
        let begun = Instant::now();
        let questions = vec![mark(), wait(online, Duration::from_millis(LIVE_REPLICAS_TIMEOUT_MS))];
        let answers = connection.send_all(questions, end.saturating_duration_since(begun)).await?;
        let live = answers.get(1).map_or(0, replicas);
        if live >= online || begun.elapsed() < Duration::from_millis(SLOW_LOOK_MS) {
            return Ok(live);
        }
    }
}

/// Asks for the settings that [`syncs`] reads.
pub(crate) fn settings() -> Cmd {
    let mut command = redis::cmd("CONFIG");
    command.arg("GET").arg(&["appendonly", "appendfsync", "no-appendfsync-on-rewrite"]);
    command
}

/// Asks for what [`syncs`] reads of the append-only file, and of what may have turned it off and on.
pub(crate) fn persistence() -> Cmd {
    let mut command = redis::cmd("INFO");
    command.arg(&["persistence", "replication", "commandstats"]);
    command
}

/// Writes something that means nothing: units of a rate limit that is never reached. WAIT waits for what its own
/// connection wrote, and since Redis 7.2 a repeat of what another one wrote does not count. What comes before this in
/// the server's history is there when this is.
pub(crate) fn mark() -> Cmd {
    let terms = ThrottleTerms::Strict(WindowTerms { limit: 1_000_000_000, window_ms: 1_000 });
    Call::throttle("durability", &Throttle { terms, cost: 1 }).command
}

/// Whether [`mark`] was written.
pub(crate) fn is_marked(answer: &Value) -> bool {
    matches!(outcome::<ThrottleAnswer>(answer.clone()), Ok(Ok(answer)) if answer.is_allowed())
}

/// Waits until so many replicas have all that this connection wrote.
pub(crate) fn wait(replicas: u8, limit: Duration) -> Cmd {
    let mut command = redis::cmd("WAIT");
    command.arg(replicas).arg(millis(limit));
    command
}

/// Whether the server syncs before it replies. While the file is rewritten, `no-appendfsync-on-rewrite` turns even
/// `always` off, and until the first file is whole nothing that was synced would be read again.
pub(crate) fn syncs(settings: &Value, persistence: &Value) -> bool {
    let is = |name: &str, want: &str| setting(settings, name).is_some_and(|value| value == want);
    let is_always = is("appendonly", "yes") && is("appendfsync", "always") && is("no-appendfsync-on-rewrite", "no");
    is_always && is_file_complete(persistence)
}

/// Whether a restart would read the append-only file, and the last write to it succeeded.
///
/// After `appendonly yes`, a restart reads nothing of what was synced until the first rewrite has ended. If the server
/// never had a file, the size at its last rewrite is 0. If it had one that was off in between, no field distinguishes
/// that rewrite from any other. So a running rewrite is trusted only if the file was on since the server started. That
/// needs two things: no CONFIG SET since the start, and no CONFIG RESETSTAT, which hides one; and the server was never
/// a replica, because a replica begins a new file after each full copy.
pub(crate) fn is_file_complete(persistence: &Value) -> bool {
    let text = match persistence {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        Value::VerbatimString { text, .. } | Value::SimpleString(text) => text,
        _ => return false,
    };
    let is = |field: &str, want: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
        value.is_some_and(|value| value.trim_end() == want)
    };
    let is_rewritten = is("aof_rewrite_in_progress", "1") || is("aof_rewrite_scheduled", "1");
    let has_called = |command: &str| text.lines().any(|line| line.starts_with(command));
    let was_always_on = is("second_repl_offset", "-1")
        && !has_called("cmdstat_config|set:")
        && !has_called("cmdstat_config|resetstat:");
    let is_first = is_rewritten && (!was_always_on || is("aof_base_size", "0"));
    is("aof_enabled", "1") && is("aof_last_write_status", "ok") && !is_first
}

fn setting<'a>(settings: &'a Value, name: &str) -> Option<&'a str> {
    let text = |value: &'a Value| match value {
        Value::BulkString(bytes) => std::str::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text.as_str()),
        _ => None,
    };
    match settings {
        Value::Array(words) => {
            words.as_chunks::<2>().0.iter().find(|[key, _]| text(key) == Some(name)).and_then(|[_, value]| text(value))
        }
        _ => None,
    }
}

/// Those that ROLE lists; none if this is no primary.
fn online_replicas(role: &Value) -> u8 {
    match role {
        Value::Array(fields) => match fields.get(2) {
            Some(Value::Array(replicas)) => u8::try_from(replicas.len()).unwrap_or(u8::MAX),
            _ => 0,
        },
        _ => 0,
    }
}

/// What WAIT answers.
pub(crate) fn replicas(answer: &Value) -> u8 {
    match answer {
        Value::Int(count) => u8::try_from(*count).unwrap_or(if *count > 0 { u8::MAX } else { 0 }),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "aof_enabled:1\r\naof_rewrite_in_progress:0\r\naof_last_write_status:ok\r\naof_base_size:89\r\nsecond_repl_offset:-1\r\n";

    fn check(settings: &str, want: bool) {
        check_file(settings, WHOLE, want);
    }

    fn check_file(settings: &str, persistence: &str, want: bool) {
        const NAMES: [&str; 3] = ["appendonly", "appendfsync", "no-appendfsync-on-rewrite"];
        let words = NAMES.into_iter().zip(settings.split(' ')).flat_map(|(name, value)| [name, value]);
        let words = words.map(|word| Value::BulkString(word.as_bytes().to_vec())).collect();
        let persistence = Value::BulkString(persistence.as_bytes().to_vec());
        assert_eq!(syncs(&Value::Array(words), &persistence), want, "{settings}");
    }

    #[test]
    fn only_always_means_that_a_reply_is_on_the_disk() {
        check("yes always no", true);
        check("yes always yes", false);
        check("yes everysec no", false);
        check("no always no", false);
        check("yes always", false);
        check("", false);
    }

    #[test]
    fn an_append_only_file_that_is_not_whole_promises_nothing() {
        let check = |from: &str, to: &str, want| {
            assert!(WHOLE.contains(from));
            check_file("yes always no", &WHOLE.replace(from, to), want);
        };
        let first = |in_progress: &str| WHOLE.replace("progress:0", in_progress).replace("size:89", "size:0");
        check("progress:0", "progress:1", true);
        check("progress:0", "progress:1\r\ncmdstat_config|get:calls=1", true);
        check("progress:0", "progress:0\r\ncmdstat_config|set:calls=1", true);
        check("progress:0", "progress:1\r\ncmdstat_config|set:calls=1", false);
        check("progress:0", "progress:1\r\ncmdstat_config|resetstat:calls=1", false);
        check_file("yes always no", &first("progress:1"), false);
        check_file("yes always no", &first("progress:0\r\naof_rewrite_scheduled:1"), false);
        let promoted = |progress: &str| WHOLE.replace("progress:0", progress).replace("offset:-1", "offset:900");
        check_file("yes always no", &promoted("progress:0"), true);
        check_file("yes always no", &promoted("progress:1"), false);
        check("status:ok", "status:err", false);
        check("enabled:1", "enabled:0", false);
        check_file("yes always no", "", false);
    }
}
