//! What can go wrong between Redis and PostgreSQL, the setback that a sale's recovery makes of it, and whether it keeps
//! other sales from being looked at.

use flash_client::CallError;
use flash_plan::Setback;
use flash_wire::Refusal;
use flash_wire::message::UnreadableJournal;

/// Why a step of a recovery, or of a sweep, was in vain.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Trouble {
    #[error(transparent)]
    Vault(#[from] flash_vault::Error),
    #[error(transparent)]
    Redis(#[from] CallError),
    #[error("Redis refused: {}", .0.code())]
    Refused(Refusal),
    #[error("PostgreSQL does not know the sale any more, or not its SKUs")]
    Gone,
    #[error("another gateway recovers the sale")]
    Another,
    #[error("a later recovery of the sale has begun")]
    Superseded,
    #[error("a journal cannot be read: {0}")]
    Unreadable(#[from] UnreadableJournal),
    #[error("{sale}: {trouble}")]
    OneSale { sale: String, trouble: Box<Self> },
}

impl From<Refusal> for Trouble {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// Errors of Redis that say nothing about the sale: they pass, or another server has it.
const PASSING: [&str; 9] =
    ["LOADING", "BUSY", "READONLY", "MASTERDOWN", "NOREPLICAS", "CLUSTERDOWN", "TRYAGAIN", "MOVED", "ASK"];

impl Trouble {
    /// The same for the recovery of a sale. What was under way to PostgreSQL when the connection was lost carries a
    /// term, so a new attempt makes it harmless.
    pub(crate) fn setback(&self) -> Setback {
        use flash_vault::Error::{
            ConnectTimeout, Contended, Database, Encoding, Migration, Passing, Paused, ReadOnly, Trust, Url,
        };
        match self {
            Self::Refused(refusal) => Setback::Refused(*refusal),
            Self::Another => Setback::Another,
            Self::Superseded => Setback::Superseded,
            Self::OneSale { trouble, .. } => trouble.setback(),
            Self::Redis(CallError::Unavailable(_))
            | Self::Vault(Passing(_) | ConnectTimeout(_) | Contended | Paused | ReadOnly) => Setback::Away,
            Self::Redis(CallError::Failed { code, .. }) if PASSING.contains(&code.as_str()) => Setback::Away,
            Self::Redis(CallError::Unknown(_) | CallError::Unreadable(_)) => Setback::Unknown,
            Self::Redis(CallError::Failed { .. } | CallError::Invalid { .. })
            | Self::Gone
            | Self::Unreadable(_)
            | Self::Vault(Database(_) | Encoding(_) | Migration(_) | Trust(_) | Url) => Setback::Failed,
        }
    }

    /// Whether it says nothing of other sales: they may be looked at in the same round.
    pub(crate) const fn is_of_one_sale(&self) -> bool {
        match self {
            Self::Redis(error) => !matches!(error, CallError::Unavailable(_)),
            Self::Vault(_) => false,
            Self::Refused(_)
            | Self::Gone
            | Self::Another
            | Self::Superseded
            | Self::Unreadable(_)
            | Self::OneSale { .. } => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use flash_client::{Unanswered, Unavailable};

    use super::*;

    #[test]
    fn a_passing_fault_differs_from_a_broken_sale() {
        let failed = |code: &str| Trouble::Redis(CallError::Failed { code: code.to_owned(), detail: String::new() });
        for (trouble, want) in [
            (failed("LOADING"), Setback::Away),
            (failed("READONLY"), Setback::Away),
            (failed("OOM"), Setback::Failed),
            (failed("WRONGTYPE"), Setback::Failed),
            (Trouble::Redis(CallError::Unavailable(Unavailable::NotConnectedYet)), Setback::Away),
            (Trouble::Redis(CallError::Unknown(Unanswered::Lost)), Setback::Unknown),
            (Trouble::Vault(flash_vault::Error::Paused), Setback::Away),
            (Trouble::Vault(flash_vault::Error::ReadOnly), Setback::Away),
            (Trouble::Gone, Setback::Failed),
            (Refusal::Conflict.into(), Setback::Refused(Refusal::Conflict)),
        ] {
            assert_eq!(trouble.setback(), want, "{trouble}");
        }
    }

    #[test]
    fn what_is_wrong_with_one_sale_keeps_no_other_from_being_swept() {
        let failed = CallError::Failed { code: "WRONGTYPE".to_owned(), detail: String::new() };
        let unreadable = flash_wire::Event::decode(&[]).expect_err("no event");
        for (trouble, want) in [
            (Trouble::Refused(Refusal::Fenced), true),
            (Trouble::Unreadable(unreadable.into()), true),
            (Trouble::Redis(failed), true),
            (Trouble::Redis(CallError::Unavailable(Unavailable::NotConnectedYet)), false),
            (Trouble::Vault(flash_vault::Error::Paused), false),
            (Trouble::Vault(flash_vault::Error::ConnectTimeout(1)), false),
        ] {
            assert_eq!(trouble.is_of_one_sale(), want, "{trouble}");
        }
    }
}
