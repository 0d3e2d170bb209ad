//! Redis forgets, and the sale comes back by itself: buyers, limits, holds and stock.

use std::fs;
use std::path::PathBuf;

use redis::Value;
use serde_json::Value as Json;

use crate::support::http::{Answer, number};
use crate::support::redis::{Server, check, run};
use crate::support::wait;
use crate::support::world::World;

const SALE: &str =
    "{\"sale\":\"drop\",\"skus\":[{\"sku\":\"s\",\"total\":20},{\"sku\":\"m\",\"total\":20}],\"hold_ms\":600000}";

fn reserve(world: &World, buyer: &str, sku: &str) -> Answer {
    let body = format!("{{\"buyer\":\"{buyer}\",\"items\":[{{\"sku\":\"{sku}\"}}]}}");
    world.http().post("/v1/sales/drop/reservations", &body).expect("an answer")
}

/// Reserves as a client that obeys Retry-After, and repeats after an unknown outcome.
fn reserve_patiently(world: &World, buyer: &str, sku: &str) -> Answer {
    wait::until("a yes or a no", || {
        let answer = reserve(world, buyer, sku);
        (answer.status < 500).then_some(answer)
    })
}

fn id(answer: &Answer) -> String {
    assert!([200, 201].contains(&answer.status), "{answer:?}");
    answer.id().expect("an id").to_owned()
}

fn confirm(world: &World, id: &str) -> Answer {
    wait::until("a yes or a no", || {
        let answer = world.http().post(&format!("/v1/sales/drop/reservations/{id}/confirm"), "").expect("an answer");
        (answer.status < 500).then_some(answer)
    })
}

fn sale(world: &World) -> Json {
    wait::until("the sale", || {
        let answer = world.http().get("/v1/sales/drop").expect("an answer");
        (answer.status == 200 && answer.body["phase"] != "fenced").then_some(answer.body)
    })
}

/// How many recoveries have begun a life of a sale: its epoch counts them above the bits that are drawn.
fn recoveries(sale: &Json) -> u64 {
    sale["epoch"].as_u64().expect("a number") >> flash_vault::EPOCH_DRAWN_BITS
}

/// A sale in which ada has bought, bob holds, eve has given back, an operator has restocked and all of it is in
/// PostgreSQL.
struct Sold {
    ada: String,
    bob: String,
}

impl Sold {
    fn before(world: &World) -> Self {
        world.create_sale(SALE);
        let [ada, bob, eve] = ["ada", "bob", "eve"].map(|buyer| id(&reserve(world, buyer, "s")));
        assert_eq!(confirm(world, &ada).status, 200);
        let path = format!("/v1/sales/drop/reservations/{eve}");
        assert_eq!(world.http().send("DELETE", &path, &[], "").expect("an answer").status, 200);
        check(&mut world.redis.connect(), "FLASH.RESTOCK flash:drop SKU m -15", "[RESTOCKED 5 *]");
        world.wait_for_empty_journal("drop");
        Self { ada, bob }
    }

    /// Everything is as it was, in the next epoch; and it sells on.
    fn check_after(&self, world: &World, lost_by: &str) {
        let repeated = reserve_patiently(world, "ada", "s");
        assert_eq!((repeated.status, id(&repeated)), (200, self.ada.clone()), "{lost_by}");
        let sale = sale(world);
        let units = |field: &str| sale[field].as_u64();
        assert_eq!(
            (recoveries(&sale), units("total"), units("held"), units("confirmed")),
            (1, Some(25), Some(1), Some(1)),
            "{lost_by}: {sale}"
        );
        assert_eq!(reserve_patiently(world, "ada", "m").problem(), "limit-exceeded", "{lost_by}");
        assert_eq!(confirm(world, &self.bob).status, 200, "{lost_by}");
        let zoe = id(&reserve_patiently(world, "zoe", "m"));
        assert!(number(&zoe) > number(&self.bob), "{lost_by}");
        for (id, state) in [(&self.ada, "confirmed"), (&self.bob, "confirmed"), (&zoe, "held")] {
            let id = number(id).expect("a number");
            wait::until(&format!("order {id} {state}"), || (world.order_state("drop", id)? == state).then_some(()));
        }
        world.wait_for_empty_journal("drop");
        let sold: Vec<_> = world.sold("drop").iter().map(|sku| (sku.total, sku.sold)).collect();
        assert_eq!((sold, world.twice_served_buyers("drop")), (vec![(20, 2), (5, 1)], 0), "{lost_by}");
    }
}

