//! What is reserved reaches RabbitMQ, whatever happens on the way.

use flash_broker::QUEUE;
use flash_relay::BarrierError;
use lapin::options::QueueDeleteOptions;

use crate::fixture::{World, ask};

#[tokio::test]
async fn what_is_reserved_is_published_once_and_stays_in_the_journal() {
    let world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":100}").await;
    world.reserve(0..50).await;
    let counts = world.take_events(1..=51).await;
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    let status = world.get("/v1/sales/drop").await.body;
    assert!(status.contains("\"acked\":0,\"journal_events\":51,"), "{status}");
}

#[tokio::test]
async fn one_event_a_message_is_a_setting() {
    let world = World::start_with(1).await;
    world.create("{\"sale\":\"drop\",\"total\":1000}").await;
    world.rabbitmq.cut();
    // More than the window takes at once.
    world.reserve(0..700).await;
    world.rabbitmq.mend();
    world.take_events(1..=701).await;
}

#[tokio::test]
async fn without_rabbitmq_it_sells_and_then_catches_up() {
    let world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":1000}").await;
    world.take_events(1..=1).await;
    world.rabbitmq.cut();
    world.reserve(0..300).await;
    assert_eq!(world.get("/readyz").await.status, 200);
    world.rabbitmq.mend();
    world.take_events(2..=301).await;
}

#[tokio::test]
async fn a_connection_that_is_cut_again_and_again_loses_nothing() {
    let world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":1000}").await;
    for round in 0..5 {
        world.reserve(round * 40..round * 40 + 40).await;
        world.rabbitmq.cut();
        world.rabbitmq.mend();
    }
    world.take_events(1..=201).await;
}

#[tokio::test]
async fn a_message_that_no_queue_takes_comes_back_and_is_sent_again() {
    let world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":100}").await;
    world.take_events(1..=1).await;
    let (_connection, channel) = world.channel().await;
    channel.queue_delete(QUEUE.into(), QueueDeleteOptions::default()).await.unwrap();
    world.reserve(0..10).await;
    // The relay makes the queue again.
    world.take_events(2..=11).await;
}

#[tokio::test]
async fn a_barrier_arrives_after_what_was_published_before_it() {
    let world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":100}").await;
    world.reserve(0..20).await;
    world.take_events(1..=21).await;
    let (marked, ()) = tokio::join!(world.relay().barrier("b-1"), world.reserve(20..40));
    marked.unwrap();
    let before = world.take_until_barrier("b-1").await;
    assert_eq!(before, (22..22 + before.len() as u64).collect::<Vec<_>>(), "a run without a gap");
    world.take_events(22 + before.len() as u64..=41).await;
}

#[tokio::test]
async fn a_barrier_that_cannot_be_published_is_unknown_and_a_bad_one_is_refused() {
    let world = World::start().await;
    assert!(matches!(world.relay().barrier("").await, Err(BarrierError::Invalid(_))));
    world.rabbitmq.cut();
    let relay = world.relay();
    let waiting = relay.barrier("b-1");
    let mended = async { world.rabbitmq.mend() };
    // It waits for the connection, or was lost with it; then another one is asked for.
    if tokio::join!(waiting, mended).0.is_err() {
        world.relay().barrier("b-1").await.unwrap();
    }
    world.take_until_barrier("b-1").await;
}

#[tokio::test]
async fn a_gateway_that_stops_sends_what_it_has_sold() {
    let mut world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":100}").await;
    world.reserve(0..20).await;
    world.stop_gateway().await;
    let counts = world.take_events(1..=21).await;
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
}

#[tokio::test]
async fn two_relays_lose_nothing() {
    let world = World::start().await;
    let another = world.another_gateway();
    world.create("{\"sale\":\"drop\",\"total\":1000}").await;
    for buyer in 0..100 {
        let address = if buyer % 2 == 0 { world.address() } else { another.address() };
        let body = format!("{{\"buyer\":\"b{buyer}\"}}");
        let json = "Content-Type: application/json\r\n";
        assert_eq!(ask(address, "POST", "/v1/sales/drop/reservations", json, &body).await.status, 201);
    }
    world.take_events(1..=101).await;
    another.stop().await;
}
