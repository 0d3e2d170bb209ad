//! What a server says about itself, and what its user may run. Nothing is changed by asking, but that the server counts
//! some calls that it refused.

use flash_wire::{
    Ack, Active, EndHold, Fence, Pull, Ready, Reap, Rebuild, Reserve, Restock, Status, SwitchAnswer, Throttle, Unfence,
    Unreadable, Warm,
};
use redis::{Cmd, Value};

use crate::ability;
use crate::client::Client;
use crate::error::CallError;

/// Every command that gateways and syncers send, with arguments by which it changes nothing: the keys are such as no
/// sale, no rate limit and no lookup can have. Redis looks at who asks before it looks at any of this.
const HARMLESS: [(&str, &[&str]); 25] = [
    (Warm::NAME, &["flash:(none)", "-"]),
    (Reserve::NAME, &["flash:(none)", "-"]),
    (EndHold::CONFIRM, &["flash:(none)", "1"]),
    (EndHold::RELEASE, &["flash:(none)", "1"]),
    (Status::NAME, &["flash:(none)"]),
    (Reap::NAME, &["flash:(none)"]),
    (Ready::NAME, &["COUNT", "1"]),
    (Pull::NAME, &["flash:(none)", "none", "LEASE", "0"]),
    (Ack::NAME, &["flash:(none)", "1", "1"]),
    (Throttle::NAME, &["flash:throttle:(none)", "-", "-", "-"]),
    (Active::NAME, &["flash:(none)"]),
    (Fence::NAME, &["flash:(none)"]),
    (Unfence::NAME, &["flash:(none)", "1", "1"]),
    (Rebuild::NAME, &["flash:(none)", "1", "-"]),
    (Restock::NAME, &["flash:(none)", "1"]),
    (SwitchAnswer::OPEN, &["flash:(none)"]),
    (SwitchAnswer::CLOSE, &["flash:(none)"]),
    ("PING", &[]),
    ("ROLE", &[]),
    ("WAIT", &["0", "0"]),
    ("CONFIG|GET", &["appendonly"]),
    ("INFO", &["persistence"]),
    ("GET", &["flash:lookup:(none)"]),
    ("DEL", &["flash:lookup:(none)"]),
    // Only where it is there already, and at once only where it is not: never.
    ("SET", &["flash:lookup:(none)", "-", "NX", "XX"]),
];

/// Commands that a client needs and cannot have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unusable {
    /// The user may not run them.
    pub forbidden: Vec<&'static str>,
    /// The server does not know them.
    pub unknown: Vec<&'static str>,
}

impl Client {
    /// The commands, of all that gateways and syncers send, that this user cannot run on this server.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn unusable_commands(&self) -> Result<Unusable, CallError> {
        let commands = HARMLESS.iter().map(|(name, args)| {
            let mut command = Cmd::new();
            command.arg(name.split('|').collect::<Vec<_>>()).arg(*args);
            command
        });
        let replies = self.replies(commands.collect()).await?;
        let mut unusable = Unusable::default();
        for ((name, _), reply) in HARMLESS.iter().zip(&replies) {
            let Value::ServerError(error) = reply else { continue };
            if error.code() == "NOPERM" {
                unusable.forbidden.push(name);
            }
            if error.details().is_some_and(|text| text.starts_with("unknown command")) {
                unusable.unknown.push(name);
            }
        }
        Ok(unusable)
    }

    /// The value of a setting of the server; none: it has no such setting.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn setting(&self, name: &str) -> Result<Option<String>, CallError> {
        let mut command = redis::cmd("CONFIG");
        command.arg("GET").arg(name);
        let [reply] = self.send([command]).await?;
        let Value::Array(pair) = reply else { return Err(Unreadable { what: "type" }.into()) };
        pair.into_iter().nth(1).map(text).transpose()
    }

    /// A line of `INFO`; none: there is no such line.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn info(&self, section: &str, line: &str) -> Result<Option<String>, CallError> {
        let mut command = redis::cmd("INFO");
        command.arg(section);
        let [reply] = self.send([command]).await?;
        let page = text(reply)?;
        let value = page.lines().find_map(|of| of.strip_prefix(line)?.strip_prefix(':'));
        Ok(value.map(str::to_owned))
    }

    /// Whether a restart would read everything that the server has written to its append-only file. False while that is
    /// in doubt: `CONFIG SET appendonly yes` begins a file that a restart ignores until the first rewrite has ended.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn is_append_only_file_complete(&self) -> Result<bool, CallError> {
        let [reply] = self.send([ability::persistence()]).await?;
        Ok(ability::is_file_complete(&reply))
    }

    /// Whether the server decides, and does not only repeat what another one has decided.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn is_primary(&self) -> Result<bool, CallError> {
        let [reply] = self.send([redis::cmd("ROLE")]).await?;
        let Value::Array(parts) = reply else { return Err(Unreadable { what: "type" }.into()) };
        let role = parts.into_iter().next().map(text).transpose()?;
        Ok(role.as_deref() == Some("master"))
    }

    /// The server's clock, in Unix milliseconds.
    ///
    /// # Errors
    /// See [`CallError`].
    pub async fn clock_ms(&self) -> Result<u64, CallError> {
        let [reply] = self.send([redis::cmd("TIME")]).await?;
        let Value::Array(parts) = reply else { return Err(Unreadable { what: "type" }.into()) };
        let parts: Result<Vec<u64>, CallError> = parts.into_iter().map(number).collect();
        let [seconds, micros] = parts?[..] else { return Err(Unreadable { what: "number of replies" }.into()) };
        Ok(seconds.saturating_mul(1_000).saturating_add(micros / 1_000))
    }
}

fn number(value: Value) -> Result<u64, CallError> {
    text(value)?.parse().map_err(|_| Unreadable { what: "number" }.into())
}

fn text(value: Value) -> Result<String, CallError> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| Unreadable { what: "text" }.into()),
        Value::SimpleString(text) | Value::VerbatimString { text, .. } => Ok(text),
        _ => Err(Unreadable { what: "type" }.into()),
    }
}
