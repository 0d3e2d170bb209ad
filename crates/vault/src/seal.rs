//! Ends the life of a sale, so that the sale can go on in the next one.

use flash_plan::{Seen, Wanted};
use tokio_postgres::Transaction;

use crate::connect::IDLE_IN_SEAL_MS_MAX;
use crate::error::Error;
use crate::hold::{Claim, Held, Hold};
use crate::sealed::Sealed;
use crate::write::Vault;

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
