//! A stampede in which something dies: nothing that was accepted is lost, nothing is sold twice.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;
use std::thread;

use crate::support::http::{Answer, Http};
use crate::support::wait;
use crate::support::world::World;

const BUYERS: u64 = 2_000;
const UNITS: u64 = 300;
const CONNECTIONS: u64 = 8;
/// The fault strikes in mid-sale: when so many buyers have their answer.
const FAULT_AFTER: u64 = 150;

/// Sends every buyer, strikes once, and lets buyers without an answer ask again until they have one. Gives the
/// reservation of each buyer who got one.
fn stampede(address: SocketAddr, strike: impl FnOnce()) -> BTreeMap<u64, u64> {
    let (next, answered) = (AtomicU64::new(0), AtomicU64::new(0));
    let (winners, won) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            let (next, answered, winners) = (&next, &answered, winners.clone());
            scope.spawn(move || {
                let mut http = None;
                loop {
                    let buyer = next.fetch_add(1, Ordering::Relaxed);
                    if buyer >= BUYERS {
                        return;
                    }
                    if let Some(id) = insist(address, &mut http, buyer) {
                        winners.send((buyer, id)).expect("the receiver lives longer");
                    }
                    answered.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        wait::until("mid-sale", || (answered.load(Ordering::Relaxed) >= FAULT_AFTER).then_some(()));
        strike();
    });
    drop(winners);
    won.into_iter().collect()
}

/// Asks until there is a yes or a no. A timeout, a lost connection or a 5xx is neither.
fn insist(address: SocketAddr, http: &mut Option<Http>, buyer: u64) -> Option<u64> {
    let body = format!("{{\"buyer\":\"buyer-{buyer}\"}}");
    wait::until("an answer", || {
        let connection = match http {
            Some(connection) => connection,
            None => http.insert(Http::connect(address).ok()?),
        };
        match connection.post("/v1/sales/drop/reservations", &body) {
            Ok(answer) => yes_or_no(&answer),
            Err(_) => {
                *http = None;
                None
            }
        }
    })
}

fn yes_or_no(answer: &Answer) -> Option<Option<u64>> {
    match answer.status {
        200 | 201 => Some(Some(answer.number().expect("a reservation has an id"))),
        409 => {
            assert_eq!(answer.problem(), "sold-out", "{answer:?}");
            Some(None)
        }
        503 | 504 => None,
        _ => panic!("{answer:?}"),
    }
}

/// Every accepted reservation is exactly one order, and everything was sold.
fn check(world: &World, winners: &BTreeMap<u64, u64>) {
    assert_eq!(winners.len() as u64, UNITS, "as many buyers were told yes as there are units");
    world.wait_for_orders("drop", UNITS);
    world.wait_for_empty_journal("drop");
    assert_eq!(world.twice_served_buyers("drop"), 0);
    assert_eq!(world.sold("drop").iter().map(|sku| sku.sold).sum::<u64>(), UNITS);
    for id in winners.values() {
        assert_eq!(world.order_state("drop", *id).as_deref(), Some("confirmed"), "reservation {id}");
    }
}

fn selling_in(world: World) -> World {
    world.create_sale(&format!("{{\"sale\":\"drop\",\"total\":{UNITS}}}"));
    world
}

fn selling() -> World {
    selling_in(World::start())
}

#[test]
fn nothing_is_lost_when_the_gateway_dies() {
    let mut world = selling();
    let winners = stampede(world.address, || {
        world.kill_gateway();
        world.start_gateway();
    });
    check(&world, &winners);
}

#[test]
fn nothing_is_lost_when_a_gateway_without_rabbitmq_dies() {
    let mut world = selling_in(World::start_direct("direct"));
    let winners = stampede(world.address, || {
        world.kill_gateway();
        world.start_gateway();
    });
    check(&world, &winners);
}

#[test]
fn nothing_is_lost_when_the_syncer_dies() {
    let mut world = selling();
    let winners = stampede(world.address, || {
        world.kill_syncer();
        world.start_syncer();
    });
    check(&world, &winners);
}

#[test]
fn nothing_is_lost_when_redis_dies() {
    let mut world = selling();
    let winners = stampede(world.address, || world.crash_redis());
    check(&world, &winners);
}