/// The files of Redis' append-only file that grow.
fn increments(world: &World) -> PathBuf {
    let dir: Vec<String> = run(&mut world.redis.connect(), "CONFIG GET dir");
    let files = fs::read_dir(PathBuf::from(&dir[1]).join("appendonlydir")).expect("a directory");
    let mut files: Vec<PathBuf> = files.map(|file| file.expect("a file").path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(".incr.aof"));
    assert_eq!(files.len(), 1, "{files:?}");
    files.remove(0)
}

fn crash(world: &mut World) {
    world.crash_redis();
}

fn crash_and_lose_the_tail(world: &mut World) {
    let file = increments(world);
    world.redis.redis.server.kill().expect("ours to kill");
    let bytes = fs::read(&file).expect("readable");
    fs::write(&file, &bytes[..bytes.len() * 2 / 3]).expect("writable");
    world.redis.redis.server.restart().expect("Redis starts again");
}

fn crash_and_lose_the_disk(world: &mut World) {
    let file = increments(world);
    world.redis.redis.server.kill().expect("ours to kill");
    fs::remove_dir_all(file.parent().expect("a directory")).expect("removable");
    world.redis.redis.server.restart().expect("Redis starts again");
}

fn flush(world: &mut World) {
    let _: Value = run(&mut world.redis.connect(), "FLUSHALL");
}

fn delete(world: &mut World) {
    let _: Value = run(&mut world.redis.connect(), "DEL flash:drop");
}

/// The sale as a replica had it that was cut off before most of it.
fn fail_over_to_a_stale_replica(world: &mut World) {
    let redis = &mut world.redis.connect();
    let stale = Server::start();
    let copy = &mut stale.connect();
    check(copy, "FLASH.WARM flash:drop SKU s 20 SKU m 20 HOLD 600000 JOURNAL 1000000", "[WARMED 1]");
    let _: Value = run(redis, &format!("REPLICAOF 127.0.0.1 {}", stale.redis.server.port()));
    wait::until("the stale state", || {
        let seq: i64 = crate::support::redis::status(redis, "flash:drop", "seq");
        (seq == 1).then_some(())
    });
    let _: Value = run(redis, "REPLICAOF NO ONE");
}

