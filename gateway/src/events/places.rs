//! How watchers come: each takes a place, and its socket goes to the watchers' thread.

use std::io::Write;
use std::net::IpAddr;
use std::sync::Arc;

use hyper::header::HeaderValue;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};

use crate::crowd::{Crowd, Seat};
use crate::limits::{NEWCOMERS_MAX, WATCHERS_MAX};

/// A socket that hyper has let go of. It does not block. What it takes it may keep until it is flushed.
pub(crate) type Socket = Box<dyn Write + Send>;

/// A place among the watchers, until the last of its clones is dropped.
pub(crate) type Place = Arc<(OwnedSemaphorePermit, Seat)>;

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// There are [`WATCHERS_MAX`].
    Full,
    /// The address has as many as it may have.
    TooMany,
}

/// Takes watchers from the threads that serve HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    newcomers: mpsc::Sender<Newcomer>,
    places: Arc<Semaphore>,
    crowd: Crowd,
}

impl Events {
    /// A place for one more watcher at this address.
    pub(crate) fn place(&self, from: IpAddr) -> Result<Place, NoPlace> {
        let seat = self.crowd.enter(from).ok_or(NoPlace::TooMany)?;
        let permit = self.places.clone().try_acquire_owned().map_err(|_| NoPlace::Full)?;
        Ok(Arc::new((permit, seat)))
    }

    /// Hands a watcher over. A gateway that stops has no thread for watchers any more: then the connection is closed.
    pub(crate) async fn take(&self, newcomer: Newcomer) {
        let _ = self.newcomers.send(newcomer).await;
    }
}

/// Who comes to watch a sale.
pub(crate) struct Newcomer {
    pub(crate) sale: String,
    pub(crate) socket: Socket,
    pub(crate) place: Place,
    /// The origin of the page that watches, if the answer must allow it.
    pub(crate) origin: Option<HeaderValue>,
}

/// The two ends of the way to the watchers' thread. `crowd` counts the watchers of each address.
pub(crate) fn handle(crowd: Crowd) -> (Events, mpsc::Receiver<Newcomer>) {
    let (newcomers, receiver) = mpsc::channel(NEWCOMERS_MAX);
    (Events { newcomers, places: Arc::new(Semaphore::new(WATCHERS_MAX)), crowd }, receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_only_so_many_watchers() {
        let (events, _newcomers) = handle(Crowd::new(0));
        let from = [127, 0, 0, 1].into();
        let mut places: Vec<Place> = std::iter::from_fn(|| events.place(from).ok()).take(WATCHERS_MAX + 1).collect();
        assert_eq!(places.len(), WATCHERS_MAX);
        assert_eq!(events.place(from).err(), Some(NoPlace::Full));
        places.pop();
        assert!(events.place(from).is_ok(), "one that leaves makes room");
    }

    #[test]
    fn one_address_holds_only_so_many_places() {
        let (events, _newcomers) = handle(Crowd::new(2));
        let places = [(); 3].map(|()| events.place([192, 0, 2, 1].into()));
        assert!(places[1].is_ok() && places[2].as_ref().err() == Some(&NoPlace::TooMany));
        assert!(events.place([192, 0, 2, 2].into()).is_ok());
    }
}
