//! Bounds of the way to a frozen queue's end, each with its unit in its name.

/// How long RabbitMQ may take to answer a consumer before the queue is probed. Consumers are answered at once, also
/// when RabbitMQ is short of memory or disk and lets publishers wait.
pub const FROZEN_AFTER_MS: u64 = 20_000;
/// For how long another queue must confirm messages, and this one none, until it counts as frozen.
pub const PROBE_MS: u64 = 10_000;
/// How long RabbitMQ may take for each answer of a probe: a link that is slower proves nothing.
pub(crate) const ANSWER_MS: u64 = 5_000;
/// The wait between two messages to the other queue.
pub(crate) const ROUND_MS: u64 = 500;
/// How long it may take to delete a frozen queue and declare it again.
pub(crate) const HEAL_TIMEOUT_MS: u64 = 30_000;
