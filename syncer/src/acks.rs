//! Tells Redis how far PostgreSQL is, so that journals let go of what is written.

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use flash_client::{Backoff, Call, CallError, Client};
use flash_vault::Head;
use flash_wire::Ack;
use tokio::sync::Notify;
use tokio::time::sleep;

/// Epochs of sales whose acks may wait for Redis. More are sent when the sale's next events are written,
/// or its old ones come again.
pub const HEADS_MAX: usize = 10_000;

const RETRY_WAIT_MS_MIN: u64 = 50;
const RETRY_WAIT_MS_MAX: u64 = 2_000;

/// The newest heads that Redis does not know yet. Writing to PostgreSQL never waits for Redis.
#[derive(Debug, Default)]
pub(crate) struct Acks {
    heads: Mutex<HashMap<(String, u64), u64>>,
    noted: Notify,
}

impl Acks {
    /// Remembers heads to tell Redis.
    pub(crate) fn note(&self, heads: Vec<Head>) {
        let mut waiting = self.lock();
        for Head { sale, epoch, seq } in heads {
            let key = (sale, epoch);
            if waiting.len() >= HEADS_MAX && !waiting.contains_key(&key) {
                continue;
            }
            let newest = waiting.entry(key).or_default();
            *newest = seq.max(*newest);
        }
        drop(waiting);
        self.noted.notify_one();
    }

    /// Tells Redis, for ever.
    pub(crate) async fn tell_always(&self, client: &Client) -> Infallible {
        let mut backoff = Backoff::new(RETRY_WAIT_MS_MIN, RETRY_WAIT_MS_MAX);
        loop {
            self.noted.notified().await;
            while !self.tell(client).await {
                sleep(backoff.wait()).await;
            }
            backoff.reset();
        }
    }

    /// Sends Redis the waiting acks, in one round trip or few. True: nothing is left to send.
    pub(crate) async fn tell(&self, client: &Client) -> bool {
        let heads: Vec<_> = self.lock().drain().map(|((sale, epoch), seq)| Head { sale, epoch, seq }).collect();
        let ack = |head: &Head| Call::ack(&head.sale, Ack { epoch: head.epoch, seq: head.seq });
        let outcomes = client.calls(heads.iter().map(ack).collect()).await;
        let mut again = Vec::new();
        for (head, outcome) in heads.into_iter().zip(outcomes) {
            match outcome {
                Ok(Ok(_)) => {}
                Ok(Err(refusal)) => {
                    let code = refusal.code();
                    tracing::warn!(
                        sale = head.sale,
                        epoch = head.epoch,
                        code,
                        "the journal refuses its acknowledgement"
                    );
                }
                Err(error) if passes(&error) => again.push(head),
                Err(error) => tracing::error!(sale = head.sale, %error, "the journal cannot be acknowledged"),
            }
        }
        if again.is_empty() {
            return true;
        }
        self.note(again);
        false
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<(String, u64), u64>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// To acknowledge twice does no harm, so an unknown outcome is tried again like a call that was never sent.
fn passes(error: &CallError) -> bool {
    match error {
        CallError::Unavailable(_) | CallError::Unknown(_) => true,
        CallError::Failed { code, .. } => code == "LOADING",
        CallError::Invalid { .. } | CallError::Unreadable(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(sale: &str, seq: u64) -> Head {
        Head { sale: sale.to_owned(), epoch: 1, seq }
    }

    #[test]
    fn the_newest_head_of_each_sale_waits_and_no_more_than_the_limit() {
        let acks = Acks::default();
        acks.note(vec![head("a", 5), head("b", 1)]);
        acks.note(vec![head("a", 3)]);
        acks.note((0..HEADS_MAX).map(|sale| head(&sale.to_string(), 1)).collect());
        acks.note(vec![head("b", 7)]);
        let waiting = acks.lock();
        assert_eq!(waiting.len(), HEADS_MAX);
        assert_eq!(waiting[&("a".to_owned(), 1)], 5);
        assert_eq!(waiting[&("b".to_owned(), 1)], 7);
    }
}
