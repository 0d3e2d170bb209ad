//! Gateways and syncers with users of RabbitMQ of their own: one may only publish, the other only consume.

use flash_broker::Amqp;
use flash_transport::{Error, Outcome, Outgoing, Publisher, Source, Transport};
use flash_wire::Barrier;

use crate::support::program::Program;
use crate::support::redis::run;
use crate::support::wait;
use crate::support::world::{World, broker_user, vhost};

/// What docs/how-to/rotating-secrets.md and deploy/rabbitmq.conf name: what may be configured, written and read.
const PUBLISHES: [&str; 3] = ["^$", "^flash$", "^$"];
const CONSUMES: [&str; 3] = ["^$", "^$", r"^flash\.events$"];

fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime").block_on(work)
}

/// What becomes of a message that this user publishes.
async fn publish(url: &str) -> Result<Outcome, Error> {
    let mut publisher = Amqp::new(url).publisher("test").await?;
    let message = Outgoing::barrier(&Barrier::new("test").expect("a name"));
    let outcome = publisher.publish(&message).await?.await;
    publisher.close().await;
    Ok(outcome)
}

async fn consume(url: &str) -> Result<(), Error> {
    Amqp::new(url).source("test").await?.close().await;
    Ok(())
}

#[test]
fn each_does_its_part_and_neither_can_do_the_other_s() {
    let mut world = World::start_without_syncer();
    world.stop_gateway();
    let owner = world.amqp.clone().expect("RabbitMQ");
    let [publishes, consumes] =
        [("publishes", PUBLISHES), ("consumes", CONSUMES)].map(|(name, rights)| broker_user(&owner, name, rights));
    world.amqp = Some(consumes.clone());
    world.start_syncer();
    world.amqp = Some(publishes.clone());
    world.start_gateway();
    world.create_sale(r#"{"sale":"drop","total":9}"#);
    let reserve = |world: &World, buyer: &str| {
        let reserved = wait::until("a reservation", || {
            let body = format!("{{\"buyer\":\"{buyer}\"}}");
            let answer = world.http().post("/v1/sales/drop/reservations", &body).ok()?;
            (answer.status == 201).then_some(answer)
        });
        assert_eq!(reserved.body["state"], "confirmed");
    };
    reserve(&world, "ada");
    world.wait_for_orders("drop", 1);
    world.wait_for_empty_journal("drop");
    // A recovery: its barrier goes through the queue.
    let _: redis::Value = run(&mut world.redis.connect(), "DEL flash:drop");
    reserve(&world, "bob");
    world.wait_for_orders("drop", 2);
    for url in [&publishes, &consumes] {
        world.amqp = Some(url.clone());
        let (_, report) = world.flash(&["doctor"]);
        let said = report.iter().map(ToString::to_string).collect::<String>();
        assert!(!said.contains("ACCESS_REFUSED") && !said.contains("cannot declare"), "{said}");
    }
    assert!(matches!(block_on(publish(&publishes)), Ok(Outcome::Confirmed)));
    let refused = block_on(consume(&publishes)).expect_err("it may not read").to_string();
    assert!(refused.contains("refused") || refused.contains("REFUSED"), "{refused}");
    let outcome = block_on(publish(&consumes));
    assert!(!matches!(outcome, Ok(Outcome::Confirmed)), "it may not write");
}

#[test]
fn what_a_user_may_not_declare_is_declared_once_by_one_who_may() {
    let world = World::start_direct("declared_once");
    let (_, owner) = vhost();
    let publishes = broker_user(&owner, "publishes", PUBLISHES);
    let missing = block_on(publish(&publishes)).expect_err("nothing is there").to_string();
    assert!(missing.contains("flash migrate --rabbitmq"), "{missing}");
    let environment = [("FLASH_POSTGRES_URL", world.postgres.clone()), ("FLASH_AMQP_URL", owner)];
    let (status, _) = Program::start(&["migrate", "--rabbitmq"], &environment).wait();
    assert!(status.success());
    assert!(matches!(block_on(publish(&publishes)), Ok(Outcome::Confirmed)));
}
