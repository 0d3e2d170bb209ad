//! RabbitMQ as the doctor sees it: what Flash declares, and what lies where nothing should.

use std::sync::Arc;

use flash_transport::{Broker, Checks, Error, Finding, Queue};
use futures_util::future::BoxFuture;
use lapin::Connection;

use crate::Amqp;
use crate::connect::connect;
use crate::depth::{dead_depth, depth};
use crate::error::lost;
use crate::inspect::inspect;
use crate::topology::{DEAD_QUEUE, QUEUE, TopologyError};

/// What `/readyz` and the doctor call it.
pub const NAME: &str = "rabbitmq";

impl Broker for Amqp {
    fn name(&self) -> &'static str {
        NAME
    }

    fn examine<'a>(&'a self, client: &'a str) -> BoxFuture<'a, Result<Checks, Error>> {
        Box::pin(async move {
            let rabbitmq = Arc::new(connect(&self.url, client).await?);
            Ok(checks(&rabbitmq))
        })
    }

    fn queue<'a>(&'a self, client: &'a str) -> BoxFuture<'a, Result<Queue, Error>> {
        Box::pin(async move {
            let rabbitmq = connect(&self.url, client).await?;
            Ok(Queue { name: QUEUE, depth: depth(&rabbitmq).await.map_err(lost)? })
        })
    }
}

fn checks(rabbitmq: &Arc<Connection>) -> Checks {
    let (first, second, third) = (rabbitmq.clone(), rabbitmq.clone(), rabbitmq.clone());
    vec![
        ("topology", Box::pin(async move { topology(&first).await })),
        ("syncers", Box::pin(async move { syncers(&second).await })),
        ("dead-letters", Box::pin(async move { dead_letters(&third).await })),
    ]
}

async fn topology(rabbitmq: &Connection) -> Result<Finding, Error> {
    let mut absent = Vec::new();
    for part in inspect(rabbitmq).await.map_err(lost)? {
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

async fn syncers(rabbitmq: &Connection) -> Result<Finding, Error> {
    let Some(depth) = depth(rabbitmq).await.map_err(lost)? else {
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

async fn dead_letters(rabbitmq: &Connection) -> Result<Finding, Error> {
    match dead_depth(rabbitmq).await.map_err(lost)? {
        Some(depth) if depth.ready > 0 => Ok(Finding::warn(
            format!("{} messages lie where RabbitMQ puts what it will not deliver any more", depth.ready),
            format!("see them in the queue {DEAD_QUEUE}; the journals still have what PostgreSQL lacks"),
        )),
        _ => Ok(Finding::ok("there are none")),
    }
}
