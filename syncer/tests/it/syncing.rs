//! From the queue into the tables.

use flash_broker::Amqp;
use flash_syncer::{Config, Error, run};
use flash_vault::{Vault, has_barrier, pause_syncers};
use flash_wire::{Barrier, Message};

use crate::fixture::{Publisher, Servers, Setup, Syncer, history, sold, wait_until};
use crate::redis_stand_in::RedisStandIn;

/// No process listens there.
const NO_REDIS: &str = "redis://127.0.0.1:1";

#[tokio::test]
async fn what_is_published_is_written_then_acknowledged_to_rabbitmq_and_to_redis() {
    let redis = RedisStandIn::default();
    let config = Servers::shared().config(&redis.listen("127.0.0.1:0").await).await;
    let publisher = Publisher::new(&config).await;
    let syncer = Syncer::start(&config);
    for message in history("drop", 20) {
        publisher.publish(&message).await;
    }
    wait_until("Redis knows", async || redis.last_ack().as_deref() == Some("flash:drop 1 21")).await;
    assert_eq!(sold(&config, "drop").await, (20, 20));
    syncer.stop().await;
    assert_eq!(publisher.left().await, 0);
}

#[tokio::test]
async fn a_syncer_that_died_between_commit_and_acknowledgement_has_sold_nothing_twice() {
    let config = Servers::shared().config(NO_REDIS).await;
    let publisher = Publisher::new(&config).await;
    let messages = history("drop", 20);
    for message in &messages {
        publisher.publish(message).await;
    }
    // That is all that the dead one leaves behind: rows, and a full queue.
    Vault::open(&config.postgres).await.unwrap().write(&messages[..15]).await.unwrap();
    let syncer = Syncer::start(&config);
    wait_until("all is written", async || sold(&config, "drop").await == (20, 20)).await;
    syncer.stop().await;
    assert_eq!(publisher.left().await, 0);
}

#[tokio::test]
async fn an_unreadable_message_goes_to_the_quarantine_and_delays_nothing() {
    let config = Servers::shared().config(NO_REDIS).await;
    let publisher = Publisher::new(&config).await;
    let messages = history("drop", 2);
    publisher.publish(&messages[0]).await;
    publisher.publish_bytes(b"{\"version\":7}").await;
    publisher.publish(&messages[1]).await;
    publisher.publish_bytes(b"\0\xff").await;
    publisher.publish(&messages[2]).await;
    let syncer = Syncer::start(&config);
    wait_until("all is written", async || sold(&config, "drop").await == (2, 2)).await;
    syncer.stop().await;
    assert_eq!(publisher.left().await, 0);
    let client = flash_vault::connect(&config.postgres).await.unwrap();
    let rows = client.query("SELECT reason, body FROM quarantine ORDER BY id", &[]).await.unwrap();
    assert_eq!(rows[0].get::<_, &str>(0), "message version 7 is not 1");
    assert_eq!(rows[1].get::<_, &[u8]>(1), b"\0\xff");
    assert_eq!(rows.len(), 2);
}

/// A relay sends again what is not acknowledged, at another time.
#[tokio::test]
async fn an_unreadable_message_is_quarantined_once_however_often_it_is_published() {
    let config = Servers::shared().config(NO_REDIS).await;
    let publisher = Publisher::new(&config).await;
    let messages = history("drop", 2);
    let of_a_later_release = Message { version: 7, ..messages[0].clone() };
    for at_ms in [7_001, 7_002, 7_003] {
        publisher.publish(&of_a_later_release.clone().published(at_ms)).await;
    }
    for (message, at_ms) in messages.into_iter().zip(7_004..) {
        publisher.publish(&message.published(at_ms)).await;
    }
    let syncer = Syncer::start(&config);
    wait_until("all is written", async || sold(&config, "drop").await == (2, 2)).await;
    syncer.stop().await;
    let client = flash_vault::connect(&config.postgres).await.unwrap();
    let orders = client.query("SELECT published_at_ms FROM orders ORDER BY id", &[]).await.unwrap();
    assert_eq!(orders.iter().map(|row| row.get(0)).collect::<Vec<i64>>(), [7_005, 7_006]);
    let rows = client.query("SELECT reason FROM quarantine", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<&str>>(), ["message version 7 is not 1"]);
}

