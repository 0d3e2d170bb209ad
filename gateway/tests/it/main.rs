//! The gateway over real servers.

mod faults;
mod fixture;
mod http;
mod proxy;
mod relay;
