//! What can go wrong with a step of a recovery, and the setback that the sale's recovery makes of it.

use flash_client::CallError;
use flash_plan::Setback;
use flash_wire::Refusal;

/// Why a step was in vain.
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
            Self::Redis(CallError::Unavailable(_))
            | Self::Vault(Passing(_) | ConnectTimeout(_) | Contended | Paused | ReadOnly) => Setback::Away,
            Self::Redis(CallError::Failed { code, .. }) if PASSING.contains(&code.as_str()) => Setback::Away,
            Self::Redis(CallError::Unknown(_) | CallError::Unreadable(_)) => Setback::Unknown,
            Self::Redis(CallError::Failed { .. } | CallError::Invalid { .. })
            | Self::Gone
            | Self::Vault(Database(_) | Encoding(_) | Migration(_) | Trust(_) | Url) => Setback::Failed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_passes_is_told_from_what_is_wrong_with_a_sale() {
        let failed = |code: &str| Trouble::Redis(CallError::Failed { code: code.to_owned(), detail: String::new() });
        for (trouble, want) in [
            (failed("LOADING"), Setback::Away),
            (failed("READONLY"), Setback::Away),
            (failed("OOM"), Setback::Failed),
            (failed("WRONGTYPE"), Setback::Failed),
            (Trouble::Redis(CallError::Unavailable(String::new())), Setback::Away),
            (Trouble::Redis(CallError::Unknown(String::new())), Setback::Unknown),
            (Trouble::Vault(flash_vault::Error::Paused), Setback::Away),
            (Trouble::Vault(flash_vault::Error::ReadOnly), Setback::Away),
            (Trouble::Gone, Setback::Failed),
            (Refusal::Conflict.into(), Setback::Refused(Refusal::Conflict)),
        ] {
            assert_eq!(trouble.setback(), want, "{trouble}");
        }
    }
}
