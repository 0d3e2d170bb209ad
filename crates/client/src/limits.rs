//! Bounds of connections to Redis, each with its unit in its name.

/// Calls of one client that may wait for answers. Where Redis is too slow for them, more would only queue up for
/// answers that come too late. Twice as many as requests that a gateway's thread works on: some make two calls at once.
pub const CALLS_IN_FLIGHT_MAX: usize = 2_048;
/// How long opening a connection may take, from the first packet to the answer of the handshake.
pub const CONNECT_TIMEOUT_MS: u64 = 1_000;
/// The first wait before a lost connection is opened again.
pub const RECONNECT_WAIT_MS_MIN: u64 = 10;
/// The longest wait before a lost connection is opened again.
pub const RECONNECT_WAIT_MS_MAX: u64 = 1_000;
/// How often a connection is asked whether it lives: a peer that vanished without a word closes nothing.
pub const PING_EVERY_MS: u64 = 1_000;
