//! What is RabbitMQ's alone.

use flash_broker::{EXCHANGE, QUEUE, ROUTING_KEY, connect};
use flash_transport::{Outcome, Transport, Window};
use lapin::types::FieldTable;

use crate::fixture::{message, vhost_url};

#[tokio::test]
async fn one_returned_message_fails_its_whole_window() {
    let url = vhost_url();
    let amqp = flash_broker::Amqp::new(&url);
    let mut window = Window::new(amqp.publisher("test").await.unwrap());
    let connection = connect(&url, "operator").await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    channel.queue_unbind(QUEUE.into(), EXCHANGE.into(), ROUTING_KEY.into(), FieldTable::default()).await.unwrap();
    for at in 0..50_u64 {
        window.publish(at, &message(at, 1)).await.unwrap();
    }
    let mut confirmed = 0;
    let told = loop {
        match window.settled().await {
            (_, Outcome::Confirmed) => confirmed += 1,
            (_, Outcome::Rejected(why) | Outcome::Unknown(why)) => break why,
        }
    };
    assert!(matches!(told.downcast_ref(), Some(flash_broker::AmqpError::Returned)), "{told}");
    assert_eq!(confirmed + 1 + window.give_up().len(), 50);
    // The next one finds the binding there again.
    let mut window = Window::new(amqp.publisher("test").await.unwrap());
    window.publish(0, &message(0, 1)).await.unwrap();
    assert!(window.settled().await.1.is_confirmed());
}
