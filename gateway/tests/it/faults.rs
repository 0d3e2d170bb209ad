//! What the gateway says when a server is in trouble.

use crate::fixture::{ALL_OK, World};

const RESERVE: &str = "/v1/sales/drop/reservations";

#[tokio::test]
async fn a_redis_that_does_not_answer_leaves_the_outcome_unknown_and_a_repeat_tells_it() {
    let world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":5}").await;
    let headers = "Content-Type: application/json\r\nIdempotency-Key: r-1\r\n";
    world.freeze_redis();
    let unknown = world.ask("POST", RESERVE, headers, "{\"buyer\":\"ada\"}").await;
    let read = world.get("/v1/sales/drop").await;
    world.thaw_redis();
    assert!(unknown.status == 504 && unknown.body.contains("/problems/outcome-unknown"), "{unknown:?}");
    assert!(read.status == 504 && read.body.contains("/problems/timed-out"), "{read:?}");
    let done = async || {
        let repeat = world.ask("POST", RESERVE, headers, "{\"buyer\":\"ada\"}").await;
        repeat.status == 200 && repeat.body.contains("\"id\":\"2-") && repeat.body.contains("\"state\":\"confirmed\"")
    };
    world.until("the reservation that was made", done).await;
}

#[tokio::test]
async fn a_gateway_without_redis_refuses_lives_and_comes_back() {
    let mut world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":5}").await;
    world.redis.server.kill().unwrap();
    let away = async || {
        let answer = world.post(RESERVE, "{\"buyer\":\"ada\"}").await;
        answer.status == 503 && answer.body.contains("/problems/redis-away") && answer.head.contains("retry-after: 1")
    };
    world.until("Redis to be away", away).await;
    assert_eq!(world.get("/readyz").await.status, 503);
    assert_eq!(world.get("/livez").await.status, 200);
    world.redis.server.restart().unwrap();
    let back = async || [200, 201].contains(&world.post(RESERVE, "{\"buyer\":\"ada\"}").await.status);
    world.until("a reservation", back).await;
}

#[tokio::test]
async fn a_gateway_says_which_server_is_away() {
    let world = World::start().await;
    world.rabbitmq.cut();
    let away = ALL_OK.replace("\"rabbitmq\":\"ok\"", "\"rabbitmq\":\"away\"");
    world.until("RabbitMQ to be away", async || world.get("/readyz?verbose").await.body.contains(&away)).await;
    assert_eq!(world.get("/readyz").await.status, 200, "it sells without RabbitMQ");
}
