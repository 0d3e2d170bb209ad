//! What the roles of gateways and syncers may do: each no more than it needs. The tables are another role's, which
//! migrates.

use tokio_postgres::Client;

use crate::error::Error;
use crate::sql::grants as sql;

/// Grants a role what a gateway does, and the operator's commands: no row of an order or of the audit log is deleted by
/// it, and none of the audit log changed.
///
/// # Errors
/// When PostgreSQL is in trouble, does not know the role, or the tables are another's.
pub async fn grant_gateway(client: &Client, role: &str) -> Result<(), Error> {
    grant(client, role, sql::GATEWAY).await
}

/// Grants a role what a syncer does: it writes orders, and sees no key.
///
/// # Errors
/// As [`grant_gateway`].
pub async fn grant_syncer(client: &Client, role: &str) -> Result<(), Error> {
    grant(client, role, sql::SYNCER).await
}

/// `{role}` in the statements is the role's name, quoted.
async fn grant(client: &Client, role: &str, statements: &str) -> Result<(), Error> {
    let role = format!("\"{}\"", role.replace('"', "\"\""));
    // Whole or not at all: a role between two states would fail somewhere else.
    let statements = format!("BEGIN; {statements} COMMIT").replace("{role}", &role);
    client.batch_execute(&statements).await.inspect_err(|_| tracing::debug!(role, "no grants were changed"))?;
    Ok(())
}
