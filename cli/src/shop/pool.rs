//! The sellers of a shop: a buyer takes one that is free, or waits for it.

use flash_sim::Seller;
use tokio::sync::{Mutex, mpsc};

/// Some of something, of which each serves one after another.
pub(super) struct Pool<T> {
    free: Mutex<mpsc::Receiver<T>>,
    give: mpsc::Sender<T>,
}

/// One of them. It is free again when this is dropped, whatever became of the work.
pub(super) struct Taken<'a, T> {
    // None only while it is given back.
    one: Option<T>,
    pool: &'a Pool<T>,
}

/// The sellers of a shop.
pub(super) type Sellers = Pool<Seller>;

impl<T> Pool<T> {
    pub(super) fn of(all: Vec<T>) -> Self {
        let (give, free) = mpsc::channel(all.len().max(1));
        let pool = Self { free: Mutex::new(free), give };
        all.into_iter().for_each(|one| pool.give_back(one));
        pool
    }

    /// Takes one, in turn. None: there is none in all, and never will be.
    pub(super) async fn take(&self) -> Option<Taken<'_, T>> {
        let one = self.free.lock().await.recv().await?;
        Some(Taken { one: Some(one), pool: self })
    }

    fn give_back(&self, one: T) {
        // There is room for all.
        let _ = self.give.try_send(one);
    }
}

impl<T> Taken<'_, T> {
    pub(super) fn get(&mut self) -> Option<&mut T> {
        self.one.as_mut()
    }
}

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        if let Some(one) = self.one.take() {
            self.pool.give_back(one);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn what_is_taken_is_free_again_when_the_work_is_over_or_given_up() {
        let pool = Pool::of(vec![1, 2]);
        let mut first = pool.take().await.unwrap();
        assert_eq!(first.get(), Some(&mut 1));
        let second = pool.take().await.unwrap();
        let waits = || timeout(Duration::ZERO, pool.take());
        assert!(waits().await.is_err());
        drop(second);
        assert_eq!(waits().await.unwrap().unwrap().get(), Some(&mut 2));
        drop(first);
        assert!(waits().await.is_ok());
    }
}
