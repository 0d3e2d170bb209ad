//! Connections to PostgreSQL that seal: one for each sale that does so at the same time, up to a bound.

use flash_vault::{Error, Vault};
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

use crate::limits::SEALS_AT_ONCE_MAX;

/// Opens vaults as they are needed, and keeps them.
pub(crate) struct Vaults {
    url: String,
    places: [Mutex<Option<Vault>>; SEALS_AT_ONCE_MAX],
    free: Semaphore,
}

/// A place with a vault in it.
pub(crate) struct Place<'a> {
    place: MutexGuard<'a, Option<Vault>>,
    url: &'a str,
    _permit: Option<SemaphorePermit<'a>>,
}

impl Vaults {
    /// One vault is opened at once: whether the database is migrated shows here.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub(crate) async fn open(url: &str) -> Result<Self, Error> {
        let vaults = Self { url: url.to_owned(), places: Default::default(), free: Semaphore::new(SEALS_AT_ONCE_MAX) };
        vaults.take().await.vault().await?;
        Ok(vaults)
    }

    /// A place of one's own. It waits while all are taken.
    pub(crate) async fn take(&self) -> Place<'_> {
        // It fails only if the semaphore is closed, which nothing does.
        let permit = self.free.acquire().await.ok();
        let free = self.places.iter().find_map(|place| place.try_lock().ok());
        let place = match free {
            Some(place) => place,
            None => self.places[0].lock().await,
        };
        Place { place, url: &self.url, _permit: permit }
    }
}

impl Place<'_> {
    /// The vault, opened if there is none or its connection was lost.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub(crate) async fn vault(&mut self) -> Result<&mut Vault, Error> {
        let vault = match self.place.take() {
            Some(vault) if !vault.client().is_closed() => vault,
            _ => Vault::open(self.url).await?,
        };
        Ok(self.place.insert(vault))
    }
}
