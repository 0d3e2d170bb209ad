//! docs/how-to/rotating-secrets.md, step by step: the passwords of all three servers are replaced while a sale sells.

use crate::support::redis::run;
use crate::support::wait;
use crate::support::world::{World, broker_user, remove_broker_user};

/// What gateways, or syncers, connect with.
#[derive(Clone)]
struct Urls {
    redis: String,
    amqp: String,
    postgres: String,
}

/// The owner's, and the database's name.
struct Owner {
    urls: Urls,
    database: String,
}

impl Owner {
    /// Users and passwords of this number, for gateways and for syncers, beside those that there are.
    fn make(&self, world: &mut World, number: usize) -> [Urls; 2] {
        let (server, address) = self.urls.redis.split_once("://").expect("a URL");
        let address = address.rsplit_once('@').map_or(address, |(_, address)| address);
        let _: redis::Value =
            run(&mut world.redis.connect(), &format!("ACL SETUSER shop on >secret-{number} ~* +@all"));
        let redis = format!("{server}://shop:secret-{number}@{address}");
        let rights = [("gateway", ["^$", "^flash$", "^$"]), ("syncer", ["^$", "^$", r"^flash\.events$"])];
        rights.map(|(part, rights)| {
            let role = self.role(part, number);
            world.sql(&format!("CREATE ROLE {role} LOGIN PASSWORD 'hush'"));
            world.postgres.clone_from(&self.urls.postgres);
            let (status, _) = world.run(&["migrate", &format!("--{part}-role"), &role]);
            assert!(status.success());
            let (scheme, rest) = self.urls.postgres.split_once("://").expect("a URL");
            let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
            let amqp = broker_user(&self.urls.amqp, &format!("{part}_{number}"), rights);
            Urls { redis: redis.clone(), amqp, postgres: format!("{scheme}://{role}:hush@{host}") }
        })
    }

    fn role(&self, part: &str, number: usize) -> String {
        format!("{part}_{number}_{}", self.database)
    }

    fn remove(&self, world: &World, number: usize, users: &[Urls; 2]) {
        for (part, urls) in ["gateway", "syncer"].into_iter().zip(users) {
            let role = self.role(part, number);
            world.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
            remove_broker_user(&urls.amqp);
        }
        let _: redis::Value = run(&mut world.redis.connect(), &format!("ACL SETUSER shop <secret-{number}"));
    }
}

fn lead(world: &mut World, Urls { redis, amqp, postgres }: &Urls) {
    world.redis_url = Some(redis.clone());
    world.amqp = Some(amqp.clone());
    world.postgres.clone_from(postgres);
}

/// One request and no repeat.
fn reserve(world: &World, buyer: &str) {
    let answer = world.http().post("/v1/sales/drop/reservations", &format!("{{\"buyer\":\"{buyer}\"}}"));
    assert_eq!(answer.expect("an answer").status, 201, "{buyer}");
}

#[test]
fn the_passwords_of_all_three_servers_are_replaced_while_a_sale_sells() {
    let mut world = World::start_without_syncer();
    world.stop_gateway();
    let urls = Urls {
        redis: world.redis.redis.url(),
        amqp: world.amqp.clone().expect("RabbitMQ"),
        postgres: world.postgres.clone(),
    };
    let owner = Owner { urls, database: world.rows("SELECT current_database()").remove(0) };
    let mut users = owner.make(&mut world, 0);
    lead(&mut world, &users[1]);
    world.start_syncer();
    lead(&mut world, &users[0]);
    world.start_gateway();
    world.create_sale(r#"{"sale":"drop","total":99}"#);
    for number in 1..=2 {
        let next = owner.make(&mut world, number);
        lead(&mut world, &next[0]);
        reserve(&world, &format!("before-{number}"));
        world.start_second_gateway();
        reserve(&world, &format!("between-{number}"));
        world.kill_first_gateway();
        lead(&mut world, &next[1]);
        world.start_syncer();
        owner.remove(&world, number - 1, &users);
        users = next;
        reserve(&world, &format!("after-{number}"));
        world.wait_for_orders("drop", 3 * number as u64);
    }
    world.wait_for_empty_journal("drop");
    world.redis_url = None;
    world.postgres.clone_from(&owner.urls.postgres);
    wait::until("an audit that is whole", || (world.flash(&["audit", "drop"]).0 == 0).then_some(()));
}
