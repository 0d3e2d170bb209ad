//! What a probe finds out, on a real RabbitMQ.

use flash_servers::{RabbitMq, RabbitMqOptions, silent};

use super::probe;
use crate::error::AmqpError;
use crate::keys::MessageKeys;
use crate::topology::declare;

/// A user that may only consume once took a refused declaration for a lost connection, and did not say what to do.
#[tokio::test]
async fn a_user_without_the_rights_to_probe_learns_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let server = RabbitMq::start(&RabbitMqOptions::new(dir.path().join("rabbitmq")), silent).unwrap();
    server.create_vhost("probed").unwrap();
    let connection = crate::connect(&server.url("probed"), "test").await.unwrap();
    declare(&connection.create_channel().await.unwrap()).await.unwrap();
    for (name, [configure, write, read], want) in [
        ("consumes", ["^$", "^$", "^flash\\.events$"], "may not find out whether it is frozen"),
        ("declares", ["^flash", "^flash", "^flash"], "may not find out whether it is frozen"),
        ("everything", [".*", ".*", ".*"], "it is kept"),
    ] {
        server.create_user(name, "secret", "probed", [configure, write, read]).unwrap();
        let owner = server.url("probed");
        let (_, address) = owner.rsplit_once('@').unwrap();
        let url = format!("amqp://{name}:secret@{address}");
        let found: AmqpError = probe(&url, "test", &MessageKeys::default()).await.unwrap();
        assert!(found.to_string().contains(want), "{name}: {found}");
    }
}
