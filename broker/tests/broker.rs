//! The topology on a real RabbitMQ.

use std::time::Duration;

use flash_broker::{DEAD_QUEUE, EXCHANGE, Outgoing, QUEUE, ROUTING_KEY, connect, declare};
use flash_wire::message::{MESSAGE_VERSION, MessageChange, MessageEvent};
use flash_wire::Message;
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{BasicAckOptions, BasicConsumeOptions, BasicRejectOptions, ConfirmSelectOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Confirmation, Connection};

const DEADLINE: Duration = Duration::from_secs(10);

async fn fixture() -> (String, Connection, Channel) {
    let url = std::env::var("AMQP_URL").unwrap();
    let connection = connect(&url, "test").await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    declare(&channel).await.unwrap();
    channel.confirm_select(ConfirmSelectOptions::default()).await.unwrap();
    (url, connection, channel)
}

fn message(sale: &str, seq: u64) -> Message<'_> {
    let event = MessageEvent { seq, at_ms: 1, change: MessageChange::Confirmed { id: 1 } };
    Message { version: MESSAGE_VERSION, sale: sale.into(), epoch: 1, events: vec![event] }
}

async fn publish(channel: &Channel, message: &Message<'_>) -> Confirmation {
    Outgoing::of(message).publish(channel).await.unwrap().await.unwrap()
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
    let (_, connection, channel) = fixture().await;
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
    let (_, connection, channel) = fixture().await;
    publish(&channel, &message("drop", 1)).await;
    next(&connection, QUEUE).await.reject(BasicRejectOptions { requeue: false }).await.unwrap();
    let dead = next(&connection, DEAD_QUEUE).await;
    assert_eq!(id(&dead), "drop/1/1-1");
    assert!(dead.ack(BasicAckOptions::default()).await.unwrap());
}

#[tokio::test]
async fn a_message_that_no_queue_takes_comes_back() {
    let (_, _connection, channel) = fixture().await;
    channel.queue_unbind(QUEUE.into(), EXCHANGE.into(), ROUTING_KEY.into(), FieldTable::default()).await.unwrap();
    let confirmation = publish(&channel, &message("drop", 1)).await;
    assert!(matches!(confirmation, Confirmation::Ack(Some(_))), "{confirmation:?}");
    declare(&channel).await.unwrap();
    assert_eq!(publish(&channel, &message("drop", 1)).await, Confirmation::Ack(None));
}

#[tokio::test]
async fn a_healthy_message_outlives_many_dead_readers() {
    let (url, connection, channel) = fixture().await;
    publish(&channel, &message("drop", 1)).await;
    for _ in 0..30 {
        let reader = connect(&url, "reader").await.unwrap();
        next(&reader, QUEUE).await;
    }
    let got = next(&connection, QUEUE).await;
    println!("{:?}", got.properties);
    assert!(got.ack(BasicAckOptions::default()).await.unwrap());
}
