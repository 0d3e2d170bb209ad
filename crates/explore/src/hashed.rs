//! The state of a world as a number, to know it again.

use std::hash::Hash;

use crate::world::{Actor, World};

impl World {
    /// All of the state that matters for what comes.
    pub(crate) fn hash_all(&self, hasher: &mut impl std::hash::Hasher) {
        use std::fmt::Write;
        self.redis.hash_all(hasher);
        (&self.postgres, &self.broker, &self.calls, &self.orphans, &self.witness).hash(hasher);
        for actor in &self.actors {
            match actor {
                Actor::Recovery(recovery) => recovery.hash(hasher),
                Actor::Planned(recovery) => drop(write!(Hashed(hasher), "{recovery:?}")),
                Actor::Relay(relay) => relay.hash(hasher),
                Actor::Sweep(sweep) => sweep.hash(hasher),
                Actor::Syncer(syncer) => syncer.hash(hasher),
                Actor::Buyer(buyer) => buyer.hash(hasher),
                Actor::Operator(operator) => operator.hash(hasher),
            }
        }
    }
}

/// Text that is hashed rather than kept.
struct Hashed<'a, H>(&'a mut H);

impl<H: std::hash::Hasher> std::fmt::Write for Hashed<'_, H> {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0.write(text.as_bytes());
        Ok(())
    }
}
