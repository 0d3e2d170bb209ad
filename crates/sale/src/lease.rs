//! Which relay works on a sale.

use crate::refusal::Refusal;

#[derive(Debug)]
pub(crate) struct Lease {
    relay: Box<str>,
    from_ms: u64,
    until_ms: u64,
}

impl Lease {
    /// Takes the lease for `relay`, or renews it.
    pub(crate) fn take(lease: &mut Option<Self>, relay: &str, now_ms: u64, lease_ms: u64) -> Result<(), Refusal> {
        let until_ms = now_ms.saturating_add(lease_ms);
        match lease {
            Some(taken) if *taken.relay == *relay => (taken.from_ms, taken.until_ms) = (now_ms, until_ms),
            Some(taken) if taken.lasts(now_ms) => return Err(Refusal::Leased { until_ms: taken.until_ms }),
            _ => *lease = Some(Self { relay: relay.into(), from_ms: now_ms, until_ms }),
        }
        Ok(())
    }

    /// Whether it has not run out. Where the clock has stepped back to before its beginning, it is unknown how long it
    /// has lasted: then it is over, for two relays at once are slower, not wrong.
    const fn lasts(&self, now_ms: u64) -> bool {
        self.from_ms <= now_ms && now_ms < self.until_ms
    }

    /// Whose it is, and until when, if it has not run out.
    pub(crate) fn holder(&self, now_ms: u64) -> Option<(&str, u64)> {
        self.lasts(now_ms).then_some((&*self.relay, self.until_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_one_relay_s_until_it_runs_out() {
        let mut lease = None;
        let mut take = |relay, now_ms| Lease::take(&mut lease, relay, now_ms, 100);
        assert_eq!(take("a", 0), Ok(()));
        assert_eq!(take("b", 99), Err(Refusal::Leased { until_ms: 100 }));
        assert_eq!(take("a", 99), Ok(()));
        assert_eq!(take("b", 100), Err(Refusal::Leased { until_ms: 199 }));
        assert_eq!(take("b", 199), Ok(()));
        assert_eq!(take("a", 200), Err(Refusal::Leased { until_ms: 299 }));
        let holder = |now_ms| lease.as_ref().and_then(|lease| lease.holder(now_ms));
        assert_eq!((holder(199), holder(298), holder(299)), (Some(("b", 299)), Some(("b", 299)), None));
        assert_eq!(holder(198), None, "the clock has stepped back");
    }
}
