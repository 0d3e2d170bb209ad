//! What a usual flash-sale project does: one message an order, and a consumer that for each message runs one INSERT and
//! acknowledges it. The same kind of queue and the same PostgreSQL; the making of the messages is not counted.

use std::env;
use std::time::Duration;

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use lapin::options::QueueDeclareOptions;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
};
use lapin::types::{AMQPValue, FieldTable, LongString};
use lapin::{BasicProperties, Channel, Connection};
use serde::{Deserialize, Serialize};

use crate::drain::{Drained, runtime};
use flash_benches::journal::buyer;
use flash_benches::meter::Meter;
use flash_benches::world::{Built, Part, World};

const QUEUE: &str = "naive.orders";
/// What such projects fetch ahead.
const PREFETCH_MESSAGES: u16 = 100;
/// Messages on their way to RabbitMQ at once.
const WINDOW_MESSAGES: usize = 512;
/// AMQP's number for a message that survives a restart.
const PERSISTENT: u8 = 2;

#[derive(Debug, Serialize, Deserialize)]
struct Order<'a> {
    sale: &'a str,
    buyer: std::borrow::Cow<'a, str>,
    quantity: i32,
}

/// Fills a queue, then lets a consumer of its own process empty it.
pub(crate) fn measure(built: &Built, orders: u64) -> anyhow::Result<Drained> {
    let world = World::start(built)?;
    let runtime = runtime()?;
    let vault = runtime.block_on(flash_vault::connect(&world.postgres_url()))?;
    runtime.block_on(vault.batch_execute(include_str!("sql/naive_table.sql")))?;
    runtime.block_on(publish(&world.amqp_url(), orders))?;
    let args = ["naive-consumer".to_owned(), orders.to_string()];
    let command = world.command(&env::current_exe()?, &args.each_ref().map(String::as_str));
    let mut consumer = Part::start(command)?;
    let meter = Meter::start(&[
        ("RabbitMQ", world.rabbitmq.server.pid()),
        ("consumer", Some(consumer.pid())),
        ("PostgreSQL", world.postgres.server.pid()),
    ]);
    ensure!(consumer.line()? == DONE, "the consumer did not come to its end");
    let (took, parts) = (meter.elapsed(), meter.took());
    let written: i64 = runtime.block_on(vault.query_one(include_str!("sql/naive_count.sql"), &[]))?.get(0);
    ensure!(u64::try_from(written)? == orders, "PostgreSQL has {written} orders of {orders}");
    Ok(Drained { name: "one INSERT and one ack a message", orders, took, parts })
}

/// What the consumer prints when it has written everything.
const DONE: &str = "done\n";

/// The consumer's process. It lives on after its last order, so that what it used can be read.
pub(crate) fn consume(orders: u64) -> anyhow::Result<()> {
    let url = |name| env::var(name).with_context(|| format!("{name} is not set"));
    runtime()?.block_on(write(&url("FLASH_AMQP_URL")?, &url("FLASH_POSTGRES_URL")?, orders))?;
    print!("{DONE}");
    std::io::Write::flush(&mut std::io::stdout())?;
    loop {
        std::thread::park_timeout(Duration::MAX);
    }
}

async fn write(amqp: &str, postgres: &str, orders: u64) -> anyhow::Result<()> {
    let vault = flash_vault::connect(postgres).await?;
    let insert = vault.prepare(include_str!("sql/naive_insert.sql")).await?;
    let connection = flash_broker::connect(amqp, "naive consumer").await?;
    let channel = connection.create_channel().await?;
    channel.basic_qos(PREFETCH_MESSAGES, BasicQosOptions::default()).await?;
    let options = BasicConsumeOptions::default();
    let mut consumer = channel.basic_consume(QUEUE.into(), "".into(), options, FieldTable::default()).await?;
    for _ in 0..orders {
        let delivery = consumer.next().await.context("RabbitMQ sends no more messages")??;
        let order: Order = serde_json::from_slice(&delivery.data)?;
        vault.execute(&insert, &[&order.sale, &order.buyer.as_ref(), &order.quantity]).await?;
        ensure!(delivery.ack(BasicAckOptions::default()).await?, "the channel is gone");
    }
    Ok(())
}

async fn publish(amqp: &str, orders: u64) -> anyhow::Result<()> {
    let connection: Connection = flash_broker::connect(amqp, "naive publisher").await?;
    let channel = connection.create_channel().await?;
    let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
    let mut quorum = FieldTable::default();
    quorum.insert("x-queue-type".into(), AMQPValue::from(LongString::from("quorum")));
    channel.queue_declare(QUEUE.into(), durable, quorum).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let confirms = futures_util::stream::iter(0..orders).map(|at| publish_one(&channel, at));
    let mut confirms = confirms.buffered(WINDOW_MESSAGES);
    while let Some(confirm) = confirms.next().await {
        confirm?;
    }
    Ok(connection.close(200, "done".into()).await?)
}

async fn publish_one(channel: &Channel, at: u64) -> anyhow::Result<()> {
    let body = serde_json::to_vec(&Order { sale: "drop", buyer: buyer(at).into(), quantity: 1 })?;
    let properties = BasicProperties::default().with_delivery_mode(PERSISTENT);
    let options = BasicPublishOptions::default();
    let confirm = channel.basic_publish("".into(), QUEUE.into(), options, &body, properties).await?.await?;
    ensure!(confirm.is_ack(), "RabbitMQ does not take a message");
    Ok(())
}
