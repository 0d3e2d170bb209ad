//! RabbitMQ: what Flash declares, and what lies where nothing should.

use anyhow::{Context, Result};
use flash_broker::{Connection, QUEUE, TopologyError};

use crate::config::{self, Url};
use crate::examine::Check;
use crate::finding::Finding;

pub(crate) const CHECKS: [Check<Connection>; 3] = [
    ("topology", |rabbitmq| Box::pin(topology(rabbitmq))),
    ("syncers", |rabbitmq| Box::pin(syncers(rabbitmq))),
    ("dead-letters", |rabbitmq| Box::pin(dead_letters(rabbitmq))),
];

pub(crate) async fn reach(url: &Url) -> Result<Connection> {
    Ok(flash_broker::connect(config::known(url)?, "flash doctor").await?)
}

async fn topology(rabbitmq: &Connection) -> Result<Finding> {
    let parts = flash_broker::inspect(rabbitmq).await.context("RabbitMQ does not show what it has")?;
    let mut absent = Vec::new();
    for part in parts {
        match part.fits {
            Some(Ok(())) => {}
            Some(Err(error @ TopologyError::Differs { .. })) => {
                let advice = "empty it and delete it, then it is declared anew; or give Flash a vhost of its own";
                return Ok(Finding::fail(error.to_string(), advice));
            }
            Some(Err(error)) => return Err(error.into()),
            None => absent.push(part.name),
        }
    }
    if absent.is_empty() {
        return Ok(Finding::ok(
            "the exchange, the quorum queue and the one for dead letters are there as they should be",
        ));
    }
    let told = format!("not there yet: {}", absent.join(", "));
    Ok(Finding::warn(told, "well, before the first start: a gateway or a syncer declares them"))
}

async fn syncers(rabbitmq: &Connection) -> Result<Finding> {
    let Some(depth) = flash_broker::depth(rabbitmq).await? else {
        return Ok(Finding::warn(format!("there is no queue {QUEUE} yet"), "start a syncer"));
    };
    if depth.consumers > 0 {
        return Ok(Finding::ok(format!(
            "syncers that are connected: {}; messages that wait: {}",
            depth.consumers, depth.ready
        )));
    }
    Ok(Finding::warn(
        format!("no syncer is connected, and {} messages wait: nothing reaches PostgreSQL this way", depth.ready),
        "start a syncer, or flash syncer resume",
    ))
}

async fn dead_letters(rabbitmq: &Connection) -> Result<Finding> {
    match flash_broker::dead_depth(rabbitmq).await? {
        Some(depth) if depth.ready > 0 => Ok(Finding::warn(
            format!("{} messages lie where RabbitMQ puts what it will not deliver any more", depth.ready),
            "see them in the queue flash.dead; the journals still have what PostgreSQL lacks",
        )),
        _ => Ok(Finding::ok("there are none")),
    }
}
