//! What a buyer and an operator see.

use flash_vault::Vault;
use flash_wire::{Change, Details, Event, Items, Message, Reserved, Terms};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::fixture::{Answer, World, public_id};

const RESERVE: &str = "/v1/sales/drop/reservations";

fn check(answer: &Answer, status: u16, contains: &str) {
    assert_eq!(answer.status, status, "{answer:?}");
    let text = format!("{}\r\n\r\n{}", answer.head, answer.body);
    assert!(text.contains(contains), "{answer:?} lacks {contains}");
}

#[tokio::test]
async fn a_sale_is_created_once_and_shown() {
    let world = World::start().await;
    let terms = "{\"sale\":\"drop\",\"skus\":[{\"sku\":\"s\",\"total\":5},{\"sku\":\"m\",\"total\":6}],\"limit\":3}";
    check(&world.post("/v1/sales", terms).await, 201, "\r\nlocation: /v1/sales/drop\r\n");
    check(&world.post("/v1/sales", terms).await, 200, "\"epoch\":1,\"skus\":[{\"sku\":\"s\",\"total\":5}");
    check(&world.post("/v1/sales", &terms.replace(":5", ":7")).await, 409, "/problems/sale-differs");
    let items = "{\"buyer\":\"ada\",\"items\":[{\"sku\":\"m\",\"quantity\":2},{\"sku\":\"s\"}]}";
    let made = world.post(RESERVE, items).await;
    check(&made, 201, "\"state\":\"confirmed\",\"available\":8}");
    let shown = world.get("/v1/sales/drop").await;
    check(&shown, 200, "\"phase\":\"open\",\"total\":11,\"available\":8,\"held\":0,\"confirmed\":3,\"limit\":3,");
    check(&shown, 200, "{\"sku\":\"m\",\"total\":6,\"available\":4,\"held\":0,\"confirmed\":2}");
    let want = "\"buyer\":\"ada\",\"state\":\"confirmed\",\"items\":[{\"sku\":\"s\",\"quantity\":1},{\"sku\":\"m\",";
    check(&world.get(&format!("{RESERVE}/{}", made.id())).await, 200, want);
    check(&world.post(RESERVE, "{\"buyer\":\"bob\"}").await, 422, "\"pointer\":\"/items\"");
}

#[tokio::test]
async fn a_hold_is_confirmed_released_or_expires() {
    let world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":5,\"hold_ms\":600000}").await;
    let ada = world.post(RESERVE, "{\"buyer\":\"ada\"}").await;
    check(&ada, 201, "\"state\":\"held\",\"expires_at_ms\":");
    let bob = world.post(RESERVE, "{\"buyer\":\"bob\"}").await;
    check(&bob, 201, &format!("location: /v1/sales/drop/reservations/{}\r\n", bob.id()));
    check(&world.post(RESERVE, "{\"buyer\":\"bob\"}").await, 200, "idempotency-replayed: true\r\n");
    let confirm = format!("{RESERVE}/{}/confirm", ada.id());
    check(&world.post(&confirm, "").await, 200, "\"state\":\"confirmed\"");
    check(&world.post(&confirm, "").await, 200, "idempotency-replayed: true\r\n");
    let release = async |id: &str| world.ask("DELETE", &format!("{RESERVE}/{id}"), "", "").await;
    check(&release(ada.id()).await, 409, "/problems/conflict");
    check(&release(bob.id()).await, 200, "\"state\":\"released\"");
    check(&release("9").await, 404, "/problems/unknown-reservation");

    world.create("{\"sale\":\"short\",\"total\":1,\"hold_ms\":1}").await;
    let short = world.post("/v1/sales/short/reservations", "{\"buyer\":\"ada\"}").await;
    check(&short, 201, "\"state\":\"held\"");
    let back = async || world.get("/v1/sales/short").await.body.contains("\"available\":1,\"held\":0");
    world.until("an untouched hold to expire", back).await;
    let confirm = format!("/v1/sales/short/reservations/{}/confirm", short.id());
    check(&world.post(&confirm, "").await, 410, "/problems/expired");
}

#[tokio::test]
async fn a_request_id_makes_a_request_one() {
    let world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":5,\"limit\":3}").await;
    let reserve = async |key: &str, body: &str| {
        let headers = format!("Content-Type: application/json\r\nIdempotency-Key: {key}\r\n");
        world.ask("POST", RESERVE, &headers, body).await
    };
    check(&reserve("\"r-1\"", "{\"buyer\":\"ada\"}").await, 201, "\"id\":\"2-");
    check(&reserve("r-1", "{\"buyer\":\"ada\"}").await, 200, "\"id\":\"2-");
    check(&reserve("r-2", "{\"buyer\":\"ada\"}").await, 201, "\"id\":\"3-");
    check(&reserve("r-1", "{\"buyer\":\"ada\",\"quantity\":2}").await, 422, "/problems/key-reused");
}

