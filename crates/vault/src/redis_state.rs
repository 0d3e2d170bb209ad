//! What Redis has of a sale.

use flash_wire::{RebuiltReservation, State, Terms};

/// A sale as Redis has it, fenced: nothing of it changes while it is read.
#[derive(Debug, Clone, PartialEq)]
pub struct RedisState {
    /// Which life of the sale.
    pub epoch: u64,
    /// Its newest event.
    pub seq: u64,
    /// Its newest event that was acknowledged.
    pub acked: u64,
    /// Its terms, with the totals of now.
    pub terms: Terms,
    /// An operator has stopped it.
    pub is_closed: bool,
    /// Its active reservations, by ascending ids.
    pub reservations: Vec<RebuiltReservation<'static>>,
    /// What it still knows of how others ended.
    pub ended: Vec<(u64, State)>,
}
