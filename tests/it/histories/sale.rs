//! The sale that all histories are about, and how Redis loses its newest moments.

use redis::Value;
use serde_json::Value as Json;

use crate::support::http::{Answer, Http};
use crate::support::redis::{run, try_run_args};
use crate::support::wait;
use crate::support::world::World;

pub(super) const PATH: &str = "/v1/sales/drop";
pub(super) const KEY: &str = "flash:drop";

/// Creates it: `terms` are further fields of its JSON.
pub(super) fn create(world: &World, terms: &str) {
    world.create_sale(&format!("{{\"sale\":\"drop\",{terms}}}"));
}

/// The sale as it is in Redis now.
pub(super) fn dump(world: &World) -> Vec<u8> {
    run(&mut world.redis.connect(), &format!("DUMP {KEY}"))
}

/// Redis has again what it had at that dump, and nothing of what came after it.
pub(super) fn forget_all_since(world: &World, dump: &[u8]) {
    let args: [&[u8]; 5] = [b"RESTORE", KEY.as_bytes(), b"0", dump, b"REPLACE"];
    let _: Value = try_run_args(&mut world.redis.connect(), &args).expect("Redis takes its own dump");
}

/// Redis has lost the sale.
pub(super) fn lose(world: &World) {
    let _: Value = run(&mut world.redis.connect(), &format!("DEL {KEY}"));
}

/// What the gateway says of the sale; none while it is in doubt.
pub(super) fn look(http: &mut Http) -> Option<Json> {
    let answer = http.get(PATH).expect("an answer");
    (answer.status == 200 && answer.body["phase"] != "fenced").then_some(answer.body)
}

/// Waits until the sale is in doubt no more.
pub(super) fn wait_until_it_sells(world: &World) -> Json {
    wait::until("a sale that sells", || look(&mut world.http()))
}

/// An operator's command: `restock` or `close`.
pub(super) fn operate(http: &mut Http, command: &str, body: &str) -> Answer {
    http.post(&format!("{PATH}/{command}"), body).expect("an answer")
}

/// The same, until it is done.
pub(super) fn operate_patiently(world: &World, command: &str, body: &str) {
    wait::until(command, || (operate(&mut world.http(), command, body).status == 200).then_some(()));
}
