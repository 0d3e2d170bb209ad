//! Ends the life of a sale, so that the sale can go on in the next one.

use flash_plan::{Seen, Wanted};
use flash_wire::{Expected, NextEpoch};
use tokio_postgres::Transaction;

use crate::connect::IDLE_IN_SEAL_MS_MAX;
use crate::error::Error;
use crate::hold::{Claim, Held, Hold};
use crate::write::Vault;

/// How far after the end of an epoch the next one begins. Redis may have given these numbers to reservations that it
/// lost before anyone saw them, but that it had answered: they are not given to other buyers. A million is what Redis
/// could make in the two seconds that `appendfsync everysec` may lose, several times over.
pub const EPOCHS_APART_SEQS: u64 = 1 << 20;

/// What came of a seal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sealed {
    /// The epoch is over, and the next one begun: by this term, and by no other.
    Next {
        /// The next epoch.
        next: NextEpoch,
        /// What PostgreSQL has at that moment, and Redis must have when it opens.
        expected: Expected,
    },
    /// Another recovery was begun. Nothing was changed.
    Superseded,
    /// The barrier is not there, or not any more: PostgreSQL went back to an older state. What was queued before it may
    /// be missing too, or still come. Nothing was changed.
    BarrierGone,
    /// The sale is not as it was expected to be: in another epoch, or not written as far. Nothing was changed.
    NotYet,
}

impl Vault {
    /// Seals the newest epoch of a sale, and begins the next one. What was kept beyond a gap is applied first: nobody
    /// has what lies between, and the gap is written down, as is everything up to the highest seq that anybody knows
    /// of. What of it cannot be read goes to the quarantine. From then on, what comes of the sealed epoch is late.
    ///
    /// All of it is one transaction, and it holds every epoch of the sale: nothing is written between.
    ///
    /// # Errors
    /// When PostgreSQL is in trouble, or [`Error::Paused`]. Open a new vault then, and ask again where the sale is.
    pub async fn seal(&mut self, sale: &str, claim: Claim<'_>, epoch: u64, wanted: Wanted) -> Result<Sealed, Error> {
        let mut transaction = self.client.transaction().await?;
        let (last, idle_ms) = (last_epoch(wanted, epoch), IDLE_IN_SEAL_MS_MAX);
        let held = Hold::take(&mut transaction, &self.statements, sale, claim, last, idle_ms).await?;
        let sealed = seal(held, epoch, wanted).await?;
        finish(transaction, sealed).await
    }
}

async fn seal(held: Held<'_, '_>, epoch: u64, wanted: Wanted) -> Result<Sealed, Error> {
    let mut hold = match held {
        Held::Yes(hold) => hold,
        Held::No(why) => return Ok(why),
    };
    let is_as_wanted = match wanted {
        Wanted::Exactly(seq) => seq == hold.head(epoch) && hold.highest_known(epoch).await? <= seq,
        Wanted::Anywhere(Seen { head, .. }) => head <= hold.head(epoch),
    };
    if hold.newest != Some(epoch) || hold.is_sealed(epoch) || !is_as_wanted {
        return Ok(Sealed::NotYet);
    }
    let (Wanted::Exactly(seq) | Wanted::Anywhere(Seen { seq, .. })) = wanted;
    hold.end(last_epoch(wanted, epoch), seq).await
}

/// The last epoch that any process may be in: the newest one here, or Redis'.
const fn last_epoch(wanted: Wanted, newest: u64) -> u64 {
    match wanted {
        Wanted::Anywhere(Seen { epoch, .. }) if epoch > newest => epoch,
        Wanted::Exactly(_) | Wanted::Anywhere(_) => newest,
    }
}

/// Commits what was sealed. What was not is undone before it is said: the sale's recovery is not locked any more then.
pub(crate) async fn finish(transaction: Transaction<'_>, sealed: Sealed) -> Result<Sealed, Error> {
    match sealed {
        Sealed::Next { .. } => transaction.commit().await?,
        Sealed::Superseded | Sealed::BarrierGone | Sealed::NotYet => transaction.rollback().await?,
    }
    Ok(sealed)
}
