//! Somebody who can publish to the broker and read from it sends messages without a signature, with that of another
//! message, changed ones, and good ones again; and somebody who has the key too says other things of events that are
//! known. What was sent before is passed over, everything else is put aside once, and the audit finds nothing once that
//! is discarded.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use flash_broker::{Amqp, EXCHANGE, MessageKeys, ROUTING_KEY};
use flash_tests::{built, wait};
use flash_transport::{Outgoing, Publisher, Transport};
use flash_wire::Message;
use flash_wire::message::{MessageChange, MessageEvent};
use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicConsumeOptions, BasicPublishOptions, ConfirmSelectOptions, QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel};
use rand::RngExt;

use crate::eyes::Eyes;
use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::{MESSAGE_KEY, NAME, Terms, World};

/// Messages that are copied and abused in one round.
const COPIES_MAX: usize = 40;
/// Of these, messages that are contradicted with the key.
const CONTRADICTED_MAX: usize = 12;
/// How long the buyers may take to make the first of them.
const COPIED: Duration = Duration::from_secs(10);
/// How long PostgreSQL may take to have an event.
const WRITTEN: Duration = Duration::from_secs(20);
/// How long what was sent may take to be put aside.
const ASIDE: Duration = Duration::from_secs(60);
/// The headers of a signature and of the time that it covers.
const MAC: &str = "flash-mac";
const PUBLISHED_AT_MS: &str = "published-at-ms";

pub(super) fn run(runner: &mut Runner) -> Result<()> {
    let terms = Terms { signs: true, ..Terms::default() };
    runner.rounds(&terms, |world, seed| {
        let mut sent = Sent::default();
        let tally = round::run(world, seed, USUAL, |strike| {
            strike.excuses.quarantine = true;
            sent = attack(strike)?;
            Ok(())
        })?;
        put_aside_once(world, &sent)?;
        Ok(tally)
    })
}

/// What must be put aside, and what it was about.
#[derive(Default)]
struct Sent {
    bodies: BTreeSet<Vec<u8>>,
    sales: Vec<String>,
}

fn attack(strike: &mut Strike) -> Result<Sent> {
    let mut sent = Sent { bodies: BTreeSet::new(), sales: strike.sales.clone() };
    let (handle, url) = (strike.world.background.handle.clone(), strike.world.servers.rabbitmq.url(NAME));
    let eyes = strike.eyes()?;
    let copies = handle.block_on(copies(&url))?;
    strike.note(format!("RabbitMQ: {} messages are copied, changed and sent again", copies.len()));
    handle.block_on(async {
        let connection = flash_broker::connect(&url, "mallory").await?;
        let channel = connection.create_channel().await?;
        // What is not confirmed may be lost when the connection is closed.
        channel.confirm_select(ConfirmSelectOptions::default()).await?;
        for (at, copy) in copies.iter().enumerate() {
            let older = &copies[strike.random.random_range(0..=at)];
            sent.bodies.extend(abuse(&channel, copy, older).await?);
        }
        connection.close(200, "done".into()).await.context("a farewell")
    })?;
    for copy in copies.iter().take(CONTRADICTED_MAX) {
        let message = Message::decode(&copy.data)?;
        let Some(event) = message.events.iter().find_map(contradiction) else { continue };
        let is_written = || (eyes.status(&message.sale).ok()?.acked >= event.seq).then_some(());
        wait::within(WRITTEN, is_written).context("an event that is not written")?;
        strike.note(format!("RabbitMQ: event {} of {} with other content, signed", event.seq, message.sale));
        let other = Message { events: vec![event], ..message };
        sent.bodies.insert(other.encode());
        handle.block_on(publish_signed(&url, strike.world, other))?;
    }
    Ok(sent)
}

/// Copies of what the gateways publish from now on.
async fn copies(url: &str) -> Result<Vec<Delivery>> {
    let connection = flash_broker::connect(url, "mallory").await?;
    let channel = connection.create_channel().await?;
    let alone = QueueDeclareOptions { exclusive: true, auto_delete: true, ..QueueDeclareOptions::default() };
    let queue = channel.queue_declare("".into(), alone, FieldTable::default()).await?.name().clone();
    let (bind, nothing) = (QueueBindOptions::default(), FieldTable::default);
    channel.queue_bind(queue.clone(), EXCHANGE.into(), ROUTING_KEY.into(), bind, nothing()).await?;
    let consume = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut consumer = channel.basic_consume(queue, "".into(), consume, nothing()).await?;
    let mut copies = Vec::new();
    while copies.len() < COPIES_MAX {
        match tokio::time::timeout(COPIED, consumer.next()).await {
            Ok(Some(copy)) => copies.extend(Some(copy?).filter(|copy| Message::decode(&copy.data).is_ok())),
            // The sales may be sold out, or there are few of them.
            Ok(None) | Err(_) => break,
        }
    }
    connection.close(200, "done".into()).await?;
    Ok(copies)
}

