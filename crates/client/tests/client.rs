//! The client and a real Redis, without the module: what it says when there are no answers to read.

use std::time::{Duration, Instant};

use flash_client::{CALLS_IN_FLIGHT_MAX, CALLS_PER_PIPELINE_MAX, Call, CallError, Client, Deadline, REDIS_TIMEOUT_MS};
use flash_servers::{Redis, RedisOptions, silent};
use futures_util::future::join_all;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_secs(20);

async fn start() -> (TempDir, Redis, Client) {
    let dir = tempfile::tempdir().unwrap();
    let redis = Redis::start(&RedisOptions::new(dir.path().join("redis")), silent).unwrap();
    let client = Client::connect(&redis.url()).unwrap();
    tokio::time::timeout(DEADLINE, client.connected()).await.unwrap();
    (dir, redis, client)
}

/// Redis falls silent: its connections stay open, without answers.
fn freeze(redis: &Redis) {
    let pid = redis.server.pid().and_then(|pid| Pid::from_raw(pid.cast_signed())).unwrap();
    kill_process(pid, Signal::STOP).unwrap();
}

/// Calls until the answer is one that `is` looks for.
async fn call_until(client: &Client, is: fn(&CallError) -> bool) {
    let begin = Instant::now();
    loop {
        let error = client.call(Call::confirm("drop", 1)).await.unwrap_err();
        if is(&error) {
            return;
        }
        assert!(begin.elapsed() < DEADLINE, "still {error}");
        tokio::task::yield_now().await;
    }
}

/// What Redis answers without the module: proof that the call went there and back.
fn answered(error: &CallError) -> bool {
    matches!(error, CallError::Failed { code, detail } if code == "ERR" && detail.contains("unknown command"))
}

fn is_unavailable(error: &CallError) -> bool {
    matches!(error, CallError::Unavailable(_))
}

#[tokio::test]
async fn a_call_that_is_not_answered_in_time_is_unknown() {
    let (_dir, redis, client) = start().await;
    freeze(&redis);
    let begin = Instant::now();
    let error = client.call(Call::confirm("drop", 1)).await.unwrap_err();
    assert!(matches!(error, CallError::Unknown(_)), "{error}");
    assert!(begin.elapsed() >= Duration::from_millis(REDIS_TIMEOUT_MS));
}

#[tokio::test]
async fn calls_beyond_the_limit_are_not_sent() {
    let (_dir, redis, client) = start().await;
    freeze(&redis);
    let calls = (0..CALLS_IN_FLIGHT_MAX + 5).map(|_| client.call(Call::confirm("drop", 1)));
    let errors: Vec<_> = join_all(calls).await.into_iter().map(Result::unwrap_err).collect();
    assert_eq!(errors.iter().filter(|error| is_unavailable(error)).count(), 5);
    assert_eq!(errors.iter().filter(|error| matches!(error, CallError::Unknown(_))).count(), CALLS_IN_FLIGHT_MAX);
}

#[tokio::test]
async fn a_redis_that_comes_back_is_found_again() {
    let (_dir, mut redis, client) = start().await;
    call_until(&client, answered).await;
    redis.server.kill().unwrap();
    call_until(&client, is_unavailable).await;
    assert!(!client.is_connected());
    redis.server.restart().unwrap();
    call_until(&client, answered).await;
}

#[tokio::test]
async fn a_redis_that_falls_silent_is_given_up() {
    let (_dir, redis, client) = start().await;
    freeze(&redis);
    call_until(&client, is_unavailable).await;
}

#[tokio::test]
async fn more_calls_than_one_round_trip_carries_have_an_outcome_each() {
    let (_dir, _redis, client) = start().await;
    let calls = (1..=2 * CALLS_PER_PIPELINE_MAX as u64 + 1).map(|id| Call::confirm("drop", id)).collect();
    let outcomes = client.calls(calls).await;
    assert_eq!(outcomes.len(), 2 * CALLS_PER_PIPELINE_MAX + 1);
    assert!(outcomes.iter().all(|outcome| outcome.as_ref().is_err_and(answered)));
}

#[tokio::test]
async fn a_turn_at_a_look_up_is_one_client_s_until_its_end_and_shows_what_it_found() {
    let (_dir, _redis, client) = start().await;
    let (life, short) = (Duration::from_secs(600), Duration::from_millis(1));
    let begin = async |token: &str| {
        let lookup = client.begin_lookup(7, token, life).await.unwrap();
        (lookup.is_ours, lookup.seen)
    };
    assert_eq!(begin("a").await, (true, None));
    assert_eq!(begin("b").await, (false, None));
    client.end_lookup(7, "b", None).await.unwrap();
    assert_eq!(begin("b").await, (false, None), "only its holder ends a turn");
    client.end_lookup(7, "a", Some(("drop is there", life))).await.unwrap();
    assert_eq!(begin("b").await, (true, Some("drop is there".to_owned())));
    client.end_lookup(7, "b", Some(("drop is there", short))).await.unwrap();
    let begun = Instant::now();
    while begin("c").await.1.is_some() {
        assert!(begun.elapsed() < DEADLINE, "it is remembered for ever");
    }
    assert!(client.begin_lookup(8, "b", short).await.unwrap().is_ours, "another bucket has its own turn");
    while !client.begin_lookup(8, "c", short).await.unwrap().is_ours {
        assert!(begun.elapsed() < DEADLINE, "a dead holder keeps the turn for ever");
    }
}

#[tokio::test]
async fn a_call_takes_no_longer_than_its_client_s_limit_nor_than_its_deadline() {
    let (_dir, redis, _) = start().await;
    let ms = Duration::from_millis;
    let client = Client::connect_within(&redis.url(), ms(200)).unwrap();
    tokio::time::timeout(DEADLINE, client.connected()).await.unwrap();
    freeze(&redis);
    let timed = async |deadline: Option<Duration>| {
        let begin = Instant::now();
        let call = client.call(Call::confirm("drop", 1));
        let error = match deadline {
            Some(limit) => Deadline::after(limit).over(call).await,
            None => call.await,
        };
        (error.unwrap_err(), begin.elapsed())
    };
    let (error, took) = timed(None).await;
    assert!(matches!(error, CallError::Unknown(_)) && took >= ms(200), "{error} after {took:?}");
    let (error, took) = timed(Some(ms(20))).await;
    assert!(matches!(error, CallError::Unknown(_)) && (ms(20)..ms(200)).contains(&took), "{error} after {took:?}");
    let (error, _) = timed(Some(Duration::ZERO)).await;
    assert!(is_unavailable(&error), "nothing is sent after the deadline: {error}");
}
