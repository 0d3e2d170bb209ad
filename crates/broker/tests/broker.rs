//! The topology on a real RabbitMQ.

mod support;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use flash_broker::{Amqp, DEAD_QUEUE, EXCHANGE, FROZEN_AFTER_MS, MessageKeys, QUEUE, ROUTING_KEY, connect, declare};
use flash_servers::{RabbitMq, RabbitMqOptions, silent};
use flash_transport::{Error, Outgoing, Source, Transport};
use flash_wire::Message;
use flash_wire::message::{MESSAGE_VERSION, MessageChange, MessageEvent};
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicRejectOptions, ConfirmSelectOptions, QueueBindOptions,
    QueueDeclareOptions, QueueDeleteOptions,
};
use lapin::types::{AMQPValue, FieldTable};
use lapin::{Channel, Confirmation, Connection};
use tempfile::TempDir;

use crate::support::answers_consumers_late;

const DEADLINE: Duration = Duration::from_secs(10);

/// A vhost of its own, declared, on the server of this run.
async fn vhost() -> (String, Connection, Channel) {
    static SERVER: OnceLock<(TempDir, RabbitMq)> = OnceLock::new();
    static VHOSTS: AtomicU64 = AtomicU64::new(0);
    let (_, server) = SERVER.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let server = RabbitMq::start(&RabbitMqOptions::new(dir.path().join("rabbitmq")), silent).unwrap();
        (dir, server)
    });
    let name = format!("test_{}", VHOSTS.fetch_add(1, Ordering::Relaxed));
    server.create_vhost(&name).unwrap();
    let url = server.url(&name);
    let connection = connect(&url, "test").await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    declare(&channel).await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    (url, connection, channel)
}

fn message(sale: &str, seq: u64) -> Message<'_> {
    let event = MessageEvent { seq, at_ms: 1, change: MessageChange::Confirmed { id: 1 } };
    Message { version: MESSAGE_VERSION, sale: sale.into(), epoch: 1, published_at_ms: None, events: vec![event] }
}

async fn publish(channel: &Channel, message: &Message<'_>) -> Confirmation {
    flash_broker::publish(channel, &Outgoing::of(message.clone()), &MessageKeys::default())
        .await
        .unwrap()
        .await
        .unwrap()
}

/// The next message of `queue`, as a reader of its own gets it. (A queue with a single active consumer knows no get.)
async fn next(connection: &Connection, queue: &str) -> Delivery {
    let channel = connection.create_channel().await.unwrap();
    let consume = channel.basic_consume(queue.into(), "".into(), BasicConsumeOptions::default(), FieldTable::default());
    let mut consumer = consume.await.unwrap();
    let delivery = tokio::time::timeout(DEADLINE, consumer.next()).await;
    delivery.expect("a message in time").expect("a live consumer").unwrap()
}

fn id(delivery: &Delivery) -> &str {
    delivery.properties.message_id().as_ref().expect("an id").as_str()
}

#[tokio::test]
async fn a_published_message_is_confirmed_and_arrives_as_it_was() {
    let (_, connection, channel) = vhost().await;
    let message = message("drop", 7);
    assert_eq!(publish(&channel, &message).await, Confirmation::Ack(None));
    let got = next(&connection, QUEUE).await;
    assert_eq!(Message::decode(&got.data), Ok(message));
    assert_eq!(id(&got), "drop/1/7-7");
    assert_eq!(got.properties.delivery_mode(), &Some(2));
    assert!(got.ack(BasicAckOptions::default()).await.unwrap());
}

#[tokio::test]
async fn a_rejected_message_lies_with_the_dead() {
    let (_, connection, channel) = vhost().await;
    publish(&channel, &message("drop", 1)).await;
    next(&connection, QUEUE).await.reject(BasicRejectOptions { requeue: false }).await.unwrap();
    let dead = next(&connection, DEAD_QUEUE).await;
    assert_eq!(id(&dead), "drop/1/1-1");
    assert!(dead.ack(BasicAckOptions::default()).await.unwrap());
}

#[tokio::test]
async fn a_message_that_no_queue_takes_comes_back() {
    let (_, _connection, channel) = vhost().await;
    channel.queue_unbind(QUEUE.into(), EXCHANGE.into(), ROUTING_KEY.into(), FieldTable::default()).await.unwrap();
    let confirmation = publish(&channel, &message("drop", 1)).await;
    assert!(matches!(confirmation, Confirmation::Ack(Some(_))), "{confirmation:?}");
    declare(&channel).await.unwrap();
    assert_eq!(publish(&channel, &message("drop", 1)).await, Confirmation::Ack(None));
}

#[tokio::test]
async fn declaring_again_changes_nothing_and_another_setting_is_an_error_that_says_what_to_do() {
    let (url, connection, channel) = vhost().await;
    publish(&channel, &message("drop", 1)).await;
    declare(&channel).await.unwrap();
    assert_eq!(id(&next(&connection, QUEUE).await), "drop/1/1-1");
    channel.queue_delete(DEAD_QUEUE.into(), QueueDeleteOptions::default()).await.unwrap();
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(DEAD_QUEUE.into(), durable, FieldTable::default()).await.unwrap();
    let error = declare(&channel).await.unwrap_err().to_string();
    for part in [DEAD_QUEUE, "inequivalent arg 'x-", "current is none", "delete it"] {
        assert!(error.contains(part), "{error} lacks {part}");
    }
    let misconfigured = Amqp::new(url).source("test").await.err();
    assert!(matches!(misconfigured, Some(Error::Misconfigured(told)) if told.to_string().contains(DEAD_QUEUE)));
}

