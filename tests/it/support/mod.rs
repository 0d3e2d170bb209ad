//! What the tests stand on.

pub(crate) use flash_tests::{http, wait};

pub(crate) mod aof;
pub(crate) mod certificates;
pub(crate) mod cluster;
pub(crate) mod dump;
pub(crate) mod fuzz;
pub(crate) mod hostile;
pub(crate) mod limited;
pub(crate) mod nginx;
pub(crate) mod program;
pub(crate) mod proxy;
pub(crate) mod redis;
pub(crate) mod rival;
pub(crate) mod saved;
pub(crate) mod tls;
pub(crate) mod world;
