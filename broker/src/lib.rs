//! RabbitMQ as Flash uses it: how to connect, what is declared, how a message is published. The relay and the syncer
//! share it, so that both mean the same queue.

#![forbid(unsafe_code)]

mod connect;
mod depth;
mod outgoing;
mod topology;

pub use connect::{CONNECT_TIMEOUT_MS, ConnectError, HEARTBEAT_S, connect};
pub use depth::{Depth, depth};
pub use outgoing::{BODY_BYTES_GOAL, Outgoing};
pub use topology::{
    DEAD_BYTES_MAX, DEAD_QUEUE, DELIVERIES_MAX, EXCHANGE, QUEUE, QUEUE_BYTES_MAX, ROUTING_KEY, TopologyError, declare,
};