/// Why Flash states a limit of its own: RabbitMQ takes a message for bad when its readers were killed a few times.
#[tokio::test]
async fn under_a_small_limit_a_healthy_message_is_dead_after_a_few_dead_readers() {
    const LIMIT: i64 = 3;
    const SMALL: &str = "small";
    let (url, connection, channel) = vhost().await;
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), AMQPValue::LongString("quorum".into()));
    arguments.insert("x-delivery-limit".into(), LIMIT.into());
    arguments.insert("x-dead-letter-exchange".into(), AMQPValue::LongString("".into()));
    arguments.insert("x-dead-letter-routing-key".into(), AMQPValue::LongString(DEAD_QUEUE.into()));
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(SMALL.into(), durable, arguments).await.unwrap();
    channel
        .queue_bind(
            SMALL.into(),
            EXCHANGE.into(),
            ROUTING_KEY.into(),
            QueueBindOptions::default(),
            FieldTable::default(),
        )
        .await
        .unwrap();
    publish(&channel, &message("drop", 1)).await;
    // The first reading is no reading again.
    for _ in 0..=LIMIT {
        let reader = connect(&url, "reader").await.unwrap();
        assert_eq!(id(&next(&reader, SMALL).await), "drop/1/1-1");
    }
    assert_eq!(id(&next(&connection, DEAD_QUEUE).await), "drop/1/1-1");
    // Where the limit is Flash's own, it waits.
    assert_eq!(id(&next(&connection, QUEUE).await), "drop/1/1-1");
}

#[tokio::test]
async fn a_healthy_message_outlives_many_dead_readers() {
    let (url, connection, channel) = vhost().await;
    publish(&channel, &message("drop", 1)).await;
    // More often than 4.x allows by default. (The first reading is no reading again.)
    for _ in 0..=25 {
        let reader = connect(&url, "reader").await.unwrap();
        next(&reader, QUEUE).await;
    }
    let got = next(&connection, QUEUE).await;
    let headers = got.properties.headers().as_ref().expect("headers");
    let count = headers.inner().get("x-delivery-count").and_then(AMQPValue::as_long_long_int);
    assert_eq!(count, Some(26), "RabbitMQ counts no deliveries: then this proves nothing");
    assert!(got.ack(BasicAckOptions::default()).await.unwrap());
}

/// What a barrier relies on: whatever a reader had in hand when it went comes again before anything that was queued
/// after it.
#[tokio::test]
async fn what_a_gone_reader_had_in_hand_comes_again_before_what_follows_it() {
    const MESSAGES: u64 = 2_500;
    let (url, _connection, channel) = vhost().await;
    for seq in 1..=MESSAGES {
        drop(
            flash_broker::publish(&channel, &Outgoing::of(message("drop", seq)), &MessageKeys::default())
                .await
                .unwrap(),
        );
    }
    let amqp = Amqp::new(url);
    let mut reader = amqp.source("first").await.unwrap();
    let mut committed = 0;
    while committed < MESSAGES {
        // It takes over when the first one goes.
        let next = amqp.source("next").await.unwrap();
        let mut got = Vec::new();
        while got.last().is_none_or(|last| *last < MESSAGES.min(committed + 200)) {
            let received = tokio::time::timeout(DEADLINE, reader.receive()).await.expect("in time").unwrap();
            let Ok(message) = Message::decode(&received.body) else { panic!("a message") };
            got.push(message.events[0].seq);
            if got.len() == 100 {
                reader.commit(received.token).await.unwrap();
            }
        }
        // A commit that did not arrive makes messages come again, which are in their place.
        let want: Vec<_> = (got[0]..).take(got.len()).collect();
        assert!(got[0] <= committed + 1 && got == want, "after {committed}: {got:?}");
        committed = got.get(99).copied().unwrap_or(MESSAGES);
        let gone = std::mem::replace(&mut reader, next);
        if committed % 200 == 0 { gone.close().await } else { drop(gone) }
    }
}

/// A link that is slow, and a large queue that comes back, look like a queue that is frozen.
#[tokio::test]
async fn a_queue_whose_answer_to_a_consumer_is_late_is_read_and_not_deleted() {
    let (url, _connection, channel) = vhost().await;
    publish(&channel, &message("drop", 1)).await;
    let port: u16 = url.rsplit_once(':').unwrap().1.split('/').next().unwrap().parse().unwrap();
    let late = Duration::from_millis(FROZEN_AFTER_MS + 1_500);
    let slow = answers_consumers_late(port, late).await;
    // Heartbeats are late as well.
    let url = format!("{}?heartbeat=60", url.replace(&format!(":{port}/"), &format!(":{slow}/")));
    let mut source = Amqp::new(url).source("test").await.map_err(|error| error.to_string()).unwrap();
    let received = tokio::time::timeout(DEADLINE, source.receive()).await.expect("in time").unwrap();
    assert_eq!(Message::decode(&received.body), Ok(message("drop", 1)));
}
