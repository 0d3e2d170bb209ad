//! The reservations of a sale: by id, and by buyer.

mod index;
mod page;
mod pages;
mod record;
mod slice;

use std::collections::VecDeque;

use index::BuyerIndex;
pub use index::HashKey;
use page::PAGE_SEQS;
use pages::Pages;
pub use record::Reservation;

use crate::bytes::Malformed;
use crate::event::{Reserved, State};
use crate::limits::{ENDED_RESERVATIONS_MAX, RESERVATIONS_PER_BUYER_MAX};
use crate::memory::{Mover, allocated};

#[derive(Debug)]
pub(crate) struct Reservations {
    pages: Pages,
    by_buyer: BuyerIndex,
    key: HashKey,
    /// Ended reservations in the order in which they ended. Some may be forgotten already.
    ended: VecDeque<u64>,
}

impl Reservations {
    /// Room for about `entries` reservations, active and remembered.
    pub(crate) fn new(key: HashKey, entries: u64) -> Self {
        Self { pages: Pages::default(), by_buyer: BuyerIndex::new(entries), key, ended: VecDeque::new() }
    }

    pub(crate) fn get(&self, id: u64) -> Option<Reservation<'_>> {
        self.pages.get(id)?.get(id)
    }

    /// A reservation's state, without reading the rest of it.
    pub(crate) fn state(&self, id: u64) -> Option<State> {
        self.pages.record(id).map(record::state)
    }

    /// What a buyer has, remembered ones included, in no particular order; at most [`RESERVATIONS_PER_BUYER_MAX`].
    pub(crate) fn of_buyer<'a>(&'a self, buyer: &'a str) -> impl Iterator<Item = Reservation<'a>> {
        let ids = self.by_buyer.candidates(self.key.hash(buyer.as_bytes()));
        ids.filter_map(move |id| {
            let bytes = self.pages.record(id)?;
            (record::buyer(bytes) == buyer.as_bytes()).then(|| record::get(id, bytes))
        })
    }

    /// Every reservation, by id.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Reservation<'_>> {
        self.iter_after(0)
    }

    /// Every reservation whose id is higher than `after`, by id.
    pub(crate) fn iter_after(&self, after: u64) -> impl Iterator<Item = Reservation<'_>> {
        let pages = self.pages.iter_from(after + 1);
        pages.flat_map(move |(first, page)| {
            let ids = first.max(after + 1)..first + PAGE_SEQS;
            ids.filter_map(|id| page.get(id))
        })
    }

    /// The ended reservations that are remembered, in the order in which they ended.
    pub(crate) fn ended(&self) -> impl Iterator<Item = u64> + '_ {
        self.ended.iter().copied().filter(|&id| self.state(id).is_some())
    }

    /// The bytes of a reservation, for a snapshot.
    pub(crate) fn record(&self, id: u64) -> Option<&[u8]> {
        let bytes = self.pages.record(id)?;
        let (_, length) = record::read(id, bytes).ok()?;
        Some(&bytes[..length])
    }

    /// Adds a reservation with the fingerprint of its data, if repeats must match it. A buyer with as many as there
    /// may be loses the oldest ended one: it is forgotten. Gives whether that one had a request.
    pub(crate) fn insert(&mut self, id: u64, reserved: &Reserved, fingerprint: Option<u32>) -> bool {
        let hash = self.key.hash(reserved.buyer.as_bytes());
        let is_full = self.by_buyer.candidates(hash).count() >= RESERVATIONS_PER_BUYER_MAX;
        let forgot_request = is_full && self.make_room(reserved.buyer);
        self.pages.push(id, reserved, fingerprint);
        self.index(hash, id);
        forgot_request
    }

    /// Adds a reservation from the front of a snapshot's bytes, by ascending ids; gives how many bytes it took.
    pub(crate) fn load(&mut self, id: u64, bytes: &[u8]) -> Result<usize, Malformed> {
        let length = self.pages.push_record(id, bytes)?;
        self.index(self.key.hash(record::buyer(bytes)), id);
        Ok(length)
    }

    pub(crate) fn confirm(&mut self, id: u64) {
        self.pages.set_state(id, State::Confirmed);
    }

    /// Ends a reservation, which is remembered for a while. Gives whether one with a request was forgotten for it.
    pub(crate) fn end(&mut self, id: u64, state: State) -> bool {
        self.pages.set_state(id, state);
        self.remember_ended(id)
    }

    /// Takes an ended reservation into the order in which they will be forgotten. Gives whether one with a request was
    /// forgotten for it.
    pub(crate) fn remember_ended(&mut self, id: u64) -> bool {
        self.ended.push_back(id);
        if self.ended.len() > ENDED_RESERVATIONS_MAX
            && let Some(oldest) = self.ended.pop_front()
        {
            return self.forget(oldest);
        }
        false
    }

    /// What the reservations take from the allocator.
    pub(crate) fn memory_bytes(&self) -> usize {
        let ended = allocated(self.ended.capacity() * size_of::<u64>());
        self.pages.memory_bytes() + self.by_buyer.memory_bytes() + ended
    }

    pub(crate) fn allocations(&self) -> usize {
        self.pages.allocations() + self.by_buyer.allocations()
    }

    /// Moves some slices of the index, as [`BuyerIndex::defrag`] says.
    pub(crate) fn defrag_index(&mut self, from: usize, mover: &mut impl Mover) -> Option<usize> {
        self.by_buyer.defrag(from, mover)
    }

    /// Moves some pages, as [`Pages::defrag`] says.
    pub(crate) fn defrag_pages(&mut self, from: u64, mover: &mut impl Mover) -> Option<u64> {
        self.pages.defrag(from, mover)
    }

    fn index(&mut self, hash: u64, id: u64) {
        let hash_of = |id| self.key.hash(self.pages.buyer(id).unwrap_or_default());
        self.by_buyer.insert(hash, id, hash_of);
    }

    #[cold]
    fn make_room(&mut self, buyer: &str) -> bool {
        let (mut count, mut oldest_ended) = (0, None);
        for reservation in self.of_buyer(buyer) {
            count += 1;
            if !reservation.state.is_active() && oldest_ended.is_none_or(|id| reservation.id < id) {
                oldest_ended = Some(reservation.id);
            }
        }
        if count >= RESERVATIONS_PER_BUYER_MAX
            && let Some(id) = oldest_ended
        {
            return self.forget(id);
        }
        false
    }

    /// Gives whether the reservation had a request.
    fn forget(&mut self, id: u64) -> bool {
        let Some(reservation) = self.get(id) else { return false };
        let (hash, had_request) =
            (self.key.hash(reservation.made.buyer.as_bytes()), reservation.made.details.request.is_some());
        self.by_buyer.remove(hash, id);
        self.pages.forget(id);
        had_request
    }
}
