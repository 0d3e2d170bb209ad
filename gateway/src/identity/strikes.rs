//! Bad keys by address: each costs a look into PostgreSQL, so an address has only so many of them.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::recent::Recent;
use crate::crowd::network;
use crate::limits::{STRIKE_ADDRESSES_MAX, STRIKE_WINDOW_MS, STRIKES_MAX};

/// What the addresses have shown of late. Where there are more addresses than it remembers, the oldest begin anew.
#[derive(Debug)]
pub(crate) struct Strikes(Mutex<Recent<u128, (u32, Instant)>>);

impl Strikes {
    /// Nothing was shown yet.
    pub(crate) fn new() -> Self {
        Self(Mutex::new(Recent::new(STRIKE_ADDRESSES_MAX)))
    }

    /// Whether a key that is not known here may be looked up for this address; else the seconds until it may.
    pub(crate) fn check(&self, from: IpAddr) -> Result<(), u64> {
        let mut table = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match table.get(&network(from)).map(|(count, began)| (count, left(began))) {
            Some((STRIKES_MAX.., Some(left))) => Err(left.as_secs() + 1),
            _ => Ok(()),
        }
    }

    /// A key that this address showed is not good.
    pub(crate) fn add(&self, from: IpAddr) {
        let (mut table, who) = (self.0.lock().unwrap_or_else(PoisonError::into_inner), network(from));
        let (count, began) = table.get(&who).filter(|(_, began)| left(*began).is_some()).unwrap_or((0, Instant::now()));
        table.insert(who, (count + 1, began));
    }
}

/// What is left of a window that began then.
fn left(began: Instant) -> Option<Duration> {
    Duration::from_millis(STRIKE_WINDOW_MS).checked_sub(began.elapsed()).filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_address_has_so_many_bad_keys_in_a_window_and_others_have_their_own() {
        let strikes = Strikes::new();
        let [one, other] = [1, 2].map(|last| IpAddr::from([192, 0, 2, last]));
        for _ in 0..STRIKES_MAX {
            assert_eq!(strikes.check(one), Ok(()));
            strikes.add(one);
        }
        assert_eq!(strikes.check(one), Err(STRIKE_WINDOW_MS / 1_000 + 1));
        assert_eq!(strikes.check(other), Ok(()));
        tokio::time::advance(Duration::from_millis(STRIKE_WINDOW_MS)).await;
        assert_eq!(strikes.check(one), Ok(()), "the next window");
    }
}
