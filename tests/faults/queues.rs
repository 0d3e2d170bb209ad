//! What lies in RabbitMQ's queues.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use flash_broker::{DEAD_QUEUE, QUEUE};
use flash_tests::wait;
use lapin::Channel;
use lapin::options::QueueDeclareOptions;
use lapin::types::FieldTable;

use crate::world::{NAME, World};

/// How long what came twice may take to be passed over.
const EMPTY: Duration = Duration::from_secs(60);

/// In the end nothing waits to be written any more, and nothing was ever given up as dead.
pub(crate) fn ensure_empty(world: &World) -> Result<()> {
    let (url, handle) = (world.servers.rabbitmq.url(NAME), &world.background.handle);
    let mut last = anyhow!("not looked at");
    let empty = wait::within(EMPTY, || {
        let looked = handle.block_on(async {
            let connection = flash_broker::connect(&url, "faults").await?;
            let channel = connection.create_channel().await?;
            let messages = (count(&channel, QUEUE).await?, count(&channel, DEAD_QUEUE).await?);
            connection.close(200, "seen".into()).await?;
            Ok(messages)
        });
        match looked {
            Ok((0, dead)) => Some(dead),
            Ok((waiting, _)) => {
                last = anyhow!("{waiting} messages still wait in {QUEUE}");
                None
            }
            Err(error) => {
                last = error;
                None
            }
        }
    });
    match empty {
        Some(0) => Ok(()),
        Some(dead) => bail!("{dead} messages lie in {DEAD_QUEUE}"),
        None => Err(last),
    }
}

async fn count(channel: &Channel, queue: &'static str) -> Result<u32> {
    let look = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    Ok(channel.queue_declare(queue.into(), look, FieldTable::default()).await?.message_count())
}
