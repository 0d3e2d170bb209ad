//! What is brought back: sales that Redis has forgotten, events that no transport brings to PostgreSQL, and messages
//! that PostgreSQL has put aside.
//!
//! - [`Recovery`]: sales that Redis does not have, or of which Redis or PostgreSQL may lack the newest events;
//! - [`Sweep`]: journals that show no progress, written to PostgreSQL past the transport;
//! - [`replay_quarantined`], [`discard_quarantined`]: an operator's decision about a row of the quarantine.

#![forbid(unsafe_code)]

mod barriers;
mod compare;
mod discard;
mod doubts;
mod handle;
mod known;
mod limits;
mod look;
mod recovery;
mod replay;
mod steps;
mod sweep;
mod trouble;
mod vaults;

pub use discard::discard_quarantined;
pub use flash_plan::CREATION_GRACE_S;
pub use handle::{Asked, RecoveryHandle, handle};
pub use limits::{STOP_TIMEOUT, SWEEP_AFTER_MS};
pub use recovery::Recovery;
pub use replay::{ReplayError, replay_quarantined};
pub use sweep::Sweep;
