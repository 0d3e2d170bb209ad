//! The syncer between a real RabbitMQ and a real PostgreSQL.

mod fixture;
mod frozen;
mod redis_stand_in;
mod restarts;
mod syncing;
