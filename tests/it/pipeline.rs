//! From the journal to PostgreSQL.

use std::collections::BTreeSet;
use std::time::Duration;

use flash_broker::Amqp;
use flash_servers::{RabbitMq, RabbitMqOptions, silent};
use flash_transport::{Batches, Transport};
use flash_wire::Message;
use redis::Value;

use crate::metrics::{metric, wait_for};
use crate::support::http::number;
use crate::support::redis::run;
use crate::support::wait;
use crate::support::world::World;

/// The reservation's id.
fn reserve(world: &World, buyer: &str) -> String {
    let body = format!("{{\"buyer\":\"{buyer}\",\"data\":{{\"size\":42}}}}");
    // On a busy machine an answer may be "unknown": then the buyer asks again.
    let answer = wait::until("a yes or a no", || {
        let answer = world.http().post("/v1/sales/drop/reservations", &body).expect("an answer");
        (answer.status != 504).then_some(answer)
    });
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    answer.id().expect("an id").to_owned()
}

#[test]
fn an_order_follows_its_reservation_to_its_end() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"hold_ms\":2000}");
    let [confirmed, released, expired] = ["ada", "bob", "eve"].map(|buyer| reserve(&world, buyer));
    let path = |id: &str| format!("/v1/sales/drop/reservations/{id}");
    let answer = world.http().post(&format!("{}/confirm", path(&confirmed)), "").expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = world.http().send("DELETE", &path(&released), &[], "").expect("an answer");
    assert_eq!(answer.status, 200, "{answer:?}");
    // No command touches the sale any more: the relay makes the last hold expire.
    for (id, want) in [(confirmed, "confirmed"), (released, "released"), (expired, "expired")] {
        let id = number(&id).expect("a number");
        wait::until(&format!("order {id} {want}"), || (world.order_state("drop", id)? == want).then_some(()));
    }
    world.wait_for_empty_journal("drop");
    assert_eq!((world.orders("drop"), world.sold("drop")[0].sold), (1, 1));
    let status = world.http().get("/v1/sales/drop").expect("an answer");
    assert_eq!((&status.body["available"], &status.body["confirmed"]), (&8.into(), &1.into()));
}

#[test]
fn a_sale_warmed_by_redis_cli_reaches_postgresql_too() {
    let world = World::start();
    let redis = &mut world.redis.connect();
    let _: Value = run(redis, "FLASH.WARM flash:drop SKU small 3 SKU large 4 LIMIT 2 JOURNAL 100");
    let _: Value = run(redis, "FLASH.RESERVE flash:drop ada SKU small 1 SKU large 1 DATA plain-text");
    world.wait_for_orders("drop", 1);
    assert_eq!(world.sold("drop").iter().map(|sku| (sku.total, sku.sold)).collect::<Vec<_>>(), [(3, 1), (4, 1)]);
}

#[test]
fn a_message_with_an_unknown_outcome_is_sent_again_and_is_one_order() {
    let (mut world, proxy) = World::start_behind_a_proxy();
    world.create_sale("{\"sale\":\"drop\",\"total\":9}");
    let gateway = world.address;
    wait_for(gateway, "flash_confirm_seconds_count", |confirms| confirms >= 1.0);
    let before = world.queued();
    proxy.mute();
    reserve(&world, "ada");
    wait::until("a message that RabbitMQ has and nobody confirms", || (world.queued() > before).then_some(()));
    assert_eq!(metric(gateway, "flash_publishes_rejected_total"), Some(0.0));
    proxy.cut();
    wait_for(gateway, "flash_publishes_unknown_total", |messages| messages >= 1.0);
    wait::until("the message again", || (world.queued() > before + 1).then_some(()));
    let syncer = world.start_measured_syncer();
    world.wait_for_empty_journal("drop");
    wait_for(syncer, "flash_duplicates_total", |events| events >= 1.0);
    assert_eq!((world.orders("drop"), world.sold("drop")[0].sold), (1, 1));
    let status = world.http().get("/v1/sales/drop").expect("an answer");
    assert_eq!((&status.body["available"], &status.body["confirmed"]), (&8.into(), &1.into()));
    assert_eq!(world.flash(&["audit"]).0, 0);
}

#[test]
fn without_rabbitmq_selling_goes_on_and_all_of_it_arrives_later() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut rabbitmq = RabbitMq::start(&RabbitMqOptions::new(dir.path()), silent).expect("RabbitMQ starts");
    rabbitmq.create_vhost("drop").expect("a vhost");
    let mut world = World::start_with("without_rabbitmq", rabbitmq.url("drop"));
    world.start_syncer();
    world.create_sale("{\"sale\":\"drop\",\"total\":100}");
    reserve(&world, "first");
    world.wait_for_orders("drop", 1);
    // RabbitMQ 3.10 may lose a queue that was declared less than a second before it is killed. Stopped in order, it has
    // written it down.
    rabbitmq.server.stop().expect("RabbitMQ stops");
    rabbitmq.server.restart().expect("RabbitMQ starts again");
    reserve(&world, "second");
    world.wait_for_orders("drop", 2);
    rabbitmq.server.kill().expect("ours to kill");
    for buyer in 0..50 {
        reserve(&world, &format!("buyer-{buyer}"));
    }
    assert_eq!(world.orders("drop"), 2, "the journal holds what RabbitMQ cannot take");
    rabbitmq.server.restart().expect("RabbitMQ starts again");
    world.wait_for_orders("drop", 52);
    world.wait_for_empty_journal("drop");
}

