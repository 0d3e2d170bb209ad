//! PostgreSQL: its schema, its user's rights, and what a crash would leave.

use anyhow::Result;
use flash_transport::Finding;
use flash_vault::Client;

use crate::check::{Check, Version};
use crate::clock::{clock_finding, now_ms};
use crate::config::Config;

/// Settings without which a commit is not on the disk whole, and what each does when it is off.
const DISK: [(&str, &str); 2] = [
    ("fsync", "a crash of the machine may corrupt the database"),
    ("full_page_writes", "a crash of the machine may leave partially written pages"),
];

pub(crate) const CHECKS: [Check<Client>; 9] = [
    ("migrations", |vault| Box::pin(migrations(vault))),
    ("rights", |vault| Box::pin(rights(vault))),
    ("audit-log", |vault| Box::pin(audit_log(vault))),
    ("primary", |vault| Box::pin(primary(vault))),
    ("writable", |vault| Box::pin(writable(vault))),
    ("disk", |vault| Box::pin(disk(vault))),
    ("synchronous-commit", |vault| Box::pin(synchronous_commit(vault))),
    ("pooler", |vault| Box::pin(pooler(vault))),
    ("clock", |vault| Box::pin(clock(vault))),
];

pub(crate) async fn reach(config: &Config) -> Result<Client> {
    Ok(flash_vault::connect(config.postgres()?).await?)
}

pub(crate) async fn versions(vault: &Client) -> Vec<Version> {
    let settings = flash_vault::settings(vault, &["server_version"]).await.unwrap_or_default();
    settings.into_values().map(|version| Version { name: "postgres", version }).collect()
}

async fn migrations(vault: &Client) -> Result<Finding> {
    let migrations = flash_vault::migrations(vault).await?;
    if !migrations.foreign.is_empty() {
        return Ok(Finding::fail(
            format!("applied, but unknown to this program: {}", migrations.foreign.join(", ")),
            "run the release that the database belongs to",
        ));
    }
    if !migrations.missing.is_empty() {
        return Ok(Finding::fail(
            format!("migrations not applied: {}", migrations.missing.join(", ")),
            "run flash migrate",
        ));
    }
    Ok(Finding::ok("all migrations are applied"))
}

async fn rights(vault: &Client) -> Result<Finding> {
    let closed = flash_vault::closed_tables(vault).await?;
    if closed.is_empty() {
        return Ok(Finding::ok("the user has every permission that a gateway needs"));
    }
    Ok(Finding::fail(
        format!("the user lacks permissions that a gateway needs, in {}", closed.join(", ")),
        "run flash migrate --gateway-role USER as the owner of the tables",
    ))
}

/// Who steals a gateway's password is not to be able to cover that up.
async fn audit_log(vault: &Client) -> Result<Finding> {
    if flash_vault::may_rewrite_log(vault).await? {
        return Ok(Finding::warn(
            "the user may change and delete rows of the audit log",
            "use separate roles for gateways and syncers (flash migrate --gateway-role, --syncer-role)",
        ));
    }
    Ok(Finding::ok("the user may only add rows"))
}

async fn primary(vault: &Client) -> Result<Finding> {
    if flash_vault::is_standby(vault).await? {
        return Ok(Finding::fail(
            "it is a standby, which accepts no writes",
            "give the URL of the primary, or promote it",
        ));
    }
    Ok(Finding::ok("it accepts writes"))
}

/// A session that began while it was off goes on writing; every new one does not.
async fn writable(vault: &Client) -> Result<Finding> {
    const NAME: &str = "default_transaction_read_only";
    if !flash_vault::is_read_only(vault).await? {
        return Ok(Finding::ok("a new session may write"));
    }
    let levels = flash_vault::setting_levels(vault, NAME).await?;
    let set = levels.iter().find(|(_, value)| value == "on").map_or("server", |(level, _)| level.as_str());
    Ok(Finding::fail(
        format!("PostgreSQL is read-only: it is a standby, or {NAME} is on ({set}); orders wait in Redis meanwhile"),
        format!("promote it, or RESET {NAME} (ALTER SYSTEM, ALTER DATABASE or ALTER ROLE) once it may accept writes"),
    ))
}

async fn disk(vault: &Client) -> Result<Finding> {
    let settings = flash_vault::settings(vault, &DISK.map(|(name, _)| name)).await?;
    for (name, harm) in DISK {
        if settings.get(name).is_none_or(|value| value != "on") {
            let advice = format!("set {name} to on (ALTER SYSTEM), and reload the server's settings (pg_reload_conf)");
            return Ok(Finding::fail(format!("{name} is off: {harm}"), advice));
        }
    }
    Ok(Finding::ok("committed transactions survive a crash of the machine"))
}

async fn synchronous_commit(vault: &Client) -> Result<Finding> {
    const NAME: &str = "synchronous_commit";
    let settings = flash_vault::settings(vault, &[NAME]).await?;
    let value = settings.get(NAME).map_or("unknown", String::as_str);
    let levels = flash_vault::setting_levels(vault, NAME).await?;
    let off = levels.iter().find(|(_, value)| value == "off");
    if value != "off" && off.is_none() {
        return Ok(Finding::ok(format!("it is {value}")));
    }
    let level = off.map_or("server", |(level, _)| level.as_str());
    let advice = match level {
        "database" => "set synchronous_commit to on for the database (ALTER DATABASE)",
        "role" => "set synchronous_commit to on for the role (ALTER ROLE)",
        "server" => "set synchronous_commit to on (ALTER SYSTEM), and reload the server's settings (pg_reload_conf)",
        _ => "set synchronous_commit to on for the role in this database (ALTER ROLE … IN DATABASE)",
    };
    Ok(Finding::warn(
        format!("synchronous_commit is off ({level}): Flash sets it for itself, but a crash may undo others' commits"),
        advice,
    ))
}

/// What is set for a session must stay: timeouts, prepared statements, the lock of a migration.
async fn pooler(vault: &Client) -> Result<Finding> {
    if flash_vault::keeps_session(vault).await? {
        return Ok(Finding::ok("each connection keeps its session"));
    }
    Ok(Finding::fail(
        "a pooler is in between that gives a connection another session for each transaction: what Flash sets for its \
         session is lost",
        "use the URL of PostgreSQL itself, or set the pooler to one session per connection (pool_mode=session)",
    ))
}

async fn clock(vault: &Client) -> Result<Finding> {
    let before = now_ms();
    let server = flash_vault::clock_ms(vault).await?;
    Ok(clock_finding(before, server, now_ms()))
}
