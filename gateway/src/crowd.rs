//! How much of what a gateway has one address may hold at once: connections, and places among the watchers.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

/// What is held by each address, for all threads. An entry that holds nothing is gone.
#[derive(Debug, Clone)]
pub(crate) struct Crowd(Arc<CrowdState>);

#[derive(Debug)]
struct CrowdState {
    held: Mutex<HashMap<u128, u32>>,
    /// None: an address may hold everything.
    each_max: Option<u32>,
}

/// One of those that an address holds, until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat(Option<(Crowd, u128)>);

impl Crowd {
    /// `each_max`: what one address may hold; 0: everything.
    pub(crate) fn new(each_max: u32) -> Self {
        Self(Arc::new(CrowdState { held: Mutex::default(), each_max: Some(each_max).filter(|max| *max > 0) }))
    }

    /// One more for this address. None: it has as many as it may have.
    pub(crate) fn enter(&self, address: IpAddr) -> Option<Seat> {
        let Some(each_max) = self.0.each_max else { return Some(Seat(None)) };
        let who = network(address);
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        let count = held.entry(who).or_default();
        if *count >= each_max {
            return None;
        }
        *count += 1;
        Some(Seat(Some((self.clone(), who))))
    }

    fn leave(&self, who: u128) {
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Entry::Occupied(mut entry) = held.entry(who) {
            *entry.get_mut() -= 1;
            if *entry.get() == 0 {
                entry.remove();
            }
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if let Some((crowd, who)) = self.0.take() {
            crowd.leave(who);
        }
    }
}

/// What counts as one: an IPv4 address, or the /64 of an IPv6 address, for whatever has such a network has all of it.
pub(crate) fn network(address: IpAddr) -> u128 {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits() & !u128::from(u64::MAX) | 1 << 63,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_holds_so_many_and_others_hold_their_own() {
        let crowd = Crowd::new(2);
        let enter = |address: &str| crowd.enter(address.parse().unwrap());
        let held = [enter("192.0.2.1"), enter("::ffff:192.0.2.1")];
        assert!(held.iter().all(Option::is_some) && enter("192.0.2.1").is_none());
        let others = [enter("192.0.2.2"), enter("2001:db8::1"), enter("2001:db8::2")];
        assert!(others.iter().all(Option::is_some));
        assert!(enter("2001:db8::3").is_none() && enter("2001:db8:0:1::1").is_some(), "a /64 is one");
        drop(held);
        assert!(enter("192.0.2.1").is_some());
        drop(others);
        assert!(crowd.0.held.lock().unwrap().is_empty(), "what holds nothing is forgotten");
    }

    #[test]
    fn without_a_bound_nothing_is_counted() {
        let crowd = Crowd::new(0);
        let held: Vec<_> = (0..10_000).map(|_| crowd.enter([127, 0, 0, 1].into())).collect();
        assert!(held.iter().all(Option::is_some) && crowd.0.held.lock().unwrap().is_empty());
    }
}
