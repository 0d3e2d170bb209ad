//! The state of a world as a number, to know it again.

use std::hash::Hash;

use crate::world::{Actor, World};

impl World {
    /// All of the state that matters for what comes.
    pub(crate) fn hash_all(&self, hasher: &mut impl std::hash::Hasher) {
        self.redis.hash_all(hasher);
        (&self.postgres, &self.broker, &self.calls, &self.orphans, &self.witness).hash(hasher);
        for actor in &self.actors {
            match actor {
                Actor::Recovery(recovery) => recovery.hash(hasher),
                Actor::Planned(recovery) => recovery.hash(hasher),
                Actor::Relay(relay) => relay.hash(hasher),
                Actor::Sweep(sweep) => sweep.hash(hasher),
                Actor::Syncer(syncer) => syncer.hash(hasher),
                Actor::Buyer(buyer) => buyer.hash(hasher),
                Actor::Operator(operator) => operator.hash(hasher),
            }
        }
    }
}
