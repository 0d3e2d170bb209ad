//! RabbitMQ dies, or refuses, or forgets.

use anyhow::{Context, Result};
use flash_broker::{EXCHANGE, QUEUE, ROUTING_KEY};
use lapin::BasicProperties;
use lapin::options::{BasicPublishOptions, QueueDeleteOptions};

use crate::links::{GATEWAYS, PROCESSES};
use crate::round::{self, USUAL};
use crate::runner::Runner;
use crate::strike::Strike;
use crate::world::{NAME, Terms, World};

/// A policy by which the queue is full with so few messages.
const FULL: &str = "rabbit_policy:set(<<\"faults\">>, <<\"full\">>, <<\"^flash.events$\">>, \
                    [{<<\"max-length\">>, 3}], 0, <<\"queues\">>, <<\"flash\">>).\n";
const NOT_FULL: &str = "rabbit_policy:delete(<<\"faults\">>, <<\"full\">>, <<\"flash\">>).\n";
/// No client may publish while RabbitMQ is short of memory, or of disk.
const ALARMS: [(&str, &str, &str); 2] = [
    (
        "memory",
        "vm_memory_monitor:set_vm_memory_high_watermark(0.000001).\n",
        "vm_memory_monitor:set_vm_memory_high_watermark(0.4).\n",
    ),
    (
        "disk",
        "rabbit_disk_monitor:set_disk_free_limit(\"1000TB\").\n",
        "rabbit_disk_monitor:set_disk_free_limit(\"50MB\").\n",
    ),
];
/// Unreadable messages.
const POISON: [&[u8]; 4] =
    [b"", b"{", b"\xff\xfe not text", b"{\"version\":99,\"sale\":\"x\",\"epoch\":1,\"events\":[]}"];

/// SIGKILL in the midst of publishing, and a start on the same data.
pub(super) fn killed(runner: &mut Runner) -> Result<()> {
    let mut settled = false;
    runner.rounds(&Terms::default(), |world, seed| {
        if !std::mem::replace(&mut settled, true) {
            world.settle_rabbitmq()?;
        }
        round::run(world, seed, USUAL, kill)
    })
}

pub(super) fn kill(strike: &mut Strike) -> Result<()> {
    strike.note("RabbitMQ: SIGKILL");
    strike.world.servers.rabbitmq.server.kill()?;
    let away = strike.ms(0..1_000);
    strike.last(away);
    strike.note("RabbitMQ: started");
    strike.world.servers.rabbitmq.server.restart()?;
    Ok(())
}

/// An alarm: publishers are blocked, and nothing is refused.
pub(super) fn alarms(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| {
        round::run(world, seed, USUAL, |strike| {
            let (what, raise, clear) = ALARMS[usize::from(seed % 2 == 1)];
            strike.note(format!("RabbitMQ: an alarm for {what}"));
            eval(strike.world, raise)?;
            let time = strike.ms(1_000..6_000);
            strike.last(time);
            strike.note("RabbitMQ: no alarm");
            eval(strike.world, clear)
        })
    })
}

/// The queue is gone, with all that was in it.
pub(super) fn queue_deleted(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| {
        round::run(world, seed, USUAL, |strike| {
            strike.note("RabbitMQ: the queue is deleted");
            let url = strike.world.servers.rabbitmq.url(NAME);
            strike.world.background.handle.block_on(async {
                let connection = flash_broker::connect(&url, "faults").await?;
                let channel = connection.create_channel().await?;
                channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await?;
                connection.close(200, "done".into()).await.context("a farewell")
            })
        })
    })
}

/// The queue is full: what is published is refused.
pub(super) fn refused(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| {
        round::run(world, seed, USUAL, |strike| {
            strike.note("RabbitMQ: the queue takes three messages, and nobody reads it");
            eval(strike.world, FULL)?;
            strike.world.processes[GATEWAYS..PROCESSES].iter().for_each(|syncer| syncer.pause());
            let time = strike.ms(500..4_000);
            strike.last(time);
            strike.note("RabbitMQ: the queue takes messages, and is read");
            strike.world.processes[GATEWAYS..PROCESSES].iter().for_each(|syncer| syncer.resume());
            eval(strike.world, NOT_FULL)
        })
    })
}

/// Unreadable messages come between the others: each is put aside once, and delays nothing.
pub(super) fn poison(runner: &mut Runner) -> Result<()> {
    runner.rounds(&Terms::default(), |world, seed| {
        let tally = round::run(world, seed, USUAL, |strike| {
            strike.note("RabbitMQ: messages that nobody can read");
            strike.excuses.quarantine = true;
            publish(strike.world, &POISON)
        })?;
        let mut eyes = crate::eyes::Eyes::new(&world.background.handle, world.servers.urls())?;
        let aside = eyes.rows("nobody's")?.quarantined.len();
        anyhow::ensure!(aside == POISON.len(), "{aside} messages lie in the quarantine, not {}", POISON.len());
        Ok(tally)
    })
}

fn publish(world: &World, bodies: &[&[u8]]) -> Result<()> {
    let url = world.servers.rabbitmq.url(NAME);
    world.background.handle.block_on(async {
        let connection = flash_broker::connect(&url, "faults").await?;
        let channel = connection.create_channel().await?;
        for body in bodies {
            let (options, properties) = (BasicPublishOptions::default(), BasicProperties::default());
            channel.basic_publish(EXCHANGE.into(), ROUTING_KEY.into(), options, body, properties).await?.await?;
        }
        connection.close(200, "done".into()).await.context("a farewell")
    })
}

fn eval(world: &World, script: &str) -> Result<()> {
    let output = world.servers.rabbitmq.eval(script)?;
    anyhow::ensure!(output.contains("ok"), "{script}: {output}");
    Ok(())
}
