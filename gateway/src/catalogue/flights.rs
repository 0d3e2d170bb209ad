//! One query at a time for each id: callers that ask meanwhile share its answer.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::OnceCell;

/// Questions that are under way. There are no more of them than requests.
#[derive(Debug)]
pub(crate) struct Flights<T> {
    cells: Mutex<HashMap<Box<str>, Arc<OnceCell<T>>>>,
}

impl<T> Default for Flights<T> {
    fn default() -> Self {
        Self { cells: Mutex::default() }
    }
}

impl<T: Clone> Flights<T> {
    /// The answer to the question about `id`: `ask` is only begun where none is under way. If the first caller is gone,
    /// the next in line asks.
    pub(crate) async fn join(&self, id: &str, ask: impl Future<Output = T>) -> T {
        let cell = self.cells.lock().unwrap_or_else(PoisonError::into_inner).entry(id.into()).or_default().clone();
        let answer = cell.get_or_init(|| ask).await.clone();
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.get(id).is_some_and(|known| Arc::ptr_eq(known, &cell)) {
            cells.remove(id);
        }
        answer
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use tokio::sync::Notify;
    use tokio::task::JoinSet;

    use super::*;

    #[tokio::test]
    async fn many_who_ask_at_once_ask_once() {
        const ASKING: usize = 100;
        let (flights, asked, go) = (Arc::new(Flights::default()), Arc::new(AtomicU32::new(0)), Arc::new(Notify::new()));
        let mut tasks = JoinSet::new();
        for _ in 0..ASKING {
            let (flights, asked, go) = (flights.clone(), asked.clone(), go.clone());
            tasks.spawn(async move {
                let ask = async {
                    go.notified().await;
                    asked.fetch_add(1, Ordering::Relaxed) + 1
                };
                flights.join("drop", ask).await
            });
        }
        while flights.cells.lock().unwrap().values().next().is_none_or(|cell| Arc::strong_count(cell) <= ASKING) {
            tokio::task::yield_now().await;
        }
        go.notify_one();
        assert_eq!(tasks.join_all().await, [1; ASKING]);
        assert!(flights.cells.lock().unwrap().is_empty());
        assert_eq!(flights.join("drop", async { 2 }).await, 2, "an answer is for those who waited for it");
    }

    #[tokio::test]
    async fn a_waiter_asks_if_the_first_caller_has_left() {
        let flights = Arc::new(Flights::default());
        let gone = tokio::spawn({
            let flights = flights.clone();
            async move { flights.join("drop", std::future::pending()).await }
        });
        while flights.cells.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        gone.abort();
        assert_eq!(flights.join("drop", async { 7 }).await, 7);
    }
}
