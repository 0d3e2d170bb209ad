//! How many orders a second go from a full queue into PostgreSQL, by the number of events in a message.
//!
//! `cargo run --release -p flash-syncer --example sync_rate [orders]` starts a RabbitMQ and a PostgreSQL of its own,
//! with their usual settings: what is confirmed or committed is on disk. No Redis gets acknowledgements.

use std::error::Error;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use flash_broker::{Amqp, MessageKeys, connect, declare, publish as publish_to};
use flash_servers::{Postgres, PostgresOptions, RabbitMq, RabbitMqOptions, silent};
use flash_syncer::{Config, run};
use flash_transport::Outgoing;
use flash_vault::{Client, active_orders, migrate};
use flash_wire::Message;
use flash_wire::message::{
    MESSAGE_VERSION, MessageChange, MessageEvent, MessageItem, MessageReserved, MessageSku, MessageTerms,
};
use futures_util::StreamExt;
use lapin::options::ConfirmSelectOptions;

const ORDERS_DEFAULT: u64 = 200_000;
const EVENTS: [usize; 4] = [1, 16, 256, 400];
/// Messages on their way to RabbitMQ at once.
const WINDOW: usize = 512;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let orders: u64 = std::env::args().nth(1).map_or(Ok(ORDERS_DEFAULT), |text| text.parse())?;
    // PostgreSQL runs as another user, who must get there.
    let open = std::fs::Permissions::from_mode(0o755);
    let dir = tempfile::Builder::new().permissions(open).tempdir()?;
    let postgres = Postgres::start(&PostgresOptions::new(dir.path().join("postgres")), silent)?;
    let rabbitmq = RabbitMq::start(&RabbitMqOptions::new(dir.path().join("rabbitmq")), silent)?;
    let config = Config {
        postgres: postgres.url("postgres"),
        redis: "redis://127.0.0.1:1".to_owned(),
        name: "sync_rate".to_owned(),
    };
    let amqp = rabbitmq.url("/");
    let mut client = flash_vault::connect(&config.postgres).await?;
    migrate(&mut client).await?;
    println!("{:>18} {:>8} {:>12} {:>10}", "events a message", "orders", "published/s", "written/s");
    for events in EVENTS {
        let sale = format!("sale-{events}");
        let begin = Instant::now();
        publish(&amqp, &sale, orders, events).await?;
        let published = orders as f64 / begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        run(&config, &Amqp::new(&amqp), all_written(&client, &sale, orders)).await?;
        let written = orders as f64 / begin.elapsed().as_secs_f64();
        println!("{events:>18} {orders:>8} {published:>12.0} {written:>10.0}");
    }
    Ok(())
}

async fn publish(amqp: &str, sale: &str, orders: u64, events: usize) -> Result<(), Box<dyn Error>> {
    let connection = connect(amqp, "sync_rate").await?;
    let channel = connection.create_channel().await?;
    declare(&channel).await?;
    channel.confirm_select(ConfirmSelectOptions::default()).await?;
    let changes = std::iter::once(warmed(orders)).chain((0..orders).map(reserved));
    let event = |(seq, change)| MessageEvent { seq, at_ms: 1_760_000_000_000, change };
    let all: Vec<_> = (1..).zip(changes).map(event).collect();
    let message = |events: &[MessageEvent<'static>]| Message {
        version: MESSAGE_VERSION,
        sale: sale.to_owned().into(),
        epoch: 1,
        published_at_ms: None,
        events: events.to_vec(),
    };
    let outgoing = all.chunks(events).map(|events| Outgoing::of(message(events)));
    let publish = async |outgoing: Outgoing| publish_to(&channel, &outgoing, &MessageKeys::default()).await?.await;
    let mut confirms = futures_util::stream::iter(outgoing).map(publish).buffered(WINDOW);
    while let Some(confirm) = confirms.next().await {
        confirm?;
    }
    Ok(connection.close(200, "done".into()).await?)
}

async fn all_written(client: &Client, sale: &str, orders: u64) {
    while active_orders(client, sale).await.is_ok_and(|written| written < orders) {
        // Counting costs PostgreSQL something as well.
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
}

fn warmed(total: u64) -> MessageChange<'static> {
    MessageChange::Warmed(MessageTerms {
        skus: vec![MessageSku { sku: "default".to_owned(), total }],
        limit: 1,
        hold_ms: None,
        opens_at_ms: None,
        closes_at_ms: None,
        journal_events_max: Some(1_000_000),
    })
}

/// An order of a buyer whose id, of 17 bytes, lies anywhere among the others, as ids of people do.
fn reserved(at: u64) -> MessageChange<'static> {
    let anywhere = at.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
    MessageChange::Reserved(MessageReserved {
        buyer: format!("buyer-{anywhere:011x}").into(),
        items: vec![MessageItem { sku: "default".into(), quantity: 1 }],
        ..MessageReserved::default()
    })
}