#[test]
fn a_rabbitmq_that_loses_its_disk_in_mid_sale_loses_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let mut rabbitmq = RabbitMq::start(&RabbitMqOptions::new(dir.path()), silent).expect("RabbitMQ starts");
    rabbitmq.create_vhost("drop").expect("a vhost");
    let mut world = World::start_with("lost_disk", rabbitmq.url("drop"));
    world.create_sale("{\"sale\":\"drop\",\"total\":1000}");
    for buyer in 0..50 {
        reserve(&world, &format!("buyer-{buyer}"));
    }
    // All of it is in the queue and confirmed, and nowhere else but in the journal.
    let queued = events_in_queue(&rabbitmq.url("drop"), 51);
    assert_eq!((queued, world.orders("drop")), (51, 0));
    rabbitmq.server.kill().expect("ours to kill");
    std::fs::remove_dir_all(dir.path().join("mnesia")).expect("all that RabbitMQ knows");
    for buyer in 50..80 {
        reserve(&world, &format!("buyer-{buyer}"));
    }
    rabbitmq.server.restart().expect("RabbitMQ starts again");
    rabbitmq.create_vhost("drop").expect("the vhost is gone, too");
    world.start_syncer();
    world.wait_for_orders("drop", 80);
    world.wait_for_empty_journal("drop");
    assert_eq!(world.twice_served_buyers("drop"), 0);
}

/// Looks at the queue until so many events are in it, and leaves them there.
fn events_in_queue(amqp: &str, at_least: usize) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let looking = async {
        let mut source = Batches::new(Amqp::new(amqp).source("test").await.expect("a queue"));
        let mut seen = BTreeSet::new();
        while seen.len() < at_least {
            for body in source.next_batch().await.expect("messages").bodies {
                let message = Message::decode(&body).expect("readable");
                seen.extend(message.events.iter().map(|event| event.seq));
            }
        }
        source.close().await;
        seen.len()
    };
    let looked = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), looking).await });
    looked.expect("the relay publishes in time")
}

#[test]
fn while_rabbitmq_is_short_of_memory_it_sells_up_to_the_journal_s_cap_and_all_of_it_arrives_later() {
    const JOURNAL: usize = 40;
    let dir = tempfile::tempdir().expect("a directory");
    let rabbitmq = RabbitMq::start(&RabbitMqOptions::new(dir.path()), silent).expect("RabbitMQ starts");
    rabbitmq.create_vhost("drop").expect("a vhost");
    let mut world = World::start_with("memory_alarm", rabbitmq.url("drop"));
    world.start_syncer();
    world.create_sale(&format!("{{\"sale\":\"drop\",\"total\":1000,\"journal_events_max\":{JOURNAL}}}"));
    world.wait_for_empty_journal("drop");
    rabbitmq.set_memory_alarm(true).expect("an alarm");
    let mut sold = 0;
    let full = loop {
        let body = format!("{{\"buyer\":\"buyer-{sold}\"}}");
        let answer = world.http().post("/v1/sales/drop/reservations", &body).expect("an answer");
        match answer.status {
            200 | 201 => sold += 1,
            504 => {}
            _ => break answer,
        }
    };
    assert_eq!((full.status, full.problem()), (503, "journal-full"), "{full:?}");
    assert_eq!((sold, world.orders("drop")), (JOURNAL, 0), "the journal holds them");
    rabbitmq.set_memory_alarm(false).expect("no alarm");
    world.wait_for_orders("drop", JOURNAL as u64);
    world.wait_for_empty_journal("drop");
    reserve(&world, "late");
    world.wait_for_orders("drop", JOURNAL as u64 + 1);
    assert_eq!(world.twice_served_buyers("drop"), 0);
}

#[test]
fn another_gateway_takes_the_sales_of_a_killed_one_over() {
    let mut world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":200}");
    let first = world.address;
    world.start_second_gateway();
    let second = std::mem::replace(&mut world.address, first);
    // The first has the sale in its lease, and events in its hand.
    for buyer in 0..50 {
        reserve(&world, &format!("buyer-{buyer}"));
    }
    let begin = std::time::Instant::now();
    world.kill_first_gateway();
    world.wait_for_orders("drop", 50);
    world.wait_for_empty_journal("drop");
    println!("taken over within {:?}", begin.elapsed());
    world.address = second;
    reserve(&world, "late");
    world.wait_for_orders("drop", 51);
    assert_eq!(world.twice_served_buyers("drop"), 0);
}

#[test]
fn two_gateways_relay_the_same_sale_and_nothing_comes_twice() {
    let mut world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"total\":200}");
    let first = world.address;
    world.start_second_gateway();
    for buyer in 0..100 {
        reserve(&world, &format!("buyer-{buyer}"));
    }
    assert_ne!(world.address, first);
    world.wait_for_orders("drop", 100);
    world.wait_for_empty_journal("drop");
    assert_eq!(world.twice_served_buyers("drop"), 0);
}

#[test]
fn a_gateway_writes_what_no_transport_brings_and_it_is_written_once() {
    let mut world = World::start_without_syncer();
    world.stop_gateway();
    world.start_gateway_with(&["--sweep-after-ms", "1000"]);
    world.create_sale("{\"sale\":\"drop\",\"total\":9,\"hold_ms\":600000}");
    let ada = reserve(&world, "ada");
    world.wait_for_orders("drop", 1);
    world.wait_for_empty_journal("drop");
    // All of it is in the queue as well, where it was waiting for a syncer.
    world.start_syncer();
    let bob = reserve(&world, "bob");
    for (id, state) in [(ada, "held"), (bob, "held")] {
        let id = number(&id).expect("a number");
        wait::until(&format!("order {id} {state}"), || (world.order_state("drop", id)? == state).then_some(()));
    }
    world.wait_for_empty_journal("drop");
    assert_eq!((world.orders("drop"), world.sold("drop")[0].sold), (2, 2));
}