/// PostgreSQL has no text with a zero byte, and no index over a long one. What a body holds is in the error about it.
#[tokio::test]
async fn what_a_body_says_in_its_error_keeps_it_from_no_quarantine() {
    let config = Servers::shared().config(NO_REDIS).await;
    let publisher = Publisher::new(&config).await;
    let of_change = |change: &str| {
        format!(r#"{{"version":1,"sale":"drop","epoch":1,"events":[{{"seq":1,"at_ms":1,"change":"{change}"}}]}}"#)
    };
    let (zero, long) = (of_change("a\\u0000b"), of_change(&"change".repeat(200_000)));
    let bodies = [zero.as_bytes(), b"\xff\0", long.as_bytes()];
    for body in bodies {
        publisher.publish_bytes(body).await;
    }
    for message in history("drop", 2) {
        publisher.publish(&message).await;
    }
    let syncer = Syncer::start(&config);
    wait_until("all is written", async || sold(&config, "drop").await == (2, 2)).await;
    syncer.stop().await;
    let client = flash_vault::connect(&config.postgres).await.unwrap();
    let rows = client.query("SELECT body, length(reason) FROM quarantine ORDER BY id", &[]).await.unwrap();
    assert_eq!(rows.iter().map(|row| row.get(0)).collect::<Vec<Vec<u8>>>(), bodies);
    assert!(rows.iter().all(|row| row.get::<_, i32>(1) < 1_000), "a reason is a line");
}

#[tokio::test]
async fn a_syncer_stops_on_request_whatever_is_away() {
    let away = |url: &str| format!("{url}://ada:secret@127.0.0.1:1/away");
    let config = Config { postgres: away("postgres"), redis: NO_REDIS.to_owned(), name: "test".to_owned() };
    run(&config, &Amqp::new(away("amqp")), tokio::task::yield_now()).await.unwrap();
}

#[tokio::test]
async fn a_url_that_cannot_be_read_is_an_error_at_once() {
    let Setup { config, amqp } = Servers::shared().config(NO_REDIS).await;
    let amqp = Amqp::new(amqp);
    let never = std::future::pending;
    let bad = || "ada:secret@host".to_owned();
    let error = run(&Config { redis: bad(), ..config.clone() }, &amqp, never()).await.unwrap_err();
    assert!(matches!(error, Error::Redis(_)), "{error}");
    let error = run(&config, &Amqp::new(bad()), never()).await.unwrap_err();
    assert!(matches!(error, Error::Transport(_)), "{error}");
    let error = run(&Config { postgres: bad(), ..config }, &amqp, never()).await.unwrap_err();
    assert!(matches!(error, Error::PostgreSql(_)) && !format!("{error:?}").contains("secret"), "{error}");
}

#[tokio::test]
async fn a_barrier_is_written_with_or_after_what_came_before_it() {
    let config = Servers::shared().config(NO_REDIS).await;
    let publisher = Publisher::new(&config).await;
    let client = flash_vault::connect(&config.postgres).await.unwrap();
    let syncer = Syncer::start(&config);
    for (round, part) in history("drop", 100).chunks(10).enumerate() {
        for message in part {
            publisher.publish(message).await;
        }
        let id = format!("b-{round}");
        publisher.publish_bytes(&Barrier::new(&id).unwrap().encode()).await;
        wait_until("the barrier", async || has_barrier(&client, &id).await.unwrap()).await;
        // The sale's first event is no order.
        assert!(sold(&config, "drop").await.0 >= round as u64 * 10 + part.len() as u64 - 1, "at {id}");
    }
    syncer.stop().await;
    assert_eq!(publisher.left().await, 0);
}

#[tokio::test]
async fn paused_syncers_take_nothing_and_go_on_where_they_were() {
    let config = Servers::shared().config(NO_REDIS).await;
    let publisher = Publisher::new(&config).await;
    let client = flash_vault::connect(&config.postgres).await.unwrap();
    let all = async |paused: bool| {
        let syncers = flash_vault::syncers(&client).await.unwrap();
        !syncers.is_empty() && syncers.iter().all(|syncer| syncer.paused == paused)
    };
    let messages = history("drop", 20);
    let syncer = Syncer::start(&config);
    for message in &messages[..11] {
        publisher.publish(message).await;
    }
    wait_until("the first are written", async || sold(&config, "drop").await == (10, 10)).await;
    pause_syncers(&client, true).await.unwrap();
    wait_until("a paused syncer", async || all(true).await).await;
    for message in &messages[11..] {
        publisher.publish(message).await;
    }
    // It says what waits, and takes none of it.
    let queued = async || flash_vault::syncers(&client).await.unwrap()[0].queued == Some(10);
    wait_until("ten messages that wait", queued).await;
    assert_eq!(sold(&config, "drop").await, (10, 10));
    // A syncer that is started meanwhile obeys, too.
    syncer.stop().await;
    let syncer = Syncer::start(&config);
    wait_until("ten messages that wait", async || all(true).await && queued().await).await;
    pause_syncers(&client, false).await.unwrap();
    wait_until("all is written", async || sold(&config, "drop").await == (20, 20)).await;
    wait_until("a syncer that runs", async || all(false).await).await;
    syncer.stop().await;
    assert_eq!(publisher.left().await, 0);
}

/// The syncer has not looked yet what the operator wants, and has the message in hand.
#[tokio::test]
async fn what_comes_in_the_moment_of_a_pause_is_not_written_and_comes_again() {
    let config = Servers::shared().config(NO_REDIS).await;
    let publisher = Publisher::new(&config).await;
    let client = flash_vault::connect(&config.postgres).await.unwrap();
    let messages = history("drop", 5);
    let syncer = Syncer::start(&config);
    publisher.publish(&messages[0]).await;
    let begun = async || !flash_vault::heads(&client, &[("drop", 1)]).await.unwrap().iter().all(|head| head.seq == 0);
    wait_until("the first is written", begun).await;
    pause_syncers(&client, true).await.unwrap();
    for message in &messages[1..] {
        publisher.publish(message).await;
    }
    let paused = async || {
        let syncers = flash_vault::syncers(&client).await.unwrap();
        syncers.iter().any(|syncer| syncer.paused && syncer.queued == Some(5))
    };
    wait_until("a paused syncer, and five messages that wait", paused).await;
    assert_eq!(sold(&config, "drop").await, (0, 0));
    pause_syncers(&client, false).await.unwrap();
    wait_until("all is written", async || sold(&config, "drop").await == (5, 5)).await;
    syncer.stop().await;
    assert_eq!(publisher.left().await, 0);
}
