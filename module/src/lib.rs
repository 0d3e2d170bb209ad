//! The Redis module: a thin shell over [`flash_sale`] and [`flash_throttle`]. It turns arguments into commands, lets
//! the sale or the rate limit decide, sends the event to replicas and the AOF, lets it happen and writes the reply.

#![deny(unsafe_code)]

#[allow(unsafe_code, reason = "the server's API is C; this is the only file that speaks it")]
mod api;
mod call;
mod clock_offset;
mod command_info;
mod commands;
mod config;
mod docs;
mod eviction;
mod fault;
mod guard;
mod info;
mod instance;
mod life;
mod load;
mod moved;
mod open_sale;
mod ready;
mod register;
mod reply;
mod role;
mod stats;
mod stored;
mod stored_throttle;
mod value;

/// The module, as the server sees it: what happens at load is in `load`.
struct Flash;
