//! Brings the tables up to date.

use tokio_postgres::Client;

use crate::error::Error;
use crate::sql;

pub(crate) mod embedded {
    refinery::embed_migrations!("../../migrations");
}

/// Applies the migrations that the database lacks, one transaction each, and gives their names. A second caller at the
/// same time waits: the migration library takes no lock of its own.
///
/// # Errors
/// [`Error::Encoding`], before anything is done; or when a migration fails, or one that was applied is not known here or
/// differs. Earlier ones of the call stay applied.
pub async fn migrate(client: &mut Client) -> Result<Vec<String>, Error> {
    let encoding: String = client.query_one(sql::inspect::ENCODING, &[]).await?.get(0);
    if encoding != "UTF8" {
        return Err(Error::Encoding(encoding));
    }
    client.batch_execute(sql::LOCK_MIGRATIONS).await?;
    let migrated = embedded::migrations::runner().run_async(client).await;
    client.batch_execute(sql::UNLOCK_MIGRATIONS).await?;
    Ok(migrated?.applied_migrations().iter().map(ToString::to_string).collect())
}
