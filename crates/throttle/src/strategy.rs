//! What every strategy can do.

/// What every strategy can say of the units that were taken under it. From one taking to the next, units only come
/// back: the later, the fewer are in use.
pub(crate) trait Strategy {
    /// Units in use at `now_ms`, which is not before the newest taking.
    fn used(&self, now_ms: u64) -> u64;

    /// The first millisecond, from the newest taking on, in which at most `units` are in use.
    fn when_used_at_most(&self, units: u64) -> u64;

    /// Takes units at `now_ms`, which is not before the newest taking. They fit the limit.
    fn take(&mut self, now_ms: u64, units: u64);
}
