//! A barrier of this program's own: when it is in PostgreSQL, so is everything that lay in the transport before it.

use std::time::Duration;

use anyhow::{Context, Result, bail};
use flash_transport::{Outcome, Outgoing, Publisher, Transport};
use flash_wire::Barrier;
use tokio::time::sleep;

/// Between two looks.
const LOOK_MS: u64 = 100;

/// Publishes a barrier, and waits until a syncer has written it.
pub(crate) async fn pass(vault: &flash_vault::Client, transport: &impl Transport) -> Result<()> {
    let id = format!("drain-{:016x}", rand::random::<u64>());
    let mut publisher = transport.publisher("flash syncer drain").await?;
    let outcome = publisher.publish(&Outgoing::barrier(&Barrier::new(&id)?)).await?.await;
    publisher.close().await;
    match outcome {
        Outcome::Confirmed => {}
        Outcome::Rejected(why) | Outcome::Unknown(why) => bail!("the transport did not accept a barrier: {why}"),
    }
    while !flash_vault::has_barrier(vault, &id).await.context("cannot read the barrier from PostgreSQL")? {
        sleep(Duration::from_millis(LOOK_MS)).await;
    }
    Ok(())
}