/// Sends what anyone can make of a message. Gives the bodies that must be put aside.
async fn abuse(channel: &Channel, copy: &Delivery, older: &Delivery) -> Result<[Vec<u8>; 2]> {
    let headers = copy.properties.headers().clone().context("headers")?;
    let forged = forge(&copy.data)?;
    // As it was, twice: passed over.
    for _ in 0..2 {
        send(channel, &copy.data, headers.clone()).await?;
    }
    let without = |name: &str| {
        let left = headers.inner().iter().filter(|(header, _)| header.as_str() != name);
        left.fold(FieldTable::default(), |mut table, (header, value)| {
            table.insert(header.clone(), value.clone());
            table
        })
    };
    send(channel, &copy.data, without(MAC)).await?;
    send(channel, &copy.data, without(PUBLISHED_AT_MS)).await?;
    // Another body under its own signature, and under an older one.
    send(channel, &forged, headers.clone()).await?;
    send(channel, &forged, older.properties.headers().clone().context("headers")?).await?;
    send(channel, &forged, without(MAC)).await?;
    Ok([copy.data.clone(), forged])
}

/// The same message, of another buyer and with the next numbers.
fn forge(body: &[u8]) -> Result<Vec<u8>> {
    let mut message = Message::decode(body)?;
    for event in &mut message.events {
        event.seq += 1;
        if let MessageChange::Reserved(reserved) = &mut event.change {
            reserved.buyer = "mallory".into();
        }
    }
    Ok(message.encode())
}

async fn send(channel: &Channel, body: &[u8], headers: FieldTable) -> Result<()> {
    let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default().with_headers(headers));
    channel.basic_publish(EXCHANGE.into(), ROUTING_KEY.into(), options, body, properties).await?.await?;
    Ok(())
}

/// Another event of the same number: more units of the same buyer.
fn contradiction<'a>(event: &MessageEvent<'a>) -> Option<MessageEvent<'a>> {
    let mut event = event.clone();
    let MessageChange::Reserved(reserved) = &mut event.change else { return None };
    reserved.items.first_mut()?.quantity += 1;
    Some(event)
}

async fn publish_signed(url: &str, world: &World, message: Message<'_>) -> Result<()> {
    let file = world.folder("mallorys-keys");
    fs::write(&file, MESSAGE_KEY)?;
    let mut publisher = Amqp::new(url).with_keys(MessageKeys::open(&file)?).publisher("mallory").await?;
    publisher.publish(&Outgoing::of(message)).await?.await;
    publisher.close().await;
    Ok(())
}

/// Each body is in the quarantine once, nothing else is, and without them the audit finds nothing.
fn put_aside_once(world: &World, sent: &Sent) -> Result<()> {
    let mut eyes = Eyes::new(&world.background.handle, world.servers.urls())?;
    let mut last = 0;
    let all = wait::within(ASIDE, || {
        last = eyes.quarantined().ok()?;
        (usize::try_from(last) == Ok(sent.bodies.len())).then_some(())
    });
    let said = || [2, 3].map(|syncer| world.processes[syncer].log_tail()).join("\n");
    all.with_context(|| {
        format!("{last} messages are put aside, not {}; the syncers say\n{}", sent.bodies.len(), said())
    })?;
    flash(world, &["quarantine", "discard", "--since", "3650d", "--limit", "10000"])?;
    sent.sales.iter().try_for_each(|sale| flash(world, &["audit", sale]))
}

fn flash(world: &World, words: &[&str]) -> Result<()> {
    let [redis, rabbitmq, postgres] = world.servers.urls();
    let mut command = Command::new(built("flash"));
    command.args(words).envs([
        ("FLASH_REDIS_URL", redis),
        ("FLASH_AMQP_URL", rabbitmq),
        ("FLASH_POSTGRES_URL", postgres),
    ]);
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let [said, failed] = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    bail!("flash {words:?}: {}\n{said}{failed}", output.status)
}
