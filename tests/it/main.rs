//! The integration tests: one binary over real servers. PostgreSQL and RabbitMQ are started once for all tests, which
//! have a database and a vhost each; Redis is started for each test, for tests kill it.

mod audit;
mod dev;
mod durability;
mod forms;
mod http;
mod metrics;
mod module;
mod module_aof_prefix;
mod module_cluster;
mod module_defrag;
mod module_errors;
mod module_fence_on_load;
mod module_hostile_restore;
mod module_keys;
mod module_memory;
mod module_operator;
mod module_recovery;
mod module_replication;
mod module_server;
mod module_tracking;
mod module_versions;
mod operator;
mod payments;
mod pipeline;
mod recovery;
mod stampede;
mod support;
mod syncer_control;
mod throttle;
mod throttle_errors;
mod throttle_hostile_restore;
mod tidy;
mod unknown_ids;
