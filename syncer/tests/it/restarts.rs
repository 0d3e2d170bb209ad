//! Servers that go away and come back, and syncers that are killed.

use std::net::TcpListener;
use std::time::Duration;

use flash_broker::Amqp;
use flash_transport::{Outgoing, Transport, Window};
use flash_wire::Message;

use crate::fixture::{Publisher, Servers, Syncer, history, sold, wait_until};
use crate::redis_stand_in::RedisStandIn;

#[tokio::test]
async fn redis_may_be_away_and_gets_its_acks_when_it_returns() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let config = Servers::shared().config(&format!("redis://{address}")).await;
    let publisher = Publisher::new(&config).await;
    let syncer = Syncer::start(&config);
    for message in history("drop", 5) {
        publisher.publish(&message).await;
    }
    wait_until("all is written", async || sold(&config, "drop").await == (5, 5)).await;
    let redis = RedisStandIn::default();
    redis.listen(&address).await;
    wait_until("Redis knows", async || redis.last_ack().as_deref() == Some("flash:drop 1 6")).await;
    syncer.stop().await;
}

#[tokio::test]
async fn a_syncer_that_is_killed_again_and_again_loses_and_doubles_nothing() {
    let redis = RedisStandIn::default();
    let config = Servers::shared().config(&redis.listen("127.0.0.1:0").await).await;
    let publisher = Publisher::new(&config).await;
    let messages = history("drop", 99);
    for (killed, part) in messages.chunks(10).enumerate() {
        let syncer = Syncer::start(&config);
        for message in part {
            publisher.publish(message).await;
        }
        // It dies when some of its part is written, wherever it is by then.
        let some = killed as u64 * 10 + 3;
        wait_until("some is written", async || sold(&config, "drop").await.0 >= some).await;
        syncer.kill();
    }
    let syncer = Syncer::start(&config);
    wait_until("all is written", async || sold(&config, "drop").await == (99, 99)).await;
    wait_until("Redis knows", async || redis.last_ack().as_deref() == Some("flash:drop 1 100")).await;
    syncer.stop().await;
    assert_eq!(publisher.left().await, 0);
}

/// RabbitMQ 3.10 that is killed right after a declaration comes back with a queue that does not answer.
#[tokio::test]
async fn a_queue_that_is_frozen_is_made_anew() {
    let mut servers = Servers::start();
    let redis = RedisStandIn::default();
    let config = servers.config(&redis.listen("127.0.0.1:0").await).await;
    drop(Publisher::new(&config).await);
    servers.rabbitmq.server.kill().unwrap();
    servers.rabbitmq.server.restart().unwrap();
    let syncer = Syncer::start(&config);
    let amqp = Amqp::new(&config.amqp);
    for message in history("drop", 3) {
        // As the relay does: what is not confirmed in time is published again.
        while !publish_once(&amqp, &message).await {}
    }
    wait_until("all is written", async || sold(&config, "drop").await == (3, 3)).await;
    syncer.stop().await;
}

async fn publish_once(amqp: &Amqp, message: &Message<'_>) -> bool {
    let Ok(publisher) = amqp.publisher("test").await else { return false };
    let mut window = Window::new(publisher);
    if window.publish((), &Outgoing::of(message.clone())).await.is_err() {
        return false;
    }
    let patience = Duration::from_secs(5);
    tokio::time::timeout(patience, window.settled()).await.is_ok_and(|(_, outcome)| outcome.is_confirmed())
}

#[tokio::test]
async fn servers_that_are_killed_and_come_back_are_found_again() {
    let mut servers = Servers::start();
    let redis = RedisStandIn::default();
    let config = servers.config(&redis.listen("127.0.0.1:0").await).await;
    drop(Publisher::new(&config).await);
    // RabbitMQ 3.10 may lose a queue that was declared less than a second before it is killed. Stopped in order, it has
    // written it down.
    servers.rabbitmq.server.stop().unwrap();
    servers.rabbitmq.server.restart().unwrap();
    let messages = history("drop", 30);
    let syncer = Syncer::start(&config);
    let publisher = Publisher::new(&config).await;
    for message in &messages[..11] {
        publisher.publish(message).await;
    }
    wait_until("the first are written", async || sold(&config, "drop").await == (10, 10)).await;

    servers.postgres.server.kill().unwrap();
    for message in &messages[11..21] {
        publisher.publish(message).await;
    }
    servers.postgres.server.restart().unwrap();
    wait_until("the next are written", async || sold(&config, "drop").await == (20, 20)).await;

    servers.rabbitmq.server.kill().unwrap();
    servers.rabbitmq.server.restart().unwrap();
    let publisher = Publisher::new(&config).await;
    for message in &messages[21..] {
        publisher.publish(message).await;
    }
    wait_until("all are written", async || sold(&config, "drop").await == (30, 30)).await;
    wait_until("Redis knows", async || redis.last_ack().as_deref() == Some("flash:drop 1 31")).await;
    syncer.stop().await;
    assert_eq!(publisher.left().await, 0);
}
