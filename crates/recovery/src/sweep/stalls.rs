//! Which journals show no progress. Pure: the caller gives the time.

use std::collections::HashMap;
use std::time::Duration;

use flash_wire::ReadySale;
use tokio::time::Instant;

/// Journals with events, and since when PostgreSQL has had no more of them. Bounded by what one READY shows.
#[derive(Debug)]
pub(crate) struct Stalls {
    after: Duration,
    journals: HashMap<Vec<u8>, Progress>,
}

#[derive(Debug, Clone, Copy)]
struct Progress {
    epoch: u64,
    acked: u64,
    since: Instant,
}

impl Stalls {
    pub(crate) fn new(after: Duration) -> Self {
        Self { after, journals: HashMap::new() }
    }

    /// The keys of the sales whose journals have events and have not moved for too long.
    pub(crate) fn look(&mut self, ready: &[ReadySale], now: Instant) -> Vec<Vec<u8>> {
        let mut journals = HashMap::new();
        let mut stalled = Vec::new();
        for sale in ready.iter().filter(|sale| sale.head > sale.acked) {
            let before = self.journals.get(&sale.key);
            let same = before.filter(|before| (before.epoch, before.acked) == (sale.epoch, sale.acked));
            let since = same.map_or(now, |progress| progress.since);
            if now.duration_since(since) >= self.after {
                stalled.push(sale.key.clone());
            }
            journals.insert(sale.key.clone(), Progress { epoch: sale.epoch, acked: sale.acked, since });
        }
        self.journals = journals;
        stalled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(epoch: u64, acked: u64, head: u64) -> ReadySale {
        ReadySale { key: b"flash:drop".to_vec(), epoch, acked, head, due: false, fenced: false, oldest_at_ms: 0 }
    }

    /// Looks every second, and says at which looks the journal counted as stalled, with three seconds of patience.
    fn check(looks: &[(u64, u64, u64)], want: &[usize]) {
        let (mut stalls, begin) = (Stalls::new(Duration::from_secs(3)), Instant::now());
        let at = |second: usize| begin + Duration::from_secs(second as u64);
        let stalled = looks.iter().enumerate().filter(|(second, (epoch, acked, head))| {
            !stalls.look(&[ready(*epoch, *acked, *head)], at(*second)).is_empty()
        });
        assert_eq!(stalled.map(|(second, _)| second).collect::<Vec<_>>(), want, "{looks:?}");
    }

    #[test]
    fn a_journal_is_stalled_once_it_has_not_moved_for_long() {
        check(&[(1, 0, 5); 5], &[3, 4]);
        check(&[(1, 0, 5), (1, 0, 6), (1, 0, 7), (1, 0, 9)], &[3]);
    }

    #[test]
    fn progress_an_empty_journal_and_another_life_begin_anew() {
        check(&[(1, 0, 5), (1, 0, 5), (1, 1, 5), (1, 1, 5), (1, 1, 5), (1, 1, 5)], &[5]);
        check(&[(1, 5, 5); 6], &[]);
        check(&[(1, 0, 5), (1, 0, 5), (2, 0, 5), (2, 0, 5), (2, 0, 5), (2, 0, 5)], &[5]);
    }
}