#[tokio::test]
async fn a_full_journal_refuses_until_there_is_room() {
    let world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":5,\"journal_events_max\":1}").await;
    let refused = world.post(RESERVE, "{\"buyer\":\"ada\"}").await;
    check(&refused, 503, "/problems/journal-full");
    check(&refused, 503, "retry-after: 1\r\n");
    world.redis("FLASH.ACK flash:drop 1 1").await;
    check(&world.post(RESERVE, "{\"buyer\":\"ada\"}").await, 201, "\"id\":\"2-");
}

#[tokio::test]
async fn a_key_that_is_no_sale_is_left_alone() {
    let world = World::start().await;
    world.redis("SET flash:drop 1").await;
    check(&world.post(RESERVE, "{\"buyer\":\"ada\"}").await, 503, "the sale's key in Redis holds another type");
    check(
        &world.post("/v1/sales", "{\"sale\":\"drop\",\"total\":1}").await,
        503,
        "the sale's key in Redis holds another type",
    );
}

/// Writes a warmed sale with one reservation to PostgreSQL alone, as if Redis had lost it.
async fn write_lost_sale(world: &World) {
    let made = Reserved {
        buyer: "ada",
        slot: 0,
        items: Items::one(0, 2).unwrap(),
        expires_at_ms: Some(9_000),
        details: Details::NONE,
    };
    let event = |seq, change| Event { epoch: 1, seq, at_ms: 5_000, change };
    let terms = Terms { limit: 2, ..Terms::simple(5) };
    let events = [event(1, Change::Warmed(terms.into())), event(2, Change::Reserved(made))];
    let skus = ["default".to_owned()];
    let message = Message::new("drop", 1, &skus, &events).unwrap();
    Vault::open(&world.postgres).await.unwrap().write(&[message]).await.unwrap();
}

#[tokio::test]
async fn what_redis_has_forgotten_is_looked_up_in_postgresql() {
    let world = World::start().await;
    write_lost_sale(&world).await;
    // Redis may have ended the hold before it forgot the sale, so the answer does not say whether this state is
    // persisted.
    let want = "\"buyer\":\"ada\",\"state\":\"held\",\"expires_at_ms\":9000,\"expires_in_ms\":0,\
                \"items\":[{\"sku\":\"default\",\"quantity\":2}]}";
    check(&world.get(&format!("{RESERVE}/{}", public_id("drop", 2))).await, 200, want);
    check(&world.get(&format!("{RESERVE}/{}", public_id("drop", 3))).await, 503, "/problems/fenced");
}

#[tokio::test]
async fn a_sale_that_redis_has_forgotten_is_not_begun_again() {
    let world = World::start().await;
    let create = "{\"sale\":\"drop\",\"total\":5,\"limit\":2,\"journal_events_max\":1000}";
    world.create(create).await;
    world.redis("DEL flash:drop").await;
    // Nothing writes events here, so no process can know that it is whole.
    for answer in [world.post("/v1/sales", create).await, world.get("/v1/sales/drop").await] {
        check(&answer, 503, "it is being restored from PostgreSQL");
        assert!(answer.head.contains("retry-after: 1"), "{answer:?}");
    }
    check(&world.get("/v1/sales/nowhere").await, 404, "/problems/unknown-sale");
}

#[tokio::test]
async fn a_buyer_who_hangs_up_has_the_reservation() {
    const BUYERS: u64 = 20;
    let world = World::start().await;
    world.create("{\"sale\":\"drop\",\"total\":100}").await;
    for buyer in 0..BUYERS {
        let mut stream = TcpStream::connect(world.address()).await.unwrap();
        let body = format!("{{\"buyer\":\"b{buyer}\"}}");
        let request = format!(
            "POST {RESERVE} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
             Expect: 100-continue\r\n\r\n",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        // The gateway has the request in hand, and waits for its body.
        stream.read_exact(&mut [0; "HTTP/1.1 100 Continue\r\n\r\n".len()]).await.unwrap();
        stream.write_all(body.as_bytes()).await.unwrap();
        drop(stream);
    }
    world.take_events(1..=1 + BUYERS).await;
    check(&world.get("/v1/sales/drop").await, 200, "\"confirmed\":20");
}
