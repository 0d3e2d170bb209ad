//! What the tests stand on.

pub(crate) mod aof;
pub(crate) mod http;
pub(crate) mod program;
pub(crate) mod redis;
pub(crate) mod wait;
pub(crate) mod world;
