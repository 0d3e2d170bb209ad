use flash_servers::{Error, Phase, RabbitMq, RabbitMqOptions, silent};
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions, QueueDeclareOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties};

use crate::{block_on, processes, temporary_dir};

async fn connect(url: &str) -> lapin::Result<(Connection, Channel)> {
    let connection = Connection::connect(url, ConnectionProperties::default()).await?;
    let channel = connection.create_channel().await?;
    Ok((connection, channel))
}

/// Publishes a persistent message to a durable queue of the vhost, and waits until it is confirmed.
fn publish(rabbitmq: &RabbitMq, vhost: &str) {
    let work = async {
        let (_connection, channel) = connect(&rabbitmq.url(vhost)).await?;
        let durable = QueueDeclareOptions { durable: true, ..Default::default() };
        channel.queue_declare("kept".into(), durable, FieldTable::default()).await?;
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        let persistent = BasicProperties::default().with_delivery_mode(2);
        let options = BasicPublishOptions::default();
        channel.basic_publish("".into(), "kept".into(), options, b"kept", persistent).await?.await
    };
    assert!(block_on(work).unwrap().is_ack());
}

/// How many messages the queue of the vhost holds.
fn count(rabbitmq: &RabbitMq, vhost: &str) -> u32 {
    let work = async {
        let (_connection, channel) = connect(&rabbitmq.url(vhost)).await?;
        let passive = QueueDeclareOptions { passive: true, ..Default::default() };
        channel.queue_declare("kept".into(), passive, FieldTable::default()).await
    };
    block_on(work).unwrap().message_count()
}

#[test]
fn it_starts_answers_and_keeps_what_it_confirmed() {
    let root = temporary_dir();
    let dir = root.path().join("a rabbitmq");
    let mut phases = vec![];
    let mut rabbitmq = RabbitMq::start(&RabbitMqOptions::new(&dir), |phase| phases.push(phase)).unwrap();
    assert_eq!(phases, [Phase::Starting, Phase::Ready]);
    let port = rabbitmq.server.port();
    // AMQP, and the node's own port. There is no epmd.
    processes::assert_on_loopback_only(&dir, 2);
    std::thread::scope(|scope| {
        for name in ["shop", "second", "third", "fourth"] {
            scope.spawn(|| rabbitmq.create_vhost(name).unwrap());
        }
    });
    rabbitmq.create_vhost("shop").unwrap();
    publish(&rabbitmq, "/");
    publish(&rabbitmq, "shop");

    assert!(processes::working_in(&dir).len() > 1);
    rabbitmq.server.stop().unwrap();
    assert_eq!(processes::working_in(&dir), [""; 0]);
    drop(rabbitmq);
    let mut rabbitmq = RabbitMq::start(&RabbitMqOptions::new(&dir), silent).unwrap();
    assert_eq!(rabbitmq.server.port(), port);
    assert_eq!((count(&rabbitmq, "/"), count(&rabbitmq, "shop")), (1, 1));
    publish(&rabbitmq, "shop");

    rabbitmq.server.kill().unwrap();
    assert_eq!(processes::working_in(&dir), [""; 0]);
    rabbitmq.server.restart().unwrap();
    assert_eq!((count(&rabbitmq, "/"), count(&rabbitmq, "shop")), (1, 2));

    let error = rabbitmq.create_vhost("a\">>, b").unwrap_err();
    assert!(matches!(error, Error::BadName { .. }), "{error}");
    let guest = format!("amqp://guest:guest@127.0.0.1:{port}/%2f");
    assert!(block_on(connect(&guest)).is_err());
    drop(rabbitmq);
    assert_eq!(processes::working_in(&dir), [""; 0]);
}

#[test]
fn a_setting_that_does_not_exist_is_reported_in_the_servers_own_words() {
    let root = temporary_dir();
    let mut options = RabbitMqOptions::new(root.path().join("rabbitmq"));
    options.config = vec!["no_such_setting = 1".into()];
    let message = RabbitMq::start(&options, silent).unwrap_err().to_string();
    assert!(message.contains("RabbitMQ ended"), "{message}");
    assert!(message.contains("no_such_setting"), "{message}");
}