/// How Redis may forget.
type Loss = (&'static str, fn(&mut World));

#[test]
fn a_sale_comes_back_whatever_redis_has_lost() {
    let losses: [Loss; 6] = [
        ("a crash", crash),
        ("a crash with a torn append-only file", crash_and_lose_the_tail),
        ("a crash with the disk lost", crash_and_lose_the_disk),
        ("FLUSHALL", flush),
        ("DEL", delete),
        ("a stale replica that was promoted", fail_over_to_a_stale_replica),
    ];
    for (lost_by, lose) in losses {
        let mut world = World::start();
        let sold = Sold::before(&world);
        lose(&mut world);
        sold.check_after(&world, lost_by);
    }
}

#[test]
fn what_was_not_in_postgresql_yet_comes_back_out_of_the_queue() {
    let mut world = World::start_without_syncer();
    world.create_sale(SALE);
    let ada = id(&reserve(&world, "ada", "s"));
    wait::until("the relay to be connected", || {
        let ready = world.http().get("/readyz?verbose").expect("an answer");
        (ready.body["checks"]["rabbitmq"] == "ok").then_some(())
    });
    // It publishes what it has, so that the queue alone has it once Redis has lost it.
    world.stop_gateway();
    flush(&mut world);
    world.start_gateway();
    let refused = reserve(&world, "bob", "s");
    assert_eq!((refused.status, refused.problem()), (503, "fenced"), "{refused:?}");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    world.start_syncer();
    let repeated = reserve_patiently(&world, "ada", "s");
    assert_eq!((repeated.status, id(&repeated)), (200, ada));
    assert_eq!(recoveries(&sale(&world)), 1);
}

#[test]
fn of_two_gateways_one_brings_the_sale_back_and_it_stays_closed() {
    let mut world = World::start();
    world.create_sale(SALE);
    world.start_second_gateway();
    let ada = id(&reserve_patiently(&world, "ada", "s"));
    check(&mut world.redis.connect(), "FLASH.CLOSE flash:drop", "[CLOSED]");
    world.wait_for_empty_journal("drop");
    for number in 1..4 {
        flush(&mut world);
        assert_eq!(confirm(&world, &ada).status, 200);
        assert_eq!(reserve_patiently(&world, "bob", "s").problem(), "closed");
        let sale = sale(&world);
        assert_eq!((recoveries(&sale), &sale["phase"]), (number, &"closed".into()), "{sale}");
        world.wait_for_empty_journal("drop");
    }
}

#[test]
fn a_buyer_learns_what_the_vault_refuses_and_redis_is_corrected() {
    let world = World::start();
    world.create_sale("{\"sale\":\"drop\",\"skus\":[{\"sku\":\"s\",\"total\":5}]}");
    let ada = id(&reserve(&world, "ada", "s"));
    world.wait_for_orders("drop", 1);
    // Somebody has taken the rest out of the shelves, and has not told Redis.
    world.sql("UPDATE skus SET total = 1 WHERE sale = 'drop'");
    let bob = id(&reserve(&world, "bob", "s"));
    let path = format!("/v1/sales/drop/reservations/{bob}");
    let rejected = wait::until("the rejection", || {
        let answer = world.http().get(&path).expect("an answer");
        (answer.status == 200 && answer.body["state"] == "rejected").then_some(answer)
    });
    assert_eq!((&rejected.body["buyer"], &rejected.body["reason"]), (&"bob".into(), &"oversold".into()));
    // The buyer learns it as soon as PostgreSQL has refused; Redis is corrected after that.
    wait::until("a Redis that is put right", || (recoveries(&sale(&world)) == 1).then_some(()));
    assert_eq!(reserve_patiently(&world, "cleo", "s").problem(), "sold-out");
    assert_eq!(id(&reserve_patiently(&world, "ada", "s")), ada);
    let sale = sale(&world);
    assert_eq!((&sale["total"], &sale["confirmed"], &sale["available"]), (&1.into(), &1.into(), &0.into()), "{sale}");
    assert_eq!(world.orders("drop"), 1);
}

#[test]
fn a_sale_that_was_created_and_never_warmed_is_warmed() {
    let world = World::start();
    world.sql(
        "INSERT INTO sales (sale, epoch, buyer_limit, journal_events_max, created_at)
         VALUES ('drop', 1, 1, 1000, now() - interval '1 minute');
         INSERT INTO skus (sale, sku, position, warmed_total, total) VALUES ('drop', 's', 0, 3, 3)",
    );
    assert_eq!(reserve_patiently(&world, "ada", "s").status, 201);
    world.wait_for_orders("drop", 1);
    assert_eq!(recoveries(&sale(&world)), 1);
}

#[test]
fn a_sale_that_cannot_be_brought_back_does_not_hold_up_the_others() {
    let mut world = World::start();
    world.create_sale("{\"sale\":\"a-broken-one\",\"total\":5}");
    world.create_sale(SALE);
    let ada = id(&reserve(&world, "ada", "s"));
    world.wait_for_empty_journal("drop");
    world.wait_for_empty_journal("a-broken-one");
    world.sql("UPDATE skus SET warmed_total = 0 WHERE sale = 'a-broken-one'");
    flush(&mut world);
    assert_eq!(id(&reserve_patiently(&world, "ada", "s")), ada);
    let broken = world.http().get("/v1/sales/a-broken-one").expect("an answer");
    assert_eq!(broken.problem(), "fenced", "{broken:?}");
    world.sql("UPDATE skus SET warmed_total = total");
    wait::until("the other one", || {
        let sale = world.http().get("/v1/sales/a-broken-one").expect("an answer");
        (sale.status == 200 && sale.body["phase"] == "open").then_some(())
    });
}
