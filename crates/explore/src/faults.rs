//! What servers do wrong, carried out.

use crate::step::Fault;
use crate::witness::Broken;
use crate::world::{World, remains};

/// Older states of PostgreSQL that a failover may bring back.
const BACKUPS_MAX: usize = 2;

impl World {
    pub(crate) fn fault(&mut self, fault: Fault) -> Result<bool, Broken> {
        let is_redis_replaced =
            matches!(fault, Fault::Restart | Fault::LoseRedis | Fault::Restore(_) | Fault::Rename | Fault::WarmByHand);
        match fault {
            Fault::Persist => self.redis.persist(),
            Fault::Dump => self.redis.dump(),
            Fault::Restart => self.redis.restart(),
            Fault::LoseRedis => self.redis.lose(),
            Fault::Restore(dump) => {
                if !self.redis.restore(dump.into()) {
                    return Ok(false);
                }
            }
            Fault::Rename => self.redis.rename(),
            Fault::WarmByHand => self.redis.warm_by_hand(self.now_ms),
            Fault::Backup => {
                if self.backups.len() == BACKUPS_MAX {
                    self.backups.remove(0);
                }
                self.backups.push(self.postgres.clone());
            }
            Fault::Failover(backup) => {
                let Some(backup) = self.backups.get(usize::from(backup)) else { return Ok(false) };
                self.witness.forgotten(&self.postgres, backup);
                self.postgres = backup.clone();
            }
            Fault::LoseQueue => self.broker.lose(),
            Fault::Repeat(place) => self.broker.repeat(place.into()),
            Fault::Delay(place) => self.broker.delay(place.into()),
            Fault::CatchUp => self.broker.catch_up(),
            Fault::Spoil(place) => self.broker.spoil(place.into()),
            Fault::Disconnect => self.broker.disconnect(),
        }
        if is_redis_replaced {
            self.witness.is_by_hand = fault == Fault::WarmByHand;
        }
        if !matches!(fault, Fault::Persist | Fault::Dump | Fault::Backup) {
            let mut remains = remains(&self.redis, &self.postgres, &self.broker, &self.witness);
            remains.is_brokers = matches!(fault, Fault::LoseQueue | Fault::Delay(_) | Fault::Spoil(_));
            self.witness.lost(&remains, is_redis_replaced);
        }
        Ok(true)
    }
}
